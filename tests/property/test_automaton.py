"""Random events against the pure table and the interlocks: no lowering on anything, no raise but by its row, ways out.

The world here is a few booleans; what is asked of the booms is judged against it, not against what the lane believes.
Every interlock is taken out in turn, and the judge must see it.
"""

import os
from random import Random

import pytest

from gate_service.domain.reading import BoomPosition, Detector, LaneInputs, Presence, Side
from lanes import interlocks
from lanes.detectors import Sight, look
from lanes.guards import Layout, View
from lanes.interlocks import UNDER_BOOM, RaiseReason, Surroundings, forbids_lowering, forbids_raising, forbids_turning
from lanes.states import OWNED_BY_PERSON, LaneCommand, LaneEvent, LaneState, step
from tests.fakes.lane_rig import START

STEPS = int(os.environ.get("AUTOMATON_STEPS", "16000"))
LAYOUTS = [
    Layout(),
    Layout(has_entry_barrier=False),
    Layout(has_weighbridge=False),
    Layout(has_weighbridge=False, has_entry_barrier=False),
    Layout(is_reversible=True),
]
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
    LaneEvent.BOOM_FAILED: LaneState.FAULT,
    LaneEvent.EMERGENCY_RAISED: LaneState.FAULT,
}
RANK = [LaneState.FAULT, LaneState.CLOSED, LaneState.FIRE]
FLAGS = [
    "has_passage",
    "is_vehicle_on_platform",
    "is_vehicle_at_approach",
    "are_booms_down",
    "is_fire",
    "are_devices_good",
    "is_record_writable",
    "is_release_decided",
    "is_let_forward",
    "is_for_person",
    "is_vehicle_sure",
    "is_somebody_inside",
]
BEYOND = (Detector.ENTRY_BEAM, Detector.EXIT_BEAM, Detector.EXIT_LOOP)


class _World:
    """Detectors, fire, age of the inputs: drawn anew a little at every step. Polls come every 50 ms."""

    def __init__(self, rng, layout):
        self.rng, self.layout = rng, layout
        self.now_s, self.sight = 100.0, Sight()
        self.detectors = dict.fromkeys(Detector, Presence.CLEAR)
        self.fire, self.is_answering, self.is_known = False, True, True
        self.clear_since_s = dict.fromkeys(Detector, self.now_s)
        self.far, self.far_since_s = Presence.CLEAR, self.now_s
        self.booms = dict.fromkeys(Side, BoomPosition.DOWN)
        self.facts = {}

    def pass_time(self):
        rng = self.rng
        for _ in range(rng.choice((1, 1, 3, 12, 24))):
            self.now_s += 0.05
            if rng.random() < 0.1:
                self.detectors[rng.choice(list(Detector))] = rng.choice([*Presence, *[Presence.CLEAR] * 4])
            if rng.random() < 0.02:
                self.fire = rng.choice((True, False, False, False, None))
            if rng.random() < 0.03:
                self.is_answering, self.is_known = rng.random() < 0.8, rng.random() < 0.9
            if rng.random() < 0.05:
                self.far = rng.choice([*Presence, *[Presence.CLEAR] * 4])
            if rng.random() < 0.05:
                self.booms[rng.choice(list(Side))] = rng.choice([*BoomPosition, *[BoomPosition.DOWN] * 6])
            if self.is_answering:
                self._poll()
        self.facts = {
            "is_closing_ours": rng.random() < 0.95,
            "is_platform_empty": rng.choice((True, True, True, True, False, None)),
            "is_zero_seen": rng.random() < 0.9,
            "has_weighbridge": rng.random() < 0.8,
            "has_passage": rng.random() < 0.5,
            "is_at_zero": rng.random() < 0.9,
            "is_upstream_red": rng.random() < 0.9,
            "is_all_red": rng.random() < 0.9,
            "held_open": frozenset(side for side in Side if rng.random() < 0.1),
        }

    def _poll(self):
        blind = self.rng.random() < 0.02
        self.polled = {} if blind else dict(self.detectors)  # a lane that has no detector there
        self.sight = look(
            self.sight,
            LaneInputs(
                self.polled, dict(self.booms), self.fire, START, self.now_s, far_approach=self.far,
                unknown_because=None if self.is_known else "link_lost",
            ),
        )  # fmt: skip
        for detector in Detector:
            if self.polled.get(detector) is not Presence.CLEAR:
                self.clear_since_s.pop(detector, None)
            else:
                self.clear_since_s.setdefault(detector, self.now_s)
        self.far_since_s = (self.far_since_s or self.now_s) if self.far is Presence.CLEAR else None

    def surroundings(self):
        return Surroundings(
            inputs=self.sight.inputs, clear_since_s=self.sight.clear_since_s, now_monotonic_s=self.now_s,
            far_clear_since_s=self.sight.far_clear_since_s, **self.facts,
        )  # fmt: skip

    def _is_knowledge(self):
        inputs = self.sight.inputs
        is_new = inputs is not None and self.now_s - inputs.taken_monotonic_s <= 0.5
        return is_new and inputs.unknown_because is None

    def _are_clear(self, detectors):
        """By the truth of what was polled: there, and clear for half a second."""
        there = [d for d in detectors if d in self.sight.inputs.detectors]
        return all(self.now_s - self.clear_since_s.get(d, self.now_s) >= 0.5 - 1e-9 for d in there)

    def may_lower(self, side):
        if not self._is_knowledge() or self.sight.inputs.fire is not False or side in self.facts["held_open"]:
            return False
        is_watched = any(d in self.sight.inputs.detectors for d in UNDER_BOOM[side])
        return self.facts["is_closing_ours"] and is_watched and self._are_clear(UNDER_BOOM[side])

    def _is_platform_good(self):
        facts = self.facts
        return not facts["has_weighbridge"] or (
            facts["is_platform_empty"] is True and facts["is_zero_seen"] and facts["is_at_zero"]
        )

    def may_raise(self, reason):
        if not self._is_knowledge() or not self.facts["has_passage"]:
            return False
        inputs = self.sight.inputs
        if reason is RaiseReason.ADMIT:
            is_shut = inputs.booms[Side.EXIT] is BoomPosition.DOWN
            return is_shut and self._is_platform_good() and self._are_clear(BEYOND)
        if reason is RaiseReason.RETURN:
            is_seen = Detector.APPROACH in inputs.detectors
            return is_seen and self._are_clear([Detector.APPROACH]) and self.facts["is_upstream_red"]
        return True

    def may_turn(self):
        if not self._is_knowledge() or self.facts["has_passage"] or self.sight.inputs.fire is not False:
            return False
        is_far_clear = self.far_since_s is not None and self.now_s - self.far_since_s >= 0.5 - 1e-9
        is_empty = not self.facts["has_weighbridge"] or self.facts["is_platform_empty"] is True
        are_down = all(place is BoomPosition.DOWN for place in self.sight.inputs.booms.values())
        return is_far_clear and is_empty and are_down and self._are_clear(Detector) and self.facts["is_all_red"]

    def view(self):
        rng = self.rng
        return View(self.layout, **{name: rng.random() < 0.5 for name in FLAGS})


