"""What forbids a boom to move: each cause alone, and that nothing else does."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from gate_service.domain.reading import BoomPosition, Detector, LaneInputs, Presence, Side
from lanes.interlocks import (
    CLEAR_HOLD_S,
    FRESH_S,
    RaiseReason,
    Surroundings,
    forbids_lowering,
    forbids_raising,
    forbids_turning,
    waits_for_other,
)

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
    is_at_zero=True,
    is_upstream_red=True,
    far_clear_since_s=NOW_S - 10,
    is_all_red=True,
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
        (replace(GOOD, is_at_zero=False), "not_at_zero"),
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
    assert forbids_raising(RaiseReason.RETURN, replace(GOOD, is_upstream_red=False)) == "upstream_not_red"
    blind = {d: p for d, p in CLEAR_ALL.items() if d is not Detector.APPROACH}
    assert forbids_raising(RaiseReason.RETURN, _inputs(detectors=blind)) == "no_detector_at_approach"
    assert forbids_raising(RaiseReason.RETURN, _seen(Detector.APPROACH, Presence.OCCUPIED)) == "approach_occupied"
    assert forbids_raising(RaiseReason.RETURN, _seen(Detector.APPROACH, Presence.UNKNOWN)) == "approach_unknown"


@pytest.mark.parametrize(
    ("bad", "why"),
    [
        (replace(GOOD, has_passage=False, inputs=None), "inputs_unknown"),
        (replace(GOOD, has_passage=True), "passage"),
        (replace(_inputs(taken_monotonic_s=NOW_S - 5), has_passage=False), "inputs_stale"),
        (replace(_inputs(fire=None), has_passage=False), "fire_input_unknown"),
        (
            replace(_inputs(booms={Side.ENTRY: BoomPosition.UP, Side.EXIT: BoomPosition.DOWN}), has_passage=False),
            "entry_boom_not_down",
        ),
        (replace(GOOD, has_passage=False, is_platform_empty=None), "platform_unknown"),
        (replace(_seen(Detector.APPROACH, Presence.OCCUPIED), has_passage=False), "approach_occupied"),
        (replace(_seen(Detector.EXIT_LOOP, Presence.UNKNOWN), has_passage=False), "exit_loop_unknown"),
        (replace(GOOD, has_passage=False, far_clear_since_s=None), "far_approach_not_clear"),
        (replace(GOOD, has_passage=False, far_clear_since_s=NOW_S - 0.1), "far_approach_not_clear"),
        (replace(GOOD, has_passage=False, is_all_red=False), "lights_not_red"),
    ],
)
def test_each_cause_alone_forbids_turning_a_reversible_lane(bad, why):
    assert forbids_turning(bad) == why
    assert forbids_turning(replace(GOOD, has_passage=False)) is None


@pytest.mark.parametrize("position", [p for p in BoomPosition if p is not BoomPosition.DOWN])
def test_in_an_interlocked_pair_one_boom_waits_until_the_other_is_seen_down(position):
    seen = _inputs(booms={Side.ENTRY: position, Side.EXIT: BoomPosition.DOWN})
    assert waits_for_other(Side.EXIT, seen) is None  # the site does not want it
    assert waits_for_other(Side.EXIT, replace(seen, is_pair=True)) == "entry_boom_not_down"
    assert waits_for_other(Side.ENTRY, replace(seen, is_pair=True)) is None


def test_a_boom_under_a_lease_is_not_lowered_and_the_other_one_is():
    held = replace(GOOD, held_open=frozenset({Side.EXIT}))
    assert forbids_lowering(Side.EXIT, held) == "held_open"
    assert forbids_lowering(Side.ENTRY, held) is None


def test_an_emergency_is_never_forbidden():
    blind = replace(GOOD, inputs=None, has_passage=False)
    assert forbids_raising(RaiseReason.EMERGENCY, blind) is None
