"""The table of the automaton: its ways out, its safe states, and that time never decides for a person."""

import pytest

from lanes.guards import Layout, View
from lanes.states import (
    ANYWHERE,
    OWNED_BY_PERSON,
    STAYS_PUT,
    TRANSITIONS,
    LaneCommand,
    LaneEvent,
    LaneState,
    step,
)

RAISES = {
    LaneCommand.ADMIT,
    LaneCommand.RAISE_RELEASE_BOOM,
    LaneCommand.RAISE_TO_DIVERT,
    LaneCommand.RAISE_TO_RETURN,
}
BEFORE_THE_LANE = {LaneState.IDLE, LaneState.APPROACH, LaneState.ADMITTING}
ASKED = {event for event in LaneEvent if event.value.endswith(("_asked", "_attested"))}


def test_every_state_has_rows():
    assert set(TRANSITIONS) == set(LaneState)


@pytest.mark.parametrize("state", sorted(OWNED_BY_PERSON))
def test_time_never_leads_out_of_a_state_that_a_person_owns(state):
    assert step(state, View(has_passage=True), LaneEvent.TIME_IS_UP).to is state


@pytest.mark.parametrize("state", list(LaneState))
def test_time_never_raises_a_boom(state):
    assert not RAISES & set(step(state, View(has_passage=True), LaneEvent.TIME_IS_UP).commands)


@pytest.mark.parametrize("state", [s for s in LaneState if s is not LaneState.IDLE])
def test_a_vehicle_in_any_state_has_a_way_out(state):
    """From every state a chain of events ends in idle with the passage closed."""
    seen, edge = {state}, [state]
    while edge:
        here = edge.pop()
        for row in (*TRANSITIONS[here], *ANYWHERE):
            if row.to not in seen:
                seen.add(row.to)
                edge.append(row.to)
    assert LaneState.IDLE in seen


@pytest.mark.parametrize("state", [LaneState.REVIEW, LaneState.DETAINED, LaneState.FAULT, LaneState.FIRE])
def test_a_person_can_end_a_passage_in_every_state_that_waits_for_one(state):
    ends = {LaneEvent.CROSSING_ATTESTED, LaneEvent.DEPARTURE_ATTESTED}
    rows = {row.event: row for row in TRANSITIONS[state]}
    assert ends <= rows.keys()
    assert LaneCommand.RECORD_CROSSING in rows[LaneEvent.CROSSING_ATTESTED].ask


@pytest.mark.parametrize("state", [s for s in LaneState if s not in {LaneState.FIRE, LaneState.CLOSED}])
@pytest.mark.parametrize(
    ("event", "safe"),
    [
        (LaneEvent.FIRE_ON, LaneState.FIRE),
        (LaneEvent.RECORD_LOST, LaneState.CLOSED),
        (LaneEvent.DEVICE_LOST, LaneState.FAULT),
        (LaneEvent.BOOM_FAILED, LaneState.FAULT),
    ],
)
def test_every_failure_ends_in_its_named_safe_state_and_stops_lowering(state, event, safe):
    outcome = step(state, View(has_passage=True), event)
    assert outcome.to is safe
    assert LaneCommand.FORGET_LOWERING in outcome.commands


@pytest.mark.parametrize("event", [LaneEvent.DEVICE_LOST, LaneEvent.BOOM_FAILED])
def test_a_lesser_failure_does_not_end_a_fire(event):
    assert step(LaneState.FIRE, View(), event).to is LaneState.FIRE


def test_an_event_that_no_row_expects_changes_nothing():
    outcome = step(LaneState.IDLE, View(), LaneEvent.RELEASE_ASKED)
    assert (outcome.to, outcome.commands, outcome.handled) == (LaneState.IDLE, (), False)


def test_only_a_decision_or_a_person_raises_the_release_boom():
    for state, rows in TRANSITIONS.items():
        for row in rows:
            if LaneCommand.RAISE_RELEASE_BOOM in row.ask:
                assert (state, row.event) == (LaneState.DECIDING, LaneEvent.RELEASE_DECIDED) or row.event in ASKED


@pytest.mark.parametrize("event", [LaneEvent.DEVICES_BACK, LaneEvent.CLEAR_ASKED])
def test_a_passage_from_before_a_restart_goes_to_a_person_and_nothing_rises(event):
    view = View(has_passage=True, is_vehicle_on_platform=True, is_vehicle_at_approach=True, is_for_person=True)
    outcome = step(LaneState.FAULT, view, event)
    assert outcome.to is LaneState.REVIEW
    assert not RAISES & set(outcome.commands)


def test_a_decision_that_never_comes_is_a_persons():
    outcome = step(LaneState.DECIDING, View(has_passage=True), LaneEvent.TIME_IS_UP)
    assert outcome.to is LaneState.REVIEW
    assert not RAISES & set(outcome.commands)


def test_devices_back_lower_no_boom_by_themselves():
    outcome = step(LaneState.FAULT, View(are_booms_down=False), LaneEvent.DEVICES_BACK)
    assert not outcome.handled


def test_a_person_rearms_a_lane_with_its_boom_up():
    outcome = step(LaneState.FAULT, View(are_booms_down=False), LaneEvent.CLEAR_ASKED)
    assert outcome.to is LaneState.CLEARING
    assert LaneCommand.LOWER_EXIT_BOOM in outcome.commands


@pytest.mark.parametrize("view", [View(is_fire=True), View(are_devices_good=False), View(is_record_writable=False)])
@pytest.mark.parametrize("state", [LaneState.FAULT, LaneState.FIRE])
def test_nobody_rearms_a_lane_whose_cause_still_stands(state, view):
    assert not step(state, view, LaneEvent.CLEAR_ASKED).handled


def test_a_lane_without_entry_barrier_admits_nobody_and_weighs_who_drives_on():
    view = View(layout=Layout(has_entry_barrier=False), has_passage=True)
    assert not step(LaneState.APPROACH, view, LaneEvent.READY_TO_ADMIT).handled
    assert step(LaneState.APPROACH, view, LaneEvent.VEHICLE_ENTERED).to is LaneState.ON_PLATFORM


def test_a_lane_without_weighbridge_and_entry_barrier_decides_at_the_approach():
    view = View(layout=Layout(has_weighbridge=False, has_entry_barrier=False), has_passage=True)
    assert step(LaneState.APPROACH, view, LaneEvent.READY_TO_DECIDE).to is LaneState.DECIDING


@pytest.mark.parametrize("event", [LaneEvent.CROSSING_ATTESTED, LaneEvent.DEPARTURE_ATTESTED])
@pytest.mark.parametrize("state", [state for state in LaneState if state not in {*STAYS_PUT, *BEFORE_THE_LANE}])
def test_whoever_is_seen_to_the_end_leaves_no_boom_up(state, event):
    """A fault forgets what was to be lowered: a lane that clears with its entry boom up never got idle again."""
    outcome = step(state, View(has_passage=True), event)
    if outcome.handled:
        assert {LaneCommand.LOWER_ENTRY_BOOM, LaneCommand.LOWER_EXIT_BOOM} <= set(outcome.commands)
