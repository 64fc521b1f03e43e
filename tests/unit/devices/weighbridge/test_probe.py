import json
import random
from pathlib import Path
from typing import Any

import pytest

from devices.weighbridge.probe import fits

SAMPLES: list[dict[str, Any]] = json.loads(
    (Path(__file__).parents[3] / "golden" / "weighbridge" / "frames.json").read_text(encoding="utf-8")
)
WEIGHTS = [
    sample
    for sample in SAMPLES
    if sample["expect"]
    and sample["expect"][0]["status"] != "error"
    and not sample["options"].get("dummy_zero")
    and "fragments" not in sample["id"]
    and sample["id"] != "csv-st-gs-13"  # half of it is a fragment
]


@pytest.mark.parametrize("sample", WEIGHTS, ids=[sample["id"] for sample in WEIGHTS])
def test_a_stream_of_one_protocol_is_known_by_it(sample: dict[str, Any]) -> None:
    found = fits(b"\x33\x03" + bytes.fromhex(sample["hex"]) * 12)
    assert sample["protocol"] in [fit.protocol for fit in found]


def test_the_frame_with_a_check_comes_first() -> None:
    frame = bytes.fromhex("02 31 30 20 20 20 20 32 30 30 20 20 20 20 30 30 0D 1E")
    best = fits(frame * 10)[0]
    assert (best.protocol, dict(best.options), best.has_check) == ("toledo-continuous", {"checksum": "required"}, True)
    assert "200 kg" in best.evidence


def test_equals_frames_that_fit_both_directions_are_told_as_both() -> None:
    assert {fit.options["form"] for fit in fits(b"=0003.000" * 10)} == {"forward", "reversed"}


def test_frames_behind_a_radio_name_are_known() -> None:
    found = fits((b"weigh01T00000000000000x" + bytes.fromhex("02 2B 30 30 30 30 33 32 32 31 38 03")) * 10)
    assert [fit.protocol for fit in found] == ["xk3190-continuous"]


@pytest.mark.parametrize(
    "data",
    [
        random.Random(7).randbytes(20_000),
        b"2026-11-22 10:00:00 INFO gate opened for lane 3 after 12.5 s, 20 kg\r\n" * 100,
        b"$GPGGA,123519,4807.038,N,01131.000,E,1,08,0.9,545.4,M,46.9,M,,*47\r\n$GPRMC,123519,A*6A\r\n" * 100,
        b"",
        b"\x02" * 500,
        b" " * 500,
        b"=" * 500,
    ],
    ids=["random", "log", "position", "nothing", "start marks", "blanks", "equals"],
)
def test_what_no_indicator_sends_is_unknown(data: bytes) -> None:
    assert fits(data) == []
