"""One decoder under coverage-guided fuzzing: `python fuzz_decoder.py PROTOCOL [libFuzzer options] CORPUS`.

Each input is options, chunk sizes and a stream. It must not crash, hang or grow, and what comes out must not depend on
the chunks, must come from the bytes, and may have a value only where the status is ok.
"""

from __future__ import annotations

import sys
from decimal import Decimal
from typing import Any

import atheris

with atheris.instrument_imports(include=["devices.weighbridge"]):
    from devices.weighbridge import protocols
    from devices.weighbridge.frame import Decoded, Status, TareFrame, WeightFrame

NAME = sys.argv.pop(1)
OPTIONS = protocols.PROTOCOLS[NAME].options


def read(options: dict[str, str], chunks: list[bytes]) -> list[Decoded]:
    """All that a decoder makes of a stream."""
    decoder = protocols.create(NAME, options)
    return [one for chunk in chunks for one in decoder.feed(chunk)] + decoder.flush()


def one_input(data: bytes) -> None:
    """Judge one input."""
    chosen = atheris.FuzzedDataProvider(data)
    options = {key: chosen.PickValueInList(list(values)) for key, values in OPTIONS.items()}
    cuts = sorted(chosen.ConsumeIntInRange(0, 64) for _ in range(chosen.ConsumeIntInRange(0, 4)))
    stream = chosen.ConsumeBytes(len(data))
    decoded = read(options, [stream])
    chunks = [stream[start:end] for start, end in zip([0, *cuts], [*cuts, len(stream)], strict=True)]
    assert read(options, chunks) == decoded, "chunks changed the frames"
    place = 0
    for one in decoded:
        place = stream.index(one.raw, place) + len(one.raw)  # in order, and only bytes that came
        judge(one)


def judge(one: Any) -> None:
    """What holds for every frame by itself."""
    if isinstance(one, WeightFrame):
        assert (one.value is not None) == (one.status is Status.OK), one
    if isinstance(one, WeightFrame | TareFrame) and one.value is not None:
        assert Decimal(one.value).is_finite(), one
        assert not one.value.startswith(("+", "-0.0 ", "--")), one


atheris.Setup(sys.argv, one_input)
atheris.Fuzz()
