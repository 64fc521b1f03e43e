"""`gate read`: the frames of one weighing protocol from a live port, as `gate decode` shows them."""

from __future__ import annotations

import asyncio
import contextlib
import json
import sys
from collections.abc import Sequence

from devices.links.serial import SerialLink
from devices.weighbridge import protocols
from devices.weighbridge.frame import Decoded, Decoder, TareFrame, WeightFrame
from devices.weighbridge.frame_object import frame_object
from gate_service.cli.decode import option_map
from gate_service.clock import RealClock


def run(
    protocol: str,
    port: str,
    *,
    count: int | None,
    seconds: float | None,
    options: Sequence[str],
    as_json: bool,  # noqa: ARG001 - one JSON object per line either way
) -> int:
    """Print frames until `count` readings came or `seconds` are over; 1 when there was none. Sends nothing."""
    decoder = protocols.create(protocol, option_map(options))
    shown = _Shown()
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(_read(port, decoder, shown, count, seconds))
    for decoded in decoder.flush():
        shown.show(decoded)
    return 0 if shown.readings else 1


class _Shown:
    """Prints one JSON object per frame, as `gate decode` does, and counts the readings."""

    def __init__(self) -> None:
        self.readings = 0

    def show(self, decoded: Decoded) -> None:
        """Print one frame."""
        print(json.dumps(frame_object(decoded), ensure_ascii=False), flush=True)
        self.readings += isinstance(decoded, WeightFrame | TareFrame)


async def _read(port: str, decoder: Decoder, shown: _Shown, count: int | None, seconds: float | None) -> None:
    done = asyncio.Event()

    def received(data: bytes, _at_s: float) -> None:
        for decoded in decoder.feed(data):
            if not done.is_set():
                shown.show(decoded)
            if count is not None and shown.readings >= count:
                done.set()

    def link_changed(fault: str | None) -> None:
        if fault is not None:
            print(fault, file=sys.stderr, flush=True)

    async with SerialLink(port, RealClock(), on_bytes=received, on_fault=link_changed):
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(done.wait(), seconds)
