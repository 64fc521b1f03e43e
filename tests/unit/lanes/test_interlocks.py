"""What forbids a boom to move: each cause alone, and that nothing else does."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from gate_service.domain.reading import BoomPosition, Detector, LaneInputs, Presence, Side
from lanes.interlocks import CLEAR_HOLD_S, FRESH_S, RaiseReason, Surroundings, forbids_lowering, forbids_raising

NOW_S = 100.0
CLEAR_ALL = dict.fromkeys(Detector, Presence.CLEAR)
INPUTS = LaneInputs(
    detectors=CLEAR_ALL,
    booms={Side.ENTRY: BoomPosition.DOWN, Side.EXIT: BoomPosition.DOWN},
    fire=False,
    taken_at=datetime(2026, 1, 1, tzinfo=UTC),
    taken_monotonic_s=NOW_S,
)
GOOD = Surroundings(
    inputs=INPUTS,
    clear_since_s=dict.fromkeys(Detector, NOW_S - 10),
    now_monotonic_s=NOW_S,
    is_closing_ours=True,
    is_platform_empty=True,
    is_zero_seen=True,
    has_weighbridge=True,
    has_passage=True,
)


def _inputs(**changes):
    return replace(GOOD, inputs=replace(INPUTS, **changes))


def _seen(detector, presence):
    clear = {d: s for d, s in GOOD.clear_since_s.items() if d is not detector or presence is Presence.CLEAR}
    return replace(_inputs(detectors={**CLEAR_ALL, detector: presence}), clear_since_s=clear)


@pytest.mark.parametrize("side", list(Side))
def test_a_boom_is_lowered_on_freshly_clear_detectors(side):
    assert forbids_lowering(side, GOOD) is None


@pytest.mark.parametrize("presence", [Presence.OCCUPIED, Presence.UNKNOWN])
@pytest.mark.parametrize(
    ("side", "detector"),
    [
        (Side.ENTRY, Detector.ENTRY_LOOP),
        (Side.ENTRY, Detector.ENTRY_BEAM),
        (Side.EXIT, Detector.EXIT_LOOP),
        (Side.EXIT, Detector.EXIT_BEAM),
    ],
)
def test_anything_but_clear_beside_a_boom_forbids_lowering(side, detector, presence):
    assert forbids_lowering(side, _seen(detector, presence)) == f"{detector}_{presence}"


@pytest.mark.parametrize(
    ("bad", "why"),
    [
        (replace(GOOD, inputs=None), "inputs_unknown"),
        (_inputs(unknown_because="link_lost"), "inputs_unknown"),
        (_inputs(taken_monotonic_s=NOW_S - FRESH_S - 0.01), "inputs_stale"),
        (_inputs(fire=True), "fire"),
        (_inputs(fire=None), "fire_input_unknown"),
        (replace(GOOD, is_closing_ours=False), "closing_belongs_to_controller"),
        (_inputs(detectors={}), "no_detector_under_boom"),
        (
            replace(GOOD, clear_since_s={**GOOD.clear_since_s, Detector.EXIT_LOOP: NOW_S - CLEAR_HOLD_S + 0.01}),
            "exit_loop_not_clear_long_enough",
        ),
    ],
)
def test_each_cause_alone_forbids_lowering(bad, why):
    assert forbids_lowering(Side.EXIT, bad) == why


def test_the_next_vehicle_at_the_approach_does_not_hold_the_exit_boom_up():
    assert forbids_lowering(Side.EXIT, _seen(Detector.APPROACH, Presence.OCCUPIED)) is None


@pytest.mark.parametrize(
    ("bad", "why"),
    [
        (replace(GOOD, is_platform_empty=False), "platform_not_empty"),
        (replace(GOOD, is_platform_empty=None), "platform_unknown"),
        (replace(GOOD, is_zero_seen=False), "no_zero_seen"),
        (replace(GOOD, has_passage=False), "no_passage"),
        (_inputs(booms={Side.ENTRY: BoomPosition.DOWN, Side.EXIT: BoomPosition.UP}), "exit_boom_not_down"),
        (_inputs(booms={Side.ENTRY: BoomPosition.DOWN, Side.EXIT: BoomPosition.UNKNOWN}), "exit_boom_not_down"),
        (_seen(Detector.EXIT_LOOP, Presence.OCCUPIED), "exit_loop_occupied"),
        (_inputs(taken_monotonic_s=NOW_S - 5), "inputs_stale"),
    ],
)
def test_each_cause_alone_forbids_admitting(bad, why):
    assert forbids_raising(RaiseReason.ADMIT, bad) == why


def test_a_vehicle_is_admitted_to_an_empty_platform_with_a_zero_seen():
    occupied = _seen(Detector.APPROACH, Presence.OCCUPIED)
    assert forbids_raising(RaiseReason.ADMIT, occupied) is None


def test_backing_out_needs_the_approach_proven_empty():
    assert forbids_raising(RaiseReason.RETURN, GOOD) is None
    assert forbids_raising(RaiseReason.RETURN, _seen(Detector.APPROACH, Presence.OCCUPIED)) == "approach_occupied"
    assert forbids_raising(RaiseReason.RETURN, _seen(Detector.APPROACH, Presence.UNKNOWN)) == "approach_unknown"


def test_an_emergency_is_never_forbidden():
    blind = replace(GOOD, inputs=None, has_passage=False)
    assert forbids_raising(RaiseReason.EMERGENCY, blind) is None
