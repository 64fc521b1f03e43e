"""The lane automaton: everything that affects a lane's state lives in this table, and nothing else does.

`step` looks for the first row of the present state whose event and guard match; then for a row that holds in any
state. An event that no row expects changes nothing (`handled` False) and is recorded by the controller. States that
wait for a person never end by time: `TIME_IS_UP` only escalates. On any failure the lane goes to a named safe state
(`FAULT`, `FIRE`, `CLOSED`), never back to the initial one. The diagram in `docs/lane.md` is drawn from this table.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from lanes import guards
from lanes.guards import View


class LaneState(StrEnum):
    """Where a lane is. Public: the words stand in snapshots and in the record."""

    IDLE = "idle"
    APPROACH = "approach"  # a vehicle stands before the lane
    ADMITTING = "admitting"  # entry boom going up or up, vehicle driving on
    ON_PLATFORM = "on_platform"  # part of the vehicle is on the platform (or between the booms)
    WEIGHING = "weighing"  # the whole vehicle is on the platform; waiting for weight and identity
    DECIDING = "deciding"
    REVIEW = "review"  # a person decides
    OPENING = "opening"  # released and recorded; boom going up
    LEAVING = "leaving"  # boom seen up, vehicle may go
    CLEARING = "clearing"  # vehicle under or past the boom; the boom comes down when everything is freshly clear
    RETURNING = "returning"  # entry boom up for a vehicle that backs out
    DIVERTING = "diverting"  # exit boom up for a vehicle that is not released (inspection yard, U-turn)
    DETAINED = "detained"  # booms held, driver reads "please wait"
    CLOSED = "closed"
    FAULT = "fault"
    FIRE = "fire"


class LaneEvent(StrEnum):
    """What the automaton is told. Past tense; a person's wish is `..._ASKED`."""

    VEHICLE_ARRIVED = "vehicle_arrived"
    VEHICLE_WITHDREW = "vehicle_withdrew"  # every detector clear and platform empty again, nothing went forward
    READY_TO_ADMIT = "ready_to_admit"  # platform empty, zero seen, way free
    ADMITTANCE_LOST = "admittance_lost"  # what let it in no longer held when the reason was on disk
    VEHICLE_ENTERED = "vehicle_entered"
    WHOLE_ON_PLATFORM = "whole_on_platform"
    NOT_WHOLE = "not_whole"  # a beam is interrupted again
    READY_TO_DECIDE = "ready_to_decide"  # weight settled (or given up, or not weighed) and identity known (or given up)
    FACTS_CHANGED = "facts_changed"  # a scan, a plate, a resolved fact: the rules run again
    RELEASE_DECIDED = "release_decided"
    PERSON_NEEDED = "person_needed"
    DETAIN_DECIDED = "detain_decided"
    RELEASE_BOOM_UP = "release_boom_up"
    RETURN_BOOM_UP = "return_boom_up"
    UNDER_RELEASE_BOOM = "under_release_boom"
    CROSSED = "crossed"  # forward, proven by the detectors in their order
    CROSSED_UNKNOWN = "crossed_unknown"  # the same, by a vehicle that no passage knows
    SECOND_VEHICLE = "second_vehicle"  # the passage is over and another vehicle stands on the platform
    LANE_CLEAR = "lane_clear"  # every detector freshly clear, platform empty, booms down
    BOOM_FAILED = "boom_failed"  # commanded and not confirmed
    UNEXPLAINED_MOTION = "unexplained_motion"
    DEVICE_LOST = "device_lost"
    DEVICES_BACK = "devices_back"
    RECORD_LOST = "record_lost"
    FIRE_ON = "fire_on"
    FIRE_OFF = "fire_off"
    TIME_IS_UP = "time_is_up"
    RELEASE_ASKED = "release_asked"
    HOLD_ASKED = "hold_asked"
    DIVERT_ASKED = "divert_asked"  # inspection or refusal, forward through the lane
    RETURN_ASKED = "return_asked"  # back out through the entry
    REWEIGH_ASKED = "reweigh_asked"
    OPEN_ASKED = "open_asked"
    CLOSE_ASKED = "close_asked"
    CLEAR_ASKED = "clear_asked"  # a person re-arms the lane after a fault, a fire or a restart
    EMERGENCY_RAISED = "emergency_raised"  # recorded, boom going up for a fire engine or ambulance
    CROSSING_ATTESTED = "crossing_attested"  # a person says that the vehicle has gone forward
    DEPARTURE_ATTESTED = "departure_attested"  # a person says that the vehicle has gone back


