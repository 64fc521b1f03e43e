"""The lane automaton: everything that affects a lane's state lives in this table, and nothing else does.

`step` looks for the first row of the present state whose event and guard match; then for a row that holds in any
state. An event that no row expects changes nothing (`handled` False) and is recorded by the controller. States that
wait for a person never end by time: `TIME_IS_UP` only escalates. On any failure the lane goes to a named safe state
(`FAULT`, `FIRE`, `CLOSED`), never back to the initial one. The diagram in `docs/lane.md` is drawn from this table.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from lanes import guards
from lanes.guards import View
from lanes.words import LaneCommand, LaneEvent, LaneState

__all__ = [
    "ANYWHERE",
    "OWNED_BY_PERSON",
    "ROWS",
    "STAYS_PUT",
    "TRANSITIONS",
    "Guard",
    "LaneCommand",
    "LaneEvent",
    "LaneState",
    "Row",
    "Step",
    "is_guarded",
    "step",
]

Guard = Callable[[View], bool]


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the table."""

    event: LaneEvent
    to: LaneState
    ask: tuple[LaneCommand, ...] = ()
    when: Guard | None = None


@dataclass(frozen=True, slots=True)
class Step:
    """Where an event leads and what it asks for."""

    to: LaneState
    commands: tuple[LaneCommand, ...]
    handled: bool


_S, _E, _C = LaneState, LaneEvent, LaneCommand

_WAYS_OUT: Final = (
    Row(_E.RELEASE_ASKED, _S.OPENING, (_C.RAISE_RELEASE_BOOM,)),
    Row(_E.DIVERT_ASKED, _S.DIVERTING, (_C.RAISE_TO_DIVERT,)),
    Row(_E.RETURN_ASKED, _S.RETURNING, (_C.RAISE_TO_RETURN,), when=guards.has_entry),
    Row(_E.RETURN_ASKED, _S.RETURNING),
    Row(_E.VEHICLE_WITHDREW, _S.CLEARING, (_C.RECORD_DEPARTURE, _C.LOWER_ENTRY_BOOM), when=guards.was_held),
)
_TAKE_OVER: Final = (Row(_E.HOLD_ASKED, _S.REVIEW, (_C.LOWER_ENTRY_BOOM,)),)  # a person, whatever the lane waits for
_SEEN_TO_END: Final = (  # a person saw where it went, the detectors did not
    Row(_E.CROSSING_ATTESTED, _S.CLEARING, (_C.RECORD_CROSSING, _C.LOWER_ENTRY_BOOM, _C.LOWER_EXIT_BOOM)),
    Row(_E.DEPARTURE_ATTESTED, _S.CLEARING, (_C.RECORD_DEPARTURE, _C.LOWER_ENTRY_BOOM, _C.LOWER_EXIT_BOOM)),
)
_ASK_AGAIN: Final = (
    Row(_E.FACTS_CHANGED, _S.DECIDING, (_C.DECIDE,)),
    Row(_E.REWEIGH_ASKED, _S.ON_PLATFORM, (_C.START_WEIGHING,), when=guards.weighs),
    Row(_E.TIME_IS_UP, _S.REVIEW, (_C.ESCALATE,)),
)
_MOTION: Final = (_C.RECORD_UNEXPLAINED, _C.ESCALATE)
_SECOND_ON_ONE: Final = (_C.NOTE_OBSERVED, _C.RECORD_UNEXPLAINED, _C.ESCALATE)


def _told_in(state: LaneState) -> tuple[Row, ...]:
    """Motion that changes nothing of what this state waits for: told, shown, and a person is called."""
    return (Row(_E.FOLLOWED_IN, state, _SECOND_ON_ONE), Row(_E.WRONG_WAY, state, _MOTION))


_NO_LONGER_ALONE: Final = (
    # Two vehicles on one decision: nothing is released by itself any more.
    Row(_E.FOLLOWED_IN, _S.REVIEW, _SECOND_ON_ONE),
)


def _crossed_in(state: LaneState) -> tuple[Row, ...]:
    """A safe state stays as it is; a crossing that the detectors prove is recorded all the same."""
    return (
        Row(_E.CROSSED, state, (_C.RECORD_CROSSING,), when=guards.was_let_go),
        Row(_E.CROSSED, state, (_C.RECORD_UNEXPLAINED,)),  # by the local button: booked, and a person says where it is
        Row(_E.CROSSED_UNKNOWN, state, (_C.RECORD_UNEXPLAINED,)),
        Row(_E.TAILGATED, state, (_C.RECORD_UNEXPLAINED,)),
        Row(_E.FOLLOWED_IN, state, (_C.RECORD_UNEXPLAINED,)),
        Row(_E.WRONG_WAY, state, (_C.RECORD_UNEXPLAINED,)),
    )


