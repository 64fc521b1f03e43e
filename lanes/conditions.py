"""When each event of the automaton has happened, read from the lane's situation. Pure: one predicate per event.

The controller asks after every input, reading and tick; `true_events` answers in the order in which they matter
(fire before everything, a crossing before a withdrawal).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Final

from gate_service.domain.mass import Mass
from gate_service.domain.reading import BoomPosition, Detector, Presence, Side, WeightStatus
from lanes.detectors import WITHDRAWN_HOLD_S, Crossing, Followed, Sight, has_crossed
from lanes.guards import Layout
from lanes.interlocks import CLEAR_HOLD_S
from lanes.pair import Seen
from lanes.platform import Deck, DeckSettings
from lanes.states import ROWS, STAYS_PUT, LaneEvent, LaneState

SUDDEN_AFTER_S: Final = 1.0
"""So long after the last zero a poll must have shown the edge that a vehicle drove over: twenty polls of 50 ms."""

DEVICES_GOOD_S: Final = 1.0
"""Devices must answer this long before a lane leaves FAULT by itself; one good answer may be chance."""

SPANNED_S: Final = 2.0
"""Both edges of the platform covered for this long: a vehicle that stands and is longer than it. Site decision."""

LIGHT_S: Final = 3.0
"""Less than a vehicle on the platform for this long is no axle on its way. Site decision."""

MOVED: Final = Mass(200_000)
"""A driver and a mate get out with less than this. Site decision."""

NEEDS_WEIGHT: Final = frozenset(
    {LaneState.IDLE, LaneState.APPROACH, LaneState.ADMITTING, LaneState.ON_PLATFORM, LaneState.WEIGHING}
)
"""States in which a silent weighbridge is a lost device. A vehicle already decided on may leave without it."""


@dataclass(frozen=True, slots=True)
class Situation:
    """Everything a predicate may look at."""

    state: LaneState
    layout: Layout
    sight: Sight
    deck: Deck
    deck_settings: DeckSettings | None
    now_s: float
    has_passage: bool
    is_identified: bool  # scan and plate are there, or were waited for in vain
    is_weight_given_up: bool
    is_record_writable: bool
    devices_good_since_s: float | None
    is_fault_of_devices: bool  # the lane is in FAULT because a device was silent, not because something happened
    admitting_forbidden_by: str | None  # asked at the approach alone
    is_time_up: bool
    zero_s: float | None = None  # when the platform last showed a zero
    judged: Mass | None = None  # gross mass that the vehicle was judged by
    observed: tuple[str, ...] = ()  # what the passage's vehicle was seen to be or do

    def is_platform_empty(self) -> bool | None:
        """By weight; True where the lane has no weighbridge; None where no fresh reading says."""
        if self.deck_settings is None:
            return True
        return self.deck.is_empty(self.deck_settings, self.now_s)

    def is_platform_loaded(self) -> bool:
        """Whether a vehicle certainly stands on the platform."""
        return self.deck_settings is not None and self.deck.is_loaded(self.deck_settings, self.now_s)

    def is_whole(self) -> bool:
        """Whether the whole vehicle stands on the platform: loaded, and neither the beams nor the entry loop see it."""
        around = (Detector.ENTRY_LOOP, Detector.ENTRY_BEAM, Detector.EXIT_BEAM)
        return self.is_platform_loaded() and all(self.sight.presence(d) in {Presence.CLEAR, None} for d in around)

    def lost_because(self, in_state: LaneState | None = None) -> str | None:
        """Which device this state (or another one) cannot do without is lost, or None."""
        lost = self.sight.lost_because(self.now_s)
        if lost is not None:
            return lost
        state = in_state or self.state
        if self.is_mains_lost(state):
            return "mains_failed"
        if self.deck_settings is None or (state not in NEEDS_WEIGHT and state is not LaneState.FAULT):
            return None
        reading = self.deck.reading
        if reading is None or reading.status is WeightStatus.NO_DATA:
            return "weighbridge_no_data"
        return None if self.deck.fresh(self.now_s) is not None else "weighbridge_stale"

    def is_mains_lost(self, state: LaneState) -> bool:
        """Whether the lane runs on its battery and nobody has to be let out first: it then takes in nobody."""
        has_failed = self.sight.inputs is not None and self.sight.inputs.power_fail is True
        if not has_failed or state is LaneState.CLEARING:
            return False  # the booms come down first: one that stays up lets in whoever drives
        return not self.has_passage or state is LaneState.APPROACH


def _arrived(s: Situation) -> bool:
    if not s.layout.has_entry_barrier and s.is_platform_loaded():
        return True  # drove on while nobody looked: a restart, a lost module
    if s.sight.presence(Detector.APPROACH) is None:
        return s.is_platform_loaded()
    return s.sight.is_occupied(Detector.APPROACH)


def _withdrew(s: Situation) -> bool:
    if s.deck_settings is None and s.layout.has_exit_barrier:
        return False  # between approach loop and exit loop nothing sees a vehicle: a person must say
    return (
        s.has_passage
        and s.sight.crossing is Crossing.NONE
        and s.is_platform_empty() is True
        and s.sight.is_clear_for(WITHDRAWN_HOLD_S, s.now_s)
    )


def _entered(s: Situation) -> bool:
    return (
        s.sight.is_occupied(Detector.ENTRY_BEAM) or s.sight.is_occupied(Detector.ENTRY_LOOP) or s.is_platform_loaded()
    )


def _not_whole(s: Situation) -> bool:
    beams = (Detector.ENTRY_BEAM, Detector.EXIT_BEAM)
    return any(s.sight.presence(beam) in {Presence.OCCUPIED, Presence.UNKNOWN} for beam in beams)


def _ready_to_decide(s: Situation) -> bool:
    if not s.has_passage or not s.is_identified:
        return False
    if s.deck_settings is None:
        return True
    if s.state is LaneState.ON_PLATFORM:  # never whole: longer than the platform, or a blocked beam
        return s.is_weight_given_up or LaneEvent.LONGER_THAN_DECK in s.observed
    return s.deck.is_settled(s.now_s) or s.is_weight_given_up


def _lane_clear(s: Situation) -> bool:
    return (
        s.is_platform_empty() is True
        and s.sight.are_booms_down()
        and s.sight.is_clear_for(CLEAR_HOLD_S, s.now_s, leaving_out=frozenset({Detector.APPROACH}))
    )


def _unexplained(s: Situation) -> bool:
    if s.state is not LaneState.IDLE or s.sight.lost_because(s.now_s) is not None:
        return False
    moved = (
        any(position is not BoomPosition.DOWN for position in s.sight.inputs.booms.values())
        if s.sight.inputs
        else False
    )
    behind = s.sight.is_occupied(Detector.EXIT_LOOP) or s.sight.is_occupied(Detector.EXIT_BEAM)
    dropped_in = s.layout.has_entry_barrier and s.is_platform_loaded()
    return moved or behind or dropped_in


def _devices_back(s: Situation) -> bool:
    if not s.is_fault_of_devices:
        return False
    return s.devices_good_since_s is not None and s.now_s - s.devices_good_since_s >= DEVICES_GOOD_S


def _fire(s: Situation) -> bool:
    return s.sight.inputs is not None and s.sight.inputs.fire is True


def _release_boom_up(s: Situation) -> bool:
    side = Side.EXIT if s.layout.has_exit_barrier else Side.ENTRY
    return s.sight.boom(side) in {BoomPosition.UP, None}


def _second_vehicle(s: Situation) -> bool:
    """The vehicle of the passage is gone, exit detectors clear, and the platform carries another one at rest."""
    exits = {Detector.EXIT_BEAM, Detector.EXIT_LOOP}
    around = s.sight.inputs.detectors.keys() - exits if s.sight.inputs is not None else frozenset[Detector]()
    is_gone = s.sight.is_clear_for(WITHDRAWN_HOLD_S, s.now_s, leaving_out=frozenset(around))
    return not s.has_passage and is_gone and s.is_platform_loaded()


def _is_longer(s: Situation) -> bool:
    since_s = s.sight.spanned_since_s
    stands = since_s is not None and s.now_s - since_s >= SPANNED_S
    return stands and s.has_passage and LaneEvent.LONGER_THAN_DECK not in s.observed


def _light_load(s: Situation) -> bool:
    """A passage's vehicle that stands whole on the platform and weighs less than any that is weighed."""
    if s.deck_settings is None or s.state is not LaneState.ON_PLATFORM or LaneEvent.LIGHT_LOAD in s.observed:
        return False
    around = (Detector.ENTRY_LOOP, Detector.ENTRY_BEAM, Detector.EXIT_BEAM)
    is_on = all(s.sight.presence(at) in {Presence.CLEAR, None} for at in around)
    return is_on and s.has_passage and s.deck.is_light_for(LIGHT_S, s.now_s)