REASONS = [RaiseReason.ADMIT, RaiseReason.RELEASE, RaiseReason.DIVERT, RaiseReason.RETURN]


def _judge_booms(world, found):
    seen = world.surroundings()
    for side in Side:
        if forbids_lowering(side, seen) is None and not world.may_lower(side):
            found.add(f"{side} lowered on something")
    for reason in REASONS:
        if forbids_raising(reason, seen) is None and not world.may_raise(reason):
            found.add(f"raised for {reason}")
    if forbids_turning(seen) is None and not world.may_turn():
        found.add("turned")


def _judge_step(state, view, event, outcome, found):
    for command in outcome.commands:
        if command in MAY_RAISE and state not in MAY_RAISE[command]:
            found.add(f"{command} out of {state}")
    rank = RANK.index(state) if state in RANK else -1
    if event in SAFE and RANK.index(SAFE[event]) > rank and outcome.to is not SAFE[event]:
        found.add(f"{event} led from {state} to {outcome.to}")
    if not outcome.handled and (outcome.to is not state or outcome.commands):
        found.add(f"unexpected {event} did something in {state}")
    if state is not LaneState.IDLE and not any(step(state, view, asked).handled for asked in ASKED):
        found.add(f"no way out of {state}")


def walk(seed, steps):
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
        _judge_step(state, view, event, outcome, found)
        _judge_booms(world, found)
        state = outcome.to
    return found


def test_no_walk_through_the_table_lowers_on_anything_or_raises_out_of_turn():
    for seed in range(4):
        assert walk(seed, STEPS // 4) == set()


def test_the_walk_lowers_raises_and_turns_at_all():
    """A judge that never saw a movement allowed would prove nothing."""
    world = _World(Random(7), Layout())
    allowed = set()
    for _ in range(3000):
        world.pass_time()
        seen = world.surroundings()
        allowed |= {str(side) for side in Side if forbids_lowering(side, seen) is None}
        allowed |= {str(reason) for reason in REASONS if forbids_raising(reason, seen) is None}
        allowed |= {"turn"} if forbids_turning(seen) is None else set()
    assert allowed == {"entry", "exit", "admit", "release", "divert", "return", "turn"}


TABLES = [(table, name) for table in ("LOWERING", "RAISING", "TURNING") for name in getattr(interlocks, table)]


@pytest.mark.parametrize(("table", "name"), TABLES)
def test_each_interlock_taken_out_is_missed(monkeypatch, table, name):
    left = {key: rule for key, rule in getattr(interlocks, table).items() if key != name}
    monkeypatch.setattr(interlocks, table, left)
    rng = Random(3)
    world, found = _World(rng, Layout()), set()
    for _ in range(30_000):
        world.pass_time()
        _judge_booms(world, found)
        if found:
            return
    pytest.fail(f"without {table} {name} nothing was seen in 30000 steps")


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


def test_a_row_of_the_table_taken_out_of_a_safe_state_is_missed(monkeypatch):
    """The checker can fail: without its way out a state is seen to be a trap."""
    from lanes import states

    monkeypatch.setitem(states.ROWS, LaneState.CLOSED, {})
    assert any("no way out of closed" in found for found in walk(1, 3000))