_TAKE_UP_STRANGER: Final = (_C.OPEN_PASSAGE, _C.START_WEIGHING)
_RESUME: Final = (
    # A vehicle that no passage knows: the person who looked lets it be weighed and judged as any other.
    Row(_E.CLEAR_ASKED, _S.ON_PLATFORM, _TAKE_UP_STRANGER, when=guards.stranger_on_platform),
    Row(_E.CLEAR_ASKED, _S.IDLE, when=guards.can_work_empty),
    Row(_E.CLEAR_ASKED, _S.CLEARING, (_C.LOWER_ENTRY_BOOM, _C.LOWER_EXIT_BOOM), when=guards.can_work_boom_up),
    Row(_E.CLEAR_ASKED, _S.ON_PLATFORM, (_C.START_WEIGHING,), when=guards.undecided_on_platform),
    Row(_E.CLEAR_ASKED, _S.APPROACH, when=guards.undecided_at_approach),
    Row(_E.CLEAR_ASKED, _S.REVIEW, when=guards.needs_person),
)

TRANSITIONS: Final[dict[LaneState, tuple[Row, ...]]] = {
    _S.IDLE: (
        Row(_E.VEHICLE_ARRIVED, _S.APPROACH, (_C.OPEN_PASSAGE,)),
        Row(_E.WRONG_WAY, _S.FAULT, _MOTION),
        Row(_E.LIGHT_LOAD, _S.IDLE, _MOTION),  # admits nobody until the platform is at zero again
        Row(_E.UNEXPLAINED_MOTION, _S.FAULT, (_C.RECORD_UNEXPLAINED, _C.ESCALATE)),
        Row(_E.TURN_ASKED, _S.IDLE, when=guards.can_turn),
        Row(_E.CLOSE_ASKED, _S.CLOSED),
    ),
    _S.APPROACH: (
        Row(_E.READY_TO_ADMIT, _S.ADMITTING, (_C.ADMIT,), when=guards.has_entry_and_more),
        Row(_E.VEHICLE_ENTERED, _S.ON_PLATFORM, (_C.START_WEIGHING,), when=guards.open_platform),
        Row(_E.READY_TO_DECIDE, _S.DECIDING, (_C.DECIDE,), when=guards.decides_at_approach),
        Row(_E.VEHICLE_WITHDREW, _S.IDLE, (_C.RECORD_DEPARTURE,)),
        Row(_E.DEPARTURE_ATTESTED, _S.IDLE, (_C.RECORD_DEPARTURE,)),
        Row(_E.LIGHT_LOAD, _S.APPROACH, _MOTION),
        *_told_in(_S.APPROACH),
        *_TAKE_OVER,
        Row(_E.TIME_IS_UP, _S.APPROACH, (_C.ESCALATE,)),
    ),
    _S.ADMITTING: (
        Row(_E.ADMITTANCE_LOST, _S.APPROACH),
        Row(_E.VEHICLE_ENTERED, _S.ON_PLATFORM, (_C.START_WEIGHING,)),
        Row(_E.VEHICLE_WITHDREW, _S.CLEARING, (_C.RECORD_DEPARTURE, _C.LOWER_ENTRY_BOOM)),
        Row(_E.DEPARTURE_ATTESTED, _S.CLEARING, (_C.RECORD_DEPARTURE, _C.LOWER_ENTRY_BOOM)),
        *_told_in(_S.ADMITTING),
        *_TAKE_OVER,
        Row(_E.TIME_IS_UP, _S.ADMITTING, (_C.ESCALATE,)),
    ),
    _S.ON_PLATFORM: (
        Row(_E.WHOLE_ON_PLATFORM, _S.WEIGHING, (_C.LOWER_ENTRY_BOOM,)),
        Row(_E.VEHICLE_WITHDREW, _S.CLEARING, (_C.RECORD_DEPARTURE, _C.LOWER_ENTRY_BOOM)),
        Row(_E.READY_TO_DECIDE, _S.DECIDING, (_C.LOWER_ENTRY_BOOM, _C.DECIDE)),
        Row(_E.RETURN_ASKED, _S.RETURNING, (_C.RAISE_TO_RETURN,), when=guards.has_entry),
        Row(_E.LONGER_THAN_DECK, _S.ON_PLATFORM, (_C.NOTE_OBSERVED,)),  # judged without a weight, at once
        Row(_E.LIGHT_LOAD, _S.ON_PLATFORM, (_C.NOTE_OBSERVED,)),  # a motorcycle: judged without a weight
        Row(_E.SUDDEN_LOAD, _S.ON_PLATFORM, (_C.NOTE_OBSERVED,)),
        *_NO_LONGER_ALONE,
        Row(_E.WRONG_WAY, _S.ON_PLATFORM, _MOTION),
        *_TAKE_OVER,
        Row(_E.TIME_IS_UP, _S.ON_PLATFORM, (_C.ESCALATE,)),
    ),
    _S.WEIGHING: (
        Row(_E.NOT_WHOLE, _S.ON_PLATFORM, (_C.START_WEIGHING, _C.FORGET_LOWERING)),
        Row(_E.READY_TO_DECIDE, _S.DECIDING, (_C.DECIDE,)),
        Row(_E.VEHICLE_WITHDREW, _S.CLEARING, (_C.RECORD_DEPARTURE, _C.LOWER_ENTRY_BOOM)),
        Row(_E.RETURN_ASKED, _S.RETURNING, (_C.RAISE_TO_RETURN,), when=guards.has_entry),
        Row(_E.SUDDEN_LOAD, _S.WEIGHING, (_C.NOTE_OBSERVED,)),  # no weight of a vehicle that drove on: a person decides
        *_NO_LONGER_ALONE,
        Row(_E.WRONG_WAY, _S.WEIGHING, _MOTION),
        *_TAKE_OVER,
        Row(_E.TIME_IS_UP, _S.WEIGHING, (_C.ESCALATE,)),
    ),
    _S.DECIDING: (
        Row(_E.RELEASE_DECIDED, _S.OPENING, (_C.RAISE_RELEASE_BOOM,)),
        Row(_E.PERSON_NEEDED, _S.REVIEW),
        Row(_E.DETAIN_DECIDED, _S.DETAINED, (_C.ESCALATE,)),
        Row(_E.FACTS_CHANGED, _S.DECIDING, (_C.DECIDE,)),
        Row(_E.VEHICLE_WITHDREW, _S.CLEARING, (_C.RECORD_DEPARTURE, _C.LOWER_ENTRY_BOOM)),
        *_NO_LONGER_ALONE,
        Row(_E.WRONG_WAY, _S.DECIDING, _MOTION),
        *_TAKE_OVER,
        Row(_E.TIME_IS_UP, _S.REVIEW, (_C.ESCALATE,)),  # a decision that never came, by our fault
    ),
    _S.REVIEW: (
        *_WAYS_OUT,
        *_SEEN_TO_END,
        *_ASK_AGAIN,
        Row(_E.HOLD_ASKED, _S.DETAINED),
        Row(_E.WEIGHT_MOVED, _S.REVIEW, (_C.NOTE_OBSERVED, _C.ESCALATE)),
        *_told_in(_S.REVIEW),
        Row(_E.CLEAR_ASKED, _S.APPROACH, (_C.TAKE_UP, _C.LOWER_EXIT_BOOM), when=guards.stands_before_the_lane),
    ),
    _S.DETAINED: (
        *_WAYS_OUT,
        *_SEEN_TO_END,
        Row(_E.FACTS_CHANGED, _S.DECIDING, (_C.DECIDE,)),
        Row(_E.WEIGHT_MOVED, _S.DETAINED, (_C.NOTE_OBSERVED, _C.ESCALATE)),
        *_told_in(_S.DETAINED),
        Row(_E.TIME_IS_UP, _S.DETAINED, (_C.ESCALATE,)),
    ),
    _S.OPENING: (
        Row(_E.RELEASE_BOOM_UP, _S.LEAVING),
        Row(_E.CROSSED, _S.CLEARING, (_C.RECORD_CROSSING, _C.LOWER_EXIT_BOOM, _C.LOWER_ENTRY_BOOM)),
        Row(_E.HOLD_ASKED, _S.REVIEW, (_C.LOWER_EXIT_BOOM,)),
        *_SEEN_TO_END,
        *_told_in(_S.OPENING),
        Row(_E.TIME_IS_UP, _S.OPENING, (_C.ESCALATE,)),
    ),
    _S.LEAVING: (
        # The lowering is intended as soon as the vehicle is under the boom; when it happens the interlocks say.
        Row(_E.UNDER_RELEASE_BOOM, _S.CLEARING, (_C.LOWER_EXIT_BOOM,)),
        Row(_E.CROSSED, _S.CLEARING, (_C.RECORD_CROSSING, _C.LOWER_EXIT_BOOM, _C.LOWER_ENTRY_BOOM)),
        # With the exit boom up a vehicle that is seen no more may have gone either way: a person says which.
        Row(_E.VEHICLE_WITHDREW, _S.REVIEW, (_C.LOWER_EXIT_BOOM, _C.ESCALATE)),
        Row(_E.HOLD_ASKED, _S.REVIEW, (_C.LOWER_EXIT_BOOM,)),
        *_SEEN_TO_END,
        *_told_in(_S.LEAVING),
        Row(_E.TIME_IS_UP, _S.LEAVING, (_C.ESCALATE,)),
    ),
    _S.CLEARING: (
        Row(_E.CROSSED, _S.CLEARING, (_C.RECORD_CROSSING, _C.LOWER_EXIT_BOOM, _C.LOWER_ENTRY_BOOM)),
        Row(
            _E.SECOND_VEHICLE, _S.ON_PLATFORM, (_C.RECORD_UNEXPLAINED, _C.OPEN_PASSAGE, _C.START_WEIGHING, _C.ESCALATE)
        ),
        # Behind the one that crossed another one came in, and stands where no weight tells it: a person takes it up.
        Row(_E.CLEAR_ASKED, _S.ON_PLATFORM, _TAKE_UP_STRANGER, when=guards.somebody_is_left),
        Row(_E.LANE_CLEAR, _S.IDLE, when=lambda view: not view.has_passage),
        Row(_E.LANE_CLEAR, _S.REVIEW, when=lambda view: view.has_passage),  # rolled back: authorised, boom down again
        *_SEEN_TO_END,
        Row(_E.HOLD_ASKED, _S.REVIEW, (_C.LOWER_EXIT_BOOM,), when=lambda view: view.has_passage),  # let go, but stands
        Row(_E.CROSSED_UNKNOWN, _S.CLEARING, _MOTION),  # followed on one decision
        Row(_E.TAILGATED, _S.CLEARING, _MOTION),  # close behind: the boom stays up over both
        *_told_in(_S.CLEARING),
        Row(_E.TIME_IS_UP, _S.CLEARING, (_C.ESCALATE,)),
    ),
    _S.RETURNING: (
        Row(_E.VEHICLE_WITHDREW, _S.CLEARING, (_C.RECORD_DEPARTURE, _C.LOWER_ENTRY_BOOM, _C.LOWER_EXIT_BOOM)),
        # Somebody drove up behind it: it must not back into them. It stands where it was; the light is red again.
        Row(_E.WAY_BLOCKED, _S.REVIEW, (_C.LOWER_ENTRY_BOOM, _C.ESCALATE)),
        Row(_E.HOLD_ASKED, _S.REVIEW, (_C.LOWER_ENTRY_BOOM,)),
        *_SEEN_TO_END,
        *_told_in(_S.RETURNING),
        Row(_E.TIME_IS_UP, _S.RETURNING, (_C.ESCALATE,)),
    ),
    _S.DIVERTING: (
        Row(_E.UNDER_RELEASE_BOOM, _S.CLEARING, (_C.LOWER_EXIT_BOOM,)),
        Row(_E.CROSSED, _S.CLEARING, (_C.RECORD_CROSSING, _C.LOWER_EXIT_BOOM, _C.LOWER_ENTRY_BOOM)),
        *_SEEN_TO_END,
        # With the exit boom up a vehicle that is seen no more may have gone either way: a person says which.
        Row(_E.VEHICLE_WITHDREW, _S.REVIEW, (_C.LOWER_EXIT_BOOM, _C.ESCALATE)),
        Row(_E.HOLD_ASKED, _S.REVIEW, (_C.LOWER_EXIT_BOOM,)),
        *_told_in(_S.DIVERTING),
        Row(_E.TIME_IS_UP, _S.DIVERTING, (_C.ESCALATE,)),
    ),
    _S.CLOSED: (
        Row(_E.TURN_ASKED, _S.CLOSED, when=guards.can_turn),
        Row(_E.OPEN_ASKED, _S.IDLE, when=guards.can_work_empty),
        Row(_E.OPEN_ASKED, _S.CLEARING, (_C.LOWER_ENTRY_BOOM, _C.LOWER_EXIT_BOOM), when=guards.can_work_boom_up),
        Row(_E.OPEN_ASKED, _S.REVIEW, when=guards.needs_person),
        Row(_E.CROSSING_ATTESTED, _S.CLOSED, (_C.RECORD_CROSSING,)),
        Row(_E.DEPARTURE_ATTESTED, _S.CLOSED, (_C.RECORD_DEPARTURE,)),
        *_crossed_in(_S.CLOSED),
    ),
    _S.FAULT: (
        # Back by itself only where no boom has to move for it; otherwise a person re-arms.
        Row(_E.DEVICES_BACK, _S.IDLE, when=guards.can_work_empty),
        Row(_E.DEVICES_BACK, _S.ON_PLATFORM, (_C.START_WEIGHING,), when=guards.undecided_on_platform),
        Row(_E.DEVICES_BACK, _S.APPROACH, when=guards.undecided_at_approach),
        Row(_E.DEVICES_BACK, _S.REVIEW, (_C.ESCALATE,), when=guards.needs_person),
        *_RESUME,
        Row(_E.CROSSING_ATTESTED, _S.FAULT, (_C.RECORD_CROSSING,)),
        Row(_E.DEPARTURE_ATTESTED, _S.FAULT, (_C.RECORD_DEPARTURE,)),
        *_crossed_in(_S.FAULT),
        Row(_E.CLOSE_ASKED, _S.CLOSED),
        Row(_E.TIME_IS_UP, _S.FAULT, (_C.ESCALATE,)),
    ),
    _S.FIRE: (
        Row(_E.FIRE_OFF, _S.FIRE, (_C.ESCALATE,)),  # a person re-arms each lane
        *_RESUME,
        Row(_E.CROSSING_ATTESTED, _S.FIRE, (_C.RECORD_CROSSING,)),
        Row(_E.DEPARTURE_ATTESTED, _S.FIRE, (_C.RECORD_DEPARTURE,)),
        *_crossed_in(_S.FIRE),
    ),
}
"""Rows of each state, tried in order."""