def _sudden(s: Situation) -> bool:
    """A whole vehicle by weight, and since the last zero nothing crossed an edge of the platform.

    Frames come oftener than polls: only a poll from well after the weight began says that nothing crossed.
    """
    inputs = s.sight.inputs
    if s.zero_s is None or inputs is None or LaneEvent.SUDDEN_LOAD in s.observed or not s.has_passage:
        return False
    is_seen_since = inputs.taken_monotonic_s - s.zero_s >= SUDDEN_AFTER_S
    return is_seen_since and s.is_whole() and s.sight.edge_s < s.zero_s


def _weight_moved(s: Situation) -> bool:
    """It stands whole and at rest, and weighs another mass than it was judged by: more than a person who got out."""
    if s.judged is None or s.deck_settings is None or LaneEvent.WEIGHT_MOVED in s.observed:
        return False
    reading = s.deck.fresh(s.now_s)
    if reading is None or reading.value is None or not (s.is_whole() and s.deck.is_settled(s.now_s)):
        return False
    return abs(reading.value - s.judged) > max(MOVED, s.deck_settings.empty_below)


def _way_blocked(s: Situation) -> bool:
    """Somebody is seen at the approach before the vehicle that backs out has come near it."""
    near = (Detector.ENTRY_LOOP, Detector.ENTRY_BEAM)
    is_watched = s.layout.has_entry_barrier and any(s.sight.presence(at) is not None for at in near)
    is_behind = s.sight.is_occupied_at_approach() and not s.sight.is_entry_touched
    return s.state is LaneState.RETURNING and is_watched and is_behind


