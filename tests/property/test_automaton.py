"""Random events against the pure table and the interlocks: no lowering on anything, no raise but by its row, ways out.

The world here is a few booleans; what is asked of the booms is judged against it, not against what the lane believes.
"""

import os
from dataclasses import replace
from random import Random

import pytest

from gate_service.domain.reading import BoomPosition, Detector, LaneInputs, Presence, Side
from lanes import interlocks
from lanes.detectors import Sight, look
from lanes.guards import Layout, View
from lanes.interlocks import UNDER_BOOM, RaiseReason, Surroundings, forbids_lowering, forbids_raising
from lanes.states import OWNED_BY_PERSON, LaneCommand, LaneEvent, LaneState, step
from tests.fakes.lane_rig import START

STEPS = int(os.environ.get("AUTOMATON_STEPS", "20000"))
LAYOUTS = [Layout(), Layout(has_entry_barrier=False), Layout(has_weighbridge=False)]
RAISES = {
    LaneCommand.ADMIT: RaiseReason.ADMIT,
    LaneCommand.RAISE_RELEASE_BOOM: RaiseReason.RELEASE,
    LaneCommand.RAISE_TO_DIVERT: RaiseReason.DIVERT,
    LaneCommand.RAISE_TO_RETURN: RaiseReason.RETURN,
}
MAY_RAISE = {
    LaneCommand.ADMIT: {LaneState.APPROACH},
    LaneCommand.RAISE_RELEASE_BOOM: {LaneState.DECIDING, LaneState.REVIEW, LaneState.DETAINED},
    LaneCommand.RAISE_TO_DIVERT: {LaneState.REVIEW, LaneState.DETAINED},
    LaneCommand.RAISE_TO_RETURN: {LaneState.ON_PLATFORM, LaneState.WEIGHING, LaneState.REVIEW, LaneState.DETAINED},
}
ASKED = [event for event in LaneEvent if event.value.endswith(("_asked", "_attested"))]
SAFE = {
    LaneEvent.FIRE_ON: LaneState.FIRE,
    LaneEvent.RECORD_LOST: LaneState.CLOSED,
    LaneEvent.DEVICE_LOST: LaneState.FAULT,
}
RANK = [LaneState.FAULT, LaneState.CLOSED, LaneState.FIRE]


class _World:
    """Detectors, fire, age of the inputs: drawn anew a little at every step. Polls come every 50 ms."""

    def __init__(self, rng, layout):
        self.rng, self.layout = rng, layout
        self.now_s, self.sight = 100.0, Sight()
        self.detectors = dict.fromkeys(Detector, Presence.CLEAR)
        self.fire, self.is_answering = False, True
        self.clear_since_s = dict.fromkeys(Detector, self.now_s)

    def pass_time(self):
        rng = self.rng
        for _ in range(rng.choice((1, 1, 3, 12))):
            self.now_s += 0.05
            if rng.random() < 0.15:
                self.detectors[rng.choice(list(Detector))] = rng.choice([*Presence, Presence.CLEAR, Presence.CLEAR])
            if rng.random() < 0.02:
                self.fire = rng.choice((True, False, False, None))
            if rng.random() < 0.03:
                self.is_answering = rng.random() < 0.7
            if not self.is_answering:
                continue
            booms = {Side.EXIT: BoomPosition.UP, Side.ENTRY: BoomPosition.UP}
            self.sight = look(self.sight, LaneInputs(dict(self.detectors), booms, self.fire, START, self.now_s))
            for detector, presence in self.detectors.items():
                if presence is not Presence.CLEAR:
                    self.clear_since_s.pop(detector, None)
                else:
                    self.clear_since_s.setdefault(detector, self.now_s)

    def surroundings(self):
        return Surroundings(
            self.sight.inputs, self.sight.clear_since_s, self.now_s, is_closing_ours=True,
            is_platform_empty=True, is_zero_seen=True, has_weighbridge=True, has_passage=True,
        )  # fmt: skip

    def is_safe_to_lower(self, side):
        """By the truth of what was polled: fresh, no fire, clear for half a second."""
        inputs = self.sight.inputs
        if inputs is None or self.now_s - inputs.taken_monotonic_s > 0.5 or inputs.fire is not False:
            return False
        return all(self.now_s - self.clear_since_s.get(d, self.now_s) >= 0.5 - 1e-9 for d in UNDER_BOOM[side])

    def view(self):
        rng = self.rng
        return View(
            self.layout,
            **{name: rng.random() < 0.5 for name in (
                "has_passage", "is_vehicle_on_platform", "is_vehicle_at_approach", "are_booms_down", "is_fire",
                "are_devices_good", "is_record_writable", "is_release_decided", "is_for_person",
            )},
        )  # fmt: skip