ANYWHERE: Final = (
    Row(_E.FIRE_ON, _S.FIRE, (_C.FORGET_LOWERING, _C.ESCALATE)),
    Row(_E.RECORD_LOST, _S.CLOSED, (_C.FORGET_LOWERING, _C.ESCALATE)),
    Row(_E.DEVICE_LOST, _S.FAULT, (_C.FORGET_LOWERING, _C.ESCALATE)),
    Row(_E.BOOM_FAILED, _S.FAULT, (_C.FORGET_LOWERING, _C.ESCALATE)),
    Row(_E.EMERGENCY_RAISED, _S.FAULT, (_C.ESCALATE,)),
    Row(_E.CROSSED, _S.FAULT, (_C.FORGET_LOWERING, _C.RECORD_UNEXPLAINED, _C.ESCALATE)),  # went without a release
    Row(_E.CROSSED_UNKNOWN, _S.FAULT, (_C.FORGET_LOWERING, _C.RECORD_UNEXPLAINED, _C.ESCALATE)),
    Row(_E.TAILGATED, _S.FAULT, (_C.FORGET_LOWERING, _C.RECORD_UNEXPLAINED, _C.ESCALATE)),
)
"""Rows that hold in every state for which no own row matched."""


def _by_event(state: LaneState) -> dict[LaneEvent, tuple[Row, ...]]:
    rows: dict[LaneEvent, tuple[Row, ...]] = {}
    for row in (*TRANSITIONS[state], *ANYWHERE):
        rows[row.event] = (*rows.get(row.event, ()), row)
    return rows


