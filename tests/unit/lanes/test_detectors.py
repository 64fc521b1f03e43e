"""The crossing of the exit as two detectors tell it."""

from datetime import UTC, datetime

import pytest

from gate_service.domain.reading import BoomPosition, Detector, LaneInputs, Presence, Side
from lanes.detectors import Crossing, Sight, has_crossed, look
from lanes.interlocks import CLEAR_HOLD_S

POLL_S = 0.05
WORDS = {"0": Presence.CLEAR, "1": Presence.OCCUPIED, "?": Presence.UNKNOWN}


def _drive(steps, *, polls_each=4, beams=True):
    """Fold steps like "10" (beam, loop) into a sight; returns it and the time of the last poll."""
    sight, now_s = Sight(), 50.0
    for pair in steps:
        for _ in range(polls_each):
            now_s += POLL_S
            detectors = {Detector.EXIT_LOOP: WORDS[pair[1]], Detector.APPROACH: Presence.CLEAR}
            if beams:
                detectors[Detector.EXIT_BEAM] = WORDS[pair[0]]
            booms = {Side.EXIT: BoomPosition.UP}
            sight = look(sight, LaneInputs(detectors, booms, False, datetime(2026, 1, 1, tzinfo=UTC), now_s))
    return sight, now_s


FORWARD = ["00", "10", "11", "01", "00"]


def test_beam_then_loop_then_clear_in_order_is_a_crossing():
    sight, now_s = _drive(FORWARD)
    assert sight.crossing is Crossing.PAST_BEAM
    assert has_crossed(sight, now_s + CLEAR_HOLD_S)


def test_a_crossing_counts_only_after_both_are_clear_for_the_hold_time():
    sight, now_s = _drive(FORWARD, polls_each=1)
    assert not has_crossed(sight, now_s)


def test_a_loop_that_drops_out_over_a_coupling_ends_nothing():
    sight, now_s = _drive(["00", "10", "11", "10", "11", "01", "00"], polls_each=2)
    assert has_crossed(sight, now_s + CLEAR_HOLD_S)


def test_a_loop_that_drops_out_after_the_beam_waits_for_the_rest_of_the_vehicle():
    sight, now_s = _drive(["10", "11", "01", "00", "01"], polls_each=2)
    assert not has_crossed(sight, now_s)


@pytest.mark.parametrize("steps", [["10", "11", "10", "00"], ["10", "00"], ["00"]])
def test_a_vehicle_that_comes_back_has_not_crossed(steps):
    sight, now_s = _drive(steps, polls_each=20)
    assert not has_crossed(sight, now_s + 10)


def test_a_step_missed_is_unknown_and_no_crossing():
    sight, now_s = _drive(["11", "00"])
    assert sight.crossing is Crossing.UNKNOWN
    assert not has_crossed(sight, now_s + 10)


@pytest.mark.parametrize("blind", ["?1", "1?", "??"])
def test_inputs_unknown_during_a_crossing_make_it_unknown(blind):
    sight, now_s = _drive(["10", "11", blind, "01", "00"])
    assert sight.crossing is Crossing.UNKNOWN
    assert not has_crossed(sight, now_s + 10)


def test_without_beams_the_loop_alone_proves_the_crossing():
    sight, now_s = _drive(["-0", "-1", "-0"], beams=False)
    assert has_crossed(sight, now_s + CLEAR_HOLD_S)


def test_clear_since_begins_anew_after_every_break():
    sight, now_s = _drive(["00", "11", "00"], polls_each=3)
    assert sight.clear_since_s[Detector.EXIT_LOOP] == pytest.approx(now_s - 2 * POLL_S)


@pytest.mark.parametrize("steps", [["00", "11", "01", "00"], ["00", "10", "01", "00"], ["00", "10", "11", "00"]])
def test_two_bits_that_change_at_once_are_a_missed_step_and_no_crossing(steps):
    sight, now_s = _drive(steps)
    assert sight.crossing is Crossing.UNKNOWN
    assert not has_crossed(sight, now_s + 10)