def walk(seed, steps, *, forbids=forbids_lowering):
    """Violations of a random walk through the table."""
    rng = Random(seed)
    found = set()
    world, state = _World(rng, rng.choice(LAYOUTS)), LaneState.FAULT
    for count in range(steps):
        if count % 500 == 0:
            world.layout = rng.choice(LAYOUTS)
        world.pass_time()
        event, view = rng.choice(list(LaneEvent)), world.view()
        outcome = step(state, view, event)
        for command in outcome.commands:
            if command in MAY_RAISE and state not in MAY_RAISE[command]:
                found.add(f"{command} out of {state}")
        rank = RANK.index(state) if state in RANK else -1
        if event in SAFE and RANK.index(SAFE[event]) > rank and outcome.to is not SAFE[event]:
            found.add(f"{event} led from {state} to {outcome.to}")
        if not outcome.handled and (outcome.to is not state or outcome.commands):
            found.add(f"unexpected {event} did something in {state}")
        for side in Side:
            if forbids(side, world.surroundings()) is None and not world.is_safe_to_lower(side):
                found.add(f"{side} lowered on something")
        state = outcome.to
    return found


def test_no_walk_through_the_table_lowers_on_anything_or_raises_out_of_turn():
    for seed in range(4):
        assert walk(seed, STEPS // 4) == set()


def _without_fire(side, seen):
    return forbids_lowering(side, replace(seen, inputs=seen.inputs and replace(seen.inputs, fire=False)))


def _without_age(side, seen):
    taken_s = seen.inputs.taken_monotonic_s if seen.inputs else 0.0
    return forbids_lowering(side, replace(seen, now_monotonic_s=min(seen.now_monotonic_s, taken_s + 0.4)))


def _without_detectors(side, seen):
    since = dict.fromkeys(Detector, -1e9)
    inputs = seen.inputs and replace(seen.inputs, detectors=dict.fromkeys(Detector, Presence.CLEAR))
    return forbids_lowering(side, replace(seen, inputs=inputs, clear_since_s=since))


def _without_hold(side, seen):
    clear = dict.fromkeys(seen.clear_since_s, -1e9)
    return forbids_lowering(side, replace(seen, clear_since_s=clear))


@pytest.mark.parametrize("forbids", [_without_fire, _without_age, _without_detectors, _without_hold])
def test_each_interlock_taken_out_is_missed(forbids):
    assert walk(1, 4000, forbids=forbids)


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("state", list(LaneState))
def test_every_state_that_can_hold_a_vehicle_has_a_way_that_a_person_can_take(state, layout):
    view = View(
        layout, has_passage=True, is_vehicle_on_platform=layout.has_weighbridge, is_vehicle_at_approach=True,
        are_booms_down=False,
    )  # fmt: skip
    ways = [event for event in ASKED if step(state, view, event).handled]
    if state is not LaneState.IDLE:  # nobody is in an idle lane
        assert ways, state
    if state in OWNED_BY_PERSON:
        assert step(state, view, LaneEvent.TIME_IS_UP).to is state, "time decides nothing that a person owns"


@pytest.mark.parametrize("reason", [RaiseReason.ADMIT, RaiseReason.RELEASE, RaiseReason.DIVERT, RaiseReason.RETURN])
def test_no_boom_is_raised_on_inputs_that_are_old_or_without_a_vehicle(reason):
    world = _World(Random(1), Layout())
    world.pass_time()
    seen = replace(world.surroundings(), clear_since_s=dict.fromkeys(Detector, 0.0))
    assert forbids_raising(reason, replace(seen, now_monotonic_s=seen.now_monotonic_s + 10)) is not None
    assert forbids_raising(reason, replace(seen, has_passage=False)) is not None
    assert interlocks.FRESH_S <= 0.5
