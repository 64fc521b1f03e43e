"""Every sample frame with its meaning and source: whole, byte by byte, glued, with noise around, damaged, cut.

`frames.json` holds captures, manual examples and frames made from the layouts (`kind` says which). What a frame must
read as was written down from its source, not from what the decoder says.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from devices.weighbridge import protocols
from devices.weighbridge.frame import Decoded, Rejected, TareFrame
from devices.weighbridge.frame_object import frame_object

SAMPLES: list[dict[str, Any]] = json.loads((Path(__file__).parent / "frames.json").read_text(encoding="utf-8"))
IDS = [sample["id"] for sample in SAMPLES]
# Formats with a check over their bytes: one damaged byte may cost the frame, never change its value.
CHECKED = [
    sample
    for sample in SAMPLES
    if sample["expect"]
    and (
        sample["protocol"] in ("xk3190-continuous", "xk3190-command")
        or (sample["protocol"] == "xk3190-a12" and sample["hex"].startswith(("57", "20")))
        or (sample["protocol"] == "toledo-continuous" and len(bytes.fromhex(sample["hex"])) == 18)
    )
]
WHOLE = [sample for sample in SAMPLES if sample["expect"] and "fragments" not in sample["id"]]
# A line without end mark runs into printable noise; one where the noise reads on as its unit cannot be told from it.
LINE_NOISE = b"\x00\x00\x7f\x7f"
RADIO_NAME = b"weigh01T00000000000000x"


def decoded(sample: dict[str, Any], *chunks: bytes) -> list[Decoded]:
    decoder = protocols.create(sample["protocol"], sample["options"])
    frames = [frame for chunk in chunks for frame in decoder.feed(chunk)]
    return frames + decoder.flush()


def meanings(frames: list[Decoded]) -> list[dict[str, Any]]:
    told = [frame_object(frame) for frame in frames if isinstance(frame, TareFrame) or not isinstance(frame, Rejected)]
    return [{key: value for key, value in one.items() if key not in ("kind", "raw")} for one in told]


def as_bytes(sample: dict[str, Any]) -> bytes:
    return bytes.fromhex(sample["hex"])


@pytest.mark.parametrize("sample", SAMPLES, ids=IDS)
def test_a_sample_reads_as_its_source_says(sample: dict[str, Any]) -> None:
    assert meanings(decoded(sample, as_bytes(sample))) == sample["expect"]


@pytest.mark.parametrize("sample", SAMPLES, ids=IDS)
def test_byte_by_byte_gives_the_same_frames_and_rejects(sample: dict[str, Any]) -> None:
    data = as_bytes(sample)
    assert decoded(sample, *(data[at : at + 1] for at in range(len(data)))) == decoded(sample, data)


@pytest.mark.parametrize("sample", SAMPLES, ids=IDS)
def test_no_byte_is_lost_or_told_twice(sample: dict[str, Any]) -> None:
    data = as_bytes(sample)
    assert b"".join(frame.raw for frame in decoded(sample, data)) == data


@pytest.mark.parametrize("sample", WHOLE, ids=[sample["id"] for sample in WHOLE])
def test_three_glued_frames_are_three(sample: dict[str, Any]) -> None:
    assert meanings(decoded(sample, as_bytes(sample) * 3)) == sample["expect"] * 3


@pytest.mark.parametrize("noise", [LINE_NOISE, RADIO_NAME, b"\xff"], ids=["line noise", "radio name", "one byte"])
@pytest.mark.parametrize("sample", WHOLE, ids=[sample["id"] for sample in WHOLE])
def test_a_frame_after_noise_is_found(sample: dict[str, Any], noise: bytes) -> None:
    if sample["id"] == "toledo-continuous-07" or (sample["protocol"] == "mt-sics" and sample["hex"][:2] != "53"):
        pytest.skip("without a start mark of its own it is looked for at the beginning of a line only")
    assert meanings(decoded(sample, noise + as_bytes(sample))) == sample["expect"]


@pytest.mark.parametrize("sample", WHOLE, ids=[sample["id"] for sample in WHOLE])
def test_a_frame_before_noise_is_found(sample: dict[str, Any]) -> None:
    assert meanings(decoded(sample, as_bytes(sample) + LINE_NOISE)) == sample["expect"]


@pytest.mark.parametrize("sample", CHECKED, ids=[sample["id"] for sample in CHECKED])
def test_one_damaged_byte_never_gives_another_value(sample: dict[str, Any]) -> None:
    data = as_bytes(sample)
    for place in range(len(data)):
        for flipped in range(1, 256):
            damaged = data[:place] + bytes([data[place] ^ flipped]) + data[place + 1 :]
            for frame in meanings(decoded(sample, damaged)):
                assert frame in sample["expect"], (place, hex(flipped))


@pytest.mark.parametrize("sample", CHECKED, ids=[sample["id"] for sample in CHECKED])
def test_a_good_frame_directly_behind_a_damaged_one_is_found(sample: dict[str, Any]) -> None:
    data = as_bytes(sample)
    for place in range(len(data)):
        for flipped in range(1, 256):
            damaged = data[:place] + bytes([data[place] ^ flipped]) + data[place + 1 :]
            found = meanings(decoded(sample, damaged + data))
            assert found[-len(sample["expect"]) :] == sample["expect"], (place, hex(flipped))
            assert all(frame in sample["expect"] for frame in found), (place, hex(flipped))


@pytest.mark.parametrize("sample", CHECKED, ids=[sample["id"] for sample in CHECKED])
def test_one_lost_byte_costs_at_most_its_own_frame(sample: dict[str, Any]) -> None:
    data = as_bytes(sample) * 4
    for place in range(len(data)):
        found = meanings(decoded(sample, data[:place] + data[place + 1 :]))
        assert all(frame in sample["expect"] for frame in found), place
        assert len(found) >= 3, place


@pytest.mark.parametrize("sample", WHOLE, ids=[sample["id"] for sample in WHOLE])
def test_a_stream_joined_in_the_middle_gives_only_true_frames(sample: dict[str, Any]) -> None:
    data = as_bytes(sample)
    for cut in range(1, len(data)):
        found = meanings(decoded(sample, data[cut:] + data * 2))
        assert found[-2:] == sample["expect"] * 2, cut
        if sample in CHECKED:
            assert all(frame in sample["expect"] for frame in found), cut