def _under_release_boom(s: Situation) -> bool:
    """On the exit loop; without beams one that stood there before the boom rose has not moved yet: it needs green."""
    stood_there = s.sight.presence(Detector.EXIT_BEAM) is None and s.sight.crossing is Crossing.AT_BEAM
    return s.sight.is_occupied(Detector.EXIT_LOOP) and not stood_there


PREDICATES: Final[tuple[tuple[LaneEvent, Callable[[Situation], bool]], ...]] = (
    (LaneEvent.FIRE_ON, _fire),
    (LaneEvent.RECORD_LOST, lambda s: not s.is_record_writable),
    (LaneEvent.DEVICE_LOST, lambda s: s.lost_because() is not None),
    (LaneEvent.DEVICES_BACK, _devices_back),
    (LaneEvent.CROSSED, lambda s: s.has_passage and has_crossed(s.sight, s.now_s)),
    (LaneEvent.CROSSED_UNKNOWN, lambda s: not s.has_passage and has_crossed(s.sight, s.now_s)),
    (LaneEvent.FOLLOWED_IN, lambda s: Followed.IN in s.sight.untold),
    (LaneEvent.TAILGATED, lambda s: Followed.OUT in s.sight.untold),
    (LaneEvent.WRONG_WAY, lambda s: Seen.WRONG_WAY in s.sight.untold),
    (LaneEvent.SECOND_VEHICLE, _second_vehicle),
    (LaneEvent.WAY_BLOCKED, _way_blocked),
    (LaneEvent.VEHICLE_WITHDREW, _withdrew),
    (LaneEvent.VEHICLE_ARRIVED, _arrived),
    (LaneEvent.VEHICLE_ENTERED, _entered),
    (LaneEvent.READY_TO_ADMIT, lambda s: s.admitting_forbidden_by is None),
    (LaneEvent.NOT_WHOLE, _not_whole),
    (LaneEvent.WHOLE_ON_PLATFORM, Situation.is_whole),
    (LaneEvent.LONGER_THAN_DECK, _is_longer),
    (LaneEvent.LIGHT_LOAD, _light_load),
    (LaneEvent.SUDDEN_LOAD, _sudden),
    (LaneEvent.WEIGHT_MOVED, _weight_moved),
    (LaneEvent.READY_TO_DECIDE, _ready_to_decide),
    (LaneEvent.UNDER_RELEASE_BOOM, _under_release_boom),
    (LaneEvent.RELEASE_BOOM_UP, _release_boom_up),
    (LaneEvent.LANE_CLEAR, _lane_clear),
    (LaneEvent.UNEXPLAINED_MOTION, _unexplained),
    (LaneEvent.TIME_IS_UP, lambda s: s.is_time_up),
)
"""Each observable event with its predicate, in the order in which they are tried. What persons ask is not here."""


_EXPECTED: Final = {
    state: tuple(
        (event, holds) for event, holds in PREDICATES if event in rows and event not in STAYS_PUT.get(state, ())
    )
    for state, rows in ROWS.items()
}
"""What is looked for in each state: the events that a row of the table waits for there."""


def true_events(situation: Situation) -> Iterator[LaneEvent]:
    """The events that have happened and that the table expects in this state, most important first."""
    return (event for event, holds in _EXPECTED[situation.state] if holds(situation))
