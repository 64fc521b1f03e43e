"""The indicator's own encoder against published captures, and its faults by name."""

from __future__ import annotations

import pytest

from devices.simulator.indicator import FAULTS, LATE_FRAMES, Indicator, frame

# Captures and manual rows of reference/weighbridge.md 1.2, dp '0': [C] app_tools_zxw, vesy-gti, stackoverflow 48203304.
CAPTURES = [
    (0, "02 2B 30 30 30 30 30 30 30 31 42 03"),
    (1560, "02 2B 30 30 31 35 36 30 30 31 39 03"),
    (1650, "02 2B 30 30 31 36 35 30 30 31 39 03"),
    (85, "02 2B 30 30 30 30 38 35 30 31 36 03"),
    (33, "02 2B 30 30 30 30 33 33 30 31 42 03"),
    (12450, "02 2B 30 31 32 34 35 30 30 31 39 03"),
]


@pytest.mark.parametrize(("shown_kg", "expected"), CAPTURES)
def test_frames_are_those_of_real_indicators(shown_kg: int, expected: str) -> None:
    assert frame(shown_kg) == bytes.fromhex(expected)


def test_a_negative_weight_carries_its_sign_and_minus_zero_does_not_exist() -> None:
    assert frame(-20)[:8] == b"\x02-000020"
    assert Indicator(20).next_bytes(-3.0) == frame(0)


def test_the_display_is_rounded_to_the_interval() -> None:
    indicator = Indicator(20)
    assert [indicator.shown_kg(felt) for felt in (9.0, 11.0, 31_249.0, 31_251.0)] == [0, 20, 31_240, 31_260]


def test_more_than_six_digits_stay_at_the_most() -> None:
    assert frame(1_234_567)[2:8] == b"999999"


@pytest.mark.parametrize("name", ["silence", "half_open"])
def test_a_silent_indicator_sends_nothing_until_it_comes_back(name: str) -> None:
    indicator = Indicator(20)
    indicator.switch(name, on=True)
    assert indicator.next_bytes(100.0) == b""
    indicator.switch(name, on=False)
    assert indicator.next_bytes(100.0) == frame(100)


def test_a_wrong_checksum_is_the_only_thing_wrong() -> None:
    indicator = Indicator(20)
    indicator.switch("wrong_checksum", on=True)
    sent, good = indicator.next_bytes(100.0), frame(100)
    assert sent != good
    assert (sent[:9], sent[10:]) == (good[:9], good[10:])


def test_cut_frames_are_pieces_of_the_right_ones() -> None:
    indicator = Indicator(20)
    indicator.switch("cut_frames", on=True)
    for _ in range(50):
        sent = indicator.next_bytes(100.0)
        assert 0 < len(sent) < 12
        assert sent in frame(100)


def test_drift_creeps_and_ends_with_the_fault() -> None:
    indicator = Indicator(20)
    indicator.switch("drift", on=True)
    shown = [indicator.next_bytes(0.0) for _ in range(30)]
    assert shown[-1] == frame(120)
    indicator.switch("drift", on=False)
    assert indicator.next_bytes(0.0) == frame(0)


def test_late_frames_tell_of_the_past() -> None:
    indicator = Indicator(20)
    indicator.switch("late", on=True)
    sent = [indicator.next_bytes(20.0 * n) for n in range(LATE_FRAMES + 3)]
    assert sent[:LATE_FRAMES] == [b""] * LATE_FRAMES
    assert sent[LATE_FRAMES:] == [frame(0), frame(20), frame(40)]


def test_garbage_repeats_with_its_seed() -> None:
    one, same, other = Indicator(20, seed=1), Indicator(20, seed=1), Indicator(20, seed=2)
    for indicator in (one, same, other):
        indicator.switch("garbage", on=True)
    stream = [one.next_bytes(0.0) for _ in range(20)]
    assert stream == [same.next_bytes(0.0) for _ in range(20)]
    assert stream != [other.next_bytes(0.0) for _ in range(20)]


def test_an_unknown_fault_is_refused_with_the_known_ones() -> None:
    with pytest.raises(ValueError, match=FAULTS[0]):
        Indicator(20).switch("melts", on=True)
