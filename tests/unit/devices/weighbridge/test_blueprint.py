"""What every weighing decoder must do, for the blueprint's frame: copy it for your decoder, replace what says NEW."""

from __future__ import annotations

import pytest

from devices.weighbridge._blueprint import create  # NEW: your module
from devices.weighbridge.frame import Decoded, Reason, Rejected, Status, WeightFrame

# NEW: frames as the manual prints them or as you recorded them, and what the display showed: value, unit, stable.
SAMPLES = [
    (b"$ 0123400kgSC3\r\n", "12340", "kg", True),
    (b"$-0000200kgMC2\r\n", "-20", "kg", False),
    (b"$ 0020062 tS85\r\n", "20.06", "t", True),
]
OVERLOAD = b"$ 9999990kgOEB\r\n"  # NEW
HAS_CHECK = True  # NEW
OPTIONS: dict[str, str] = {}  # NEW: the default of every option


def decoded(*chunks: bytes) -> list[Decoded]:
    decoder = create(OPTIONS)
    return [one for chunk in chunks for one in decoder.feed(chunk)] + decoder.flush()


def weights(*chunks: bytes) -> list[WeightFrame]:
    return [one for one in decoded(*chunks) if isinstance(one, WeightFrame)]


@pytest.mark.parametrize(("frame", "value", "unit", "stable"), SAMPLES)
def test_a_frame_reads_as_the_display_showed(frame: bytes, value: str, unit: str | None, stable: bool | None) -> None:
    assert [(one.value, one.unit, one.stable, one.status) for one in weights(frame)] == [
        (value, unit, stable, Status.OK)
    ]


def test_overload_has_no_value() -> None:
    assert [(one.value, one.status) for one in weights(OVERLOAD)] == [(None, Status.OVERLOAD)]


@pytest.mark.parametrize("frame", [sample[0] for sample in SAMPLES])
def test_how_the_bytes_arrive_changes_nothing(frame: bytes) -> None:
    stream = b"\x00\x7f" + frame + frame[:5] + frame * 2
    assert decoded(*(stream[at : at + 1] for at in range(len(stream)))) == decoded(stream)
    assert len(weights(stream)) == 3


@pytest.mark.parametrize("frame", [sample[0] for sample in SAMPLES])
def test_a_damaged_byte_never_gives_another_value(frame: bytes) -> None:
    for place in range(len(frame)):
        for flipped in range(1, 256):
            damaged = frame[:place] + bytes([frame[place] ^ flipped]) + frame[place + 1 :]
            if HAS_CHECK:
                assert weights(damaged) in ([], weights(frame)), (place, hex(flipped))
            assert weights(damaged + frame)[-1:] == weights(frame), (place, hex(flipped))


@pytest.mark.parametrize("frame", [sample[0] for sample in SAMPLES])
def test_a_cut_frame_is_rejected_and_the_next_one_found(frame: bytes) -> None:
    for place in range(1, len(frame)):
        assert weights(frame[:place]) == [], place
        assert weights(frame[place:] + frame) == weights(frame), place


def test_noise_is_rejected_as_such() -> None:
    assert {one.reason for one in decoded(b"no indicator says this") if isinstance(one, Rejected)} == {Reason.NOISE}