ROWS: Final = {state: _by_event(state) for state in LaneState}
"""The same rows by state and event, those of any state last: each of a lane's many looks asks only for these."""

_FAILURES: Final = frozenset({LaneEvent.DEVICE_LOST, LaneEvent.BOOM_FAILED, LaneEvent.EMERGENCY_RAISED})

STAYS_PUT: Final = {
    LaneState.FIRE: _FAILURES | {LaneEvent.FIRE_ON, LaneEvent.RECORD_LOST},
    LaneState.CLOSED: _FAILURES | {LaneEvent.RECORD_LOST},
    LaneState.FAULT: _FAILURES,
}
"""A safe state is not left for another by a further failure of the lower rank (fire > closed > fault)."""

OWNED_BY_PERSON: Final = frozenset(
    {LaneState.REVIEW, LaneState.DETAINED, LaneState.CLOSED, LaneState.FAULT, LaneState.FIRE}
)
"""States in which time escalates and never decides."""


def is_guarded(state: LaneState, event: LaneEvent) -> bool:
    """Whether a guard is asked where this event leads to."""
    return any(row.when is not None for row in ROWS[state].get(event, ()))


def step(state: LaneState, view: View, event: LaneEvent) -> Step:
    """Where `event` leads from `state`: the first row whose event and guard match wins; none leaves all as it is."""
    if event in STAYS_PUT.get(state, frozenset()):
        return Step(state, (LaneCommand.FORGET_LOWERING,), handled=True)
    for row in ROWS[state].get(event, ()):
        if row.when is None or row.when(view):
            return Step(row.to, row.ask, handled=True)
    return Step(state, (), handled=False)