class LaneCommand(StrEnum):
    """What a step asks the controller to do, in order. Booms move only through these."""

    OPEN_PASSAGE = "open_passage"
    DECIDE = "decide"
    ADMIT = "admit"  # raise the entry boom, reason admit
    RAISE_RELEASE_BOOM = "raise_release_boom"  # reason release
    RAISE_TO_DIVERT = "raise_to_divert"  # exit boom, reason divert
    RAISE_TO_RETURN = "raise_to_return"  # entry boom, reason return
    LOWER_ENTRY_BOOM = "lower_entry_boom"  # as soon as the interlocks allow
    LOWER_EXIT_BOOM = "lower_exit_boom"
    FORGET_LOWERING = "forget_lowering"  # drop lowering under way or intended
    START_WEIGHING = "start_weighing"  # forget earlier readings
    TAKE_UP = "take_up"  # a person has looked at a vehicle from before a restart: the lane goes on with it
    RECORD_CROSSING = "record_crossing"  # slip used, hazardous goods told, passage closed
    RECORD_DEPARTURE = "record_departure"  # slip returned, passage closed
    RECORD_UNEXPLAINED = "record_unexplained"  # motion.unexplained
    ESCALATE = "escalate"


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
        Row(_E.UNEXPLAINED_MOTION, _S.FAULT, (_C.RECORD_UNEXPLAINED, _C.ESCALATE)),
        Row(_E.CLOSE_ASKED, _S.CLOSED),
    ),
    _S.APPROACH: (
        Row(_E.READY_TO_ADMIT, _S.ADMITTING, (_C.ADMIT,), when=guards.has_entry_and_more),
        Row(_E.VEHICLE_ENTERED, _S.ON_PLATFORM, (_C.START_WEIGHING,), when=guards.open_platform),
        Row(_E.READY_TO_DECIDE, _S.DECIDING, (_C.DECIDE,), when=guards.decides_at_approach),
        Row(_E.VEHICLE_WITHDREW, _S.IDLE, (_C.RECORD_DEPARTURE,)),
        Row(_E.DEPARTURE_ATTESTED, _S.IDLE, (_C.RECORD_DEPARTURE,)),
        *_TAKE_OVER,
        Row(_E.TIME_IS_UP, _S.APPROACH, (_C.ESCALATE,)),
    ),
    _S.ADMITTING: (
        Row(_E.ADMITTANCE_LOST, _S.APPROACH),
        Row(_E.VEHICLE_ENTERED, _S.ON_PLATFORM, (_C.START_WEIGHING,)),
        Row(_E.VEHICLE_WITHDREW, _S.CLEARING, (_C.RECORD_DEPARTURE, _C.LOWER_ENTRY_BOOM)),
        Row(_E.DEPARTURE_ATTESTED, _S.CLEARING, (_C.RECORD_DEPARTURE, _C.LOWER_ENTRY_BOOM)),
        *_TAKE_OVER,
        Row(_E.TIME_IS_UP, _S.ADMITTING, (_C.ESCALATE,)),
    ),
    _S.ON_PLATFORM: (
        Row(_E.WHOLE_ON_PLATFORM, _S.WEIGHING, (_C.LOWER_ENTRY_BOOM,)),
        Row(_E.VEHICLE_WITHDREW, _S.CLEARING, (_C.RECORD_DEPARTURE, _C.LOWER_ENTRY_BOOM)),
        Row(_E.READY_TO_DECIDE, _S.DECIDING, (_C.LOWER_ENTRY_BOOM, _C.DECIDE)),
        Row(_E.RETURN_ASKED, _S.RETURNING, (_C.RAISE_TO_RETURN,), when=guards.has_entry),
        *_TAKE_OVER,
        Row(_E.TIME_IS_UP, _S.ON_PLATFORM, (_C.ESCALATE,)),
    ),
    _S.WEIGHING: (
        Row(_E.NOT_WHOLE, _S.ON_PLATFORM, (_C.START_WEIGHING, _C.FORGET_LOWERING)),
        Row(_E.READY_TO_DECIDE, _S.DECIDING, (_C.DECIDE,)),
        Row(_E.VEHICLE_WITHDREW, _S.CLEARING, (_C.RECORD_DEPARTURE, _C.LOWER_ENTRY_BOOM)),
        Row(_E.RETURN_ASKED, _S.RETURNING, (_C.RAISE_TO_RETURN,), when=guards.has_entry),
        *_TAKE_OVER,
        Row(_E.TIME_IS_UP, _S.WEIGHING, (_C.ESCALATE,)),
    ),
    _S.DECIDING: (
        Row(_E.RELEASE_DECIDED, _S.OPENING, (_C.RAISE_RELEASE_BOOM,)),
        Row(_E.PERSON_NEEDED, _S.REVIEW),
        Row(_E.DETAIN_DECIDED, _S.DETAINED, (_C.ESCALATE,)),
        Row(_E.FACTS_CHANGED, _S.DECIDING, (_C.DECIDE,)),
        Row(_E.VEHICLE_WITHDREW, _S.CLEARING, (_C.RECORD_DEPARTURE, _C.LOWER_ENTRY_BOOM)),
        *_TAKE_OVER,
        Row(_E.TIME_IS_UP, _S.REVIEW, (_C.ESCALATE,)),  # a decision that never came, by our fault
    ),
    _S.REVIEW: (
        *_WAYS_OUT,
        *_SEEN_TO_END,
        *_ASK_AGAIN,
        Row(_E.HOLD_ASKED, _S.DETAINED),
        Row(_E.CLEAR_ASKED, _S.APPROACH, (_C.TAKE_UP, _C.LOWER_EXIT_BOOM), when=guards.stands_before_the_lane),
    ),
    _S.DETAINED: (
        *_WAYS_OUT,
        *_SEEN_TO_END,
        Row(_E.FACTS_CHANGED, _S.DECIDING, (_C.DECIDE,)),
        Row(_E.TIME_IS_UP, _S.DETAINED, (_C.ESCALATE,)),
    ),
    _S.OPENING: (
        Row(_E.RELEASE_BOOM_UP, _S.LEAVING),
        Row(_E.CROSSED, _S.CLEARING, (_C.RECORD_CROSSING, _C.LOWER_EXIT_BOOM, _C.LOWER_ENTRY_BOOM)),
        Row(_E.HOLD_ASKED, _S.REVIEW, (_C.LOWER_EXIT_BOOM,)),
        *_SEEN_TO_END,
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
        Row(_E.TIME_IS_UP, _S.LEAVING, (_C.ESCALATE,)),
    ),
    _S.CLEARING: (
        Row(_E.CROSSED, _S.CLEARING, (_C.RECORD_CROSSING, _C.LOWER_EXIT_BOOM, _C.LOWER_ENTRY_BOOM)),
        Row(
            _E.SECOND_VEHICLE, _S.ON_PLATFORM, (_C.RECORD_UNEXPLAINED, _C.OPEN_PASSAGE, _C.START_WEIGHING, _C.ESCALATE)
        ),
        Row(_E.LANE_CLEAR, _S.IDLE, when=lambda view: not view.has_passage),
        Row(_E.LANE_CLEAR, _S.REVIEW, when=lambda view: view.has_passage),  # rolled back: authorised, boom down again
        Row(_E.CROSSING_ATTESTED, _S.CLEARING, (_C.RECORD_CROSSING,)),
        Row(_E.DEPARTURE_ATTESTED, _S.CLEARING, (_C.RECORD_DEPARTURE,)),
        Row(_E.HOLD_ASKED, _S.REVIEW, (_C.LOWER_EXIT_BOOM,), when=lambda view: view.has_passage),  # let go, but stands
        Row(_E.CROSSED_UNKNOWN, _S.CLEARING, (_C.RECORD_UNEXPLAINED, _C.ESCALATE)),  # followed on one decision
        Row(_E.TIME_IS_UP, _S.CLEARING, (_C.ESCALATE,)),
    ),
    _S.RETURNING: (
        Row(_E.VEHICLE_WITHDREW, _S.CLEARING, (_C.RECORD_DEPARTURE, _C.LOWER_ENTRY_BOOM, _C.LOWER_EXIT_BOOM)),
        Row(_E.HOLD_ASKED, _S.REVIEW, (_C.LOWER_ENTRY_BOOM,)),
        *_SEEN_TO_END,
        Row(_E.TIME_IS_UP, _S.RETURNING, (_C.ESCALATE,)),
    ),
    _S.DIVERTING: (
        Row(_E.UNDER_RELEASE_BOOM, _S.CLEARING, (_C.LOWER_EXIT_BOOM,)),
        Row(_E.CROSSED, _S.CLEARING, (_C.RECORD_CROSSING, _C.LOWER_EXIT_BOOM, _C.LOWER_ENTRY_BOOM)),
        *_SEEN_TO_END,
        # With the exit boom up a vehicle that is seen no more may have gone either way: a person says which.
        Row(_E.VEHICLE_WITHDREW, _S.REVIEW, (_C.LOWER_EXIT_BOOM, _C.ESCALATE)),
        Row(_E.HOLD_ASKED, _S.REVIEW, (_C.LOWER_EXIT_BOOM,)),
        Row(_E.TIME_IS_UP, _S.DIVERTING, (_C.ESCALATE,)),
    ),
    _S.CLOSED: (
        Row(_E.OPEN_ASKED, _S.IDLE, when=guards.can_work_empty),
        Row(_E.OPEN_ASKED, _S.CLEARING, (_C.LOWER_ENTRY_BOOM, _C.LOWER_EXIT_BOOM), when=guards.can_work_boom_up),
        Row(_E.OPEN_ASKED, _S.REVIEW, when=guards.needs_person),
        Row(_E.CROSSING_ATTESTED, _S.CLOSED, (_C.RECORD_CROSSING,)),
        Row(_E.DEPARTURE_ATTESTED, _S.CLOSED, (_C.RECORD_DEPARTURE,)),
        Row(_E.CROSSED_UNKNOWN, _S.CLOSED, (_C.RECORD_UNEXPLAINED,)),
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
        Row(_E.CROSSED_UNKNOWN, _S.FAULT, (_C.RECORD_UNEXPLAINED,)),
        Row(_E.CLOSE_ASKED, _S.CLOSED),
        Row(_E.TIME_IS_UP, _S.FAULT, (_C.ESCALATE,)),
    ),
    _S.FIRE: (
        Row(_E.FIRE_OFF, _S.FIRE, (_C.ESCALATE,)),  # a person re-arms each lane
        *_RESUME,
        Row(_E.CROSSING_ATTESTED, _S.FIRE, (_C.RECORD_CROSSING,)),
        Row(_E.DEPARTURE_ATTESTED, _S.FIRE, (_C.RECORD_DEPARTURE,)),
        Row(_E.CROSSED_UNKNOWN, _S.FIRE, (_C.RECORD_UNEXPLAINED,)),
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
)
"""Rows that hold in every state for which no own row matched."""

_FAILURES: Final = frozenset(
    {LaneEvent.DEVICE_LOST, LaneEvent.BOOM_FAILED, LaneEvent.CROSSED, LaneEvent.EMERGENCY_RAISED}
)

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


def step(state: LaneState, view: View, event: LaneEvent) -> Step:
    """Where `event` leads from `state`: the first row whose event and guard match wins; none leaves all as it is."""
    if event in STAYS_PUT.get(state, frozenset()):
        return Step(state, (LaneCommand.FORGET_LOWERING,), handled=True)
    for row in (*TRANSITIONS[state], *ANYWHERE):
        if row.event is event and (row.when is None or row.when(view)):
            return Step(row.to, row.ask, handled=True)
    return Step(state, (), handled=False)
