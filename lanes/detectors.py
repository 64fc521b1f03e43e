"""What a lane's loops, beams and limit switches say over time: since when each is clear, and how far a vehicle got.

Pure: `look` folds one `LaneInputs` into a `Sight`. The crossing is a quadrature of two detectors, exit beam (A) and
exit loop (B): A up, B up, A down, B down is forward; B down before A is back again. A loop may drop out over a
trailer's coupling, so B may flicker while A holds, and the end counts only after both are clear for `CLEAR_HOLD_S`.
Lanes without beams have only B: what is seen there is "B up, B down", which the record says.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from types import MappingProxyType
from typing import Final

from gate_service.domain.reading import BoomPosition, Detector, LaneInputs, Presence, Side
from lanes.interlocks import CLEAR_HOLD_S, FRESH_S
from lanes.pair import Pair, Phase, Seen, watch

WITHDRAWN_HOLD_S: Final = 1.0
"""Everything clear for this long: the vehicle is gone, not between two detectors. Longer than any coupling gap."""

LOST_AFTER_S: Final = 1.0
"""Inputs older than this are a lost device (twenty polls of 50 ms). Site decision."""


class Followed(StrEnum):
    """Another vehicle close behind the one of the passage."""

    IN = "followed_in"  # over the entry beam, from outside, on the decision of the one before
    OUT = "followed_out"  # on the exit beam while the one before is still under the boom


class Crossing(StrEnum):
    """How far the vehicle of this passage got towards and under the exit boom."""

    NONE = "none"
    AT_BEAM = "at_beam"  # A only: front over the platform's exit edge; without beams: stood on B from the first
    UNDER = "under"  # B seen
    PAST_BEAM = "past_beam"  # B seen, A clear again: only forward is left
    UNKNOWN = "unknown"  # a step was missed (inputs were unknown meanwhile)


_NOTHING: Mapping[Detector, float] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class Sight:
    """The lane as its inputs show it. `clear_since_s`: monotonic stamp per detector, absent where not clear."""

    inputs: LaneInputs | None = None
    clear_since_s: Mapping[Detector, float] = field(default_factory=lambda: _NOTHING)
    crossing: Crossing = Crossing.NONE
    entries: Pair = field(default_factory=Pair)  # entry loop, entry beam
    exits: Pair = field(default_factory=Pair)  # exit beam, exit loop
    entered: int = 0  # vehicles that came over the entry beam from outside since this passage was let on
    untold: frozenset[Seen | Followed] = frozenset()  # what was seen and no event has taken up yet
    spanned_since_s: float | None = None  # both edges of the platform interrupted since
    far_clear_since_s: float | None = None  # of a reversible lane's far approach; None: not clear, or not known
    edge_s: float = float("-inf")  # when an edge of the platform was last seen crossed, or could not be seen
    is_entry_touched: bool = False  # the vehicle that goes back has been at the entry loop or beam

    def presence(self, detector: Detector) -> Presence | None:
        """What a detector says; None where the lane has none."""
        if self.inputs is None:
            return Presence.UNKNOWN
        return self.inputs.detectors.get(detector)

    def boom(self, side: Side) -> BoomPosition | None:
        """Where a boom is; None where the lane has none."""
        if self.inputs is None:
            return BoomPosition.UNKNOWN
        return self.inputs.booms.get(side)

    def is_occupied(self, detector: Detector) -> bool:
        """Whether a detector certainly sees something."""
        return self.presence(detector) is Presence.OCCUPIED

    def is_occupied_at_approach(self) -> bool:
        """Whether a vehicle certainly stands before the lane."""
        return self.is_occupied(Detector.APPROACH)

    def is_somebody_inside(self) -> bool:
        """Whether a loop or beam beyond the approach certainly sees something."""
        return any(self.is_occupied(detector) for detector in Detector if detector is not Detector.APPROACH)

    def is_clear_for(self, duration_s: float, now_s: float, *, leaving_out: frozenset[Detector] = frozenset()) -> bool:
        """Whether every detector of the lane but `leaving_out` is clear, unbroken, for at least this long."""
        if self.inputs is None or self.inputs.unknown_because is not None:
            return False
        wanted = self.inputs.detectors.keys() - leaving_out
        return all(now_s - self.clear_since_s.get(detector, now_s) >= duration_s for detector in wanted)

    def are_booms_down(self) -> bool:
        """Whether every boom the lane has is seen down."""
        return self.inputs is not None and all(p is BoomPosition.DOWN for p in self.inputs.booms.values())

    def lost_because(self, now_s: float) -> str | None:
        """Why the inputs are no knowledge any more, or None."""
        if self.inputs is None:
            return "inputs_never_read"
        if self.inputs.unknown_because is not None:
            return self.inputs.unknown_because
        age_s = now_s - self.inputs.taken_monotonic_s
        return "inputs_stale" if age_s > max(LOST_AFTER_S, FRESH_S) else None


def _clear_since(sight: Sight, inputs: LaneInputs) -> Mapping[Detector, float]:
    now_s = inputs.taken_monotonic_s
    return MappingProxyType(
        {
            detector: sight.clear_since_s.get(detector, now_s)
            for detector, presence in inputs.detectors.items()
            if presence is Presence.CLEAR
        }
    )


def _advance(crossing: Crossing, inputs: LaneInputs, before: LaneInputs | None) -> Crossing:
    """One step of the quadrature. UNKNOWN inputs, or a step that was missed, make a crossing unknown: never guess."""
    beam = inputs.detectors.get(Detector.EXIT_BEAM)
    loop = inputs.detectors.get(Detector.EXIT_LOOP)
    if Presence.UNKNOWN in {beam, loop}:
        return crossing if crossing is Crossing.NONE else Crossing.UNKNOWN
    at_beam, on_loop = beam is Presence.OCCUPIED, loop is Presence.OCCUPIED
    if crossing is Crossing.UNKNOWN:
        return Crossing.UNKNOWN
    if beam is None:  # no beams: the loop alone
        return _advance_on_loop(crossing, inputs, on_loop=on_loop)
    match crossing:
        case Crossing.NONE | Crossing.AT_BEAM:
            return _advance_to_loop(crossing, at_beam=at_beam, on_loop=on_loop, is_jump=_was_clear_of_both(before))
        case Crossing.UNDER:
            if not at_beam:
                return Crossing.PAST_BEAM if on_loop else Crossing.UNKNOWN
            return Crossing.UNDER
        case _:
            return Crossing.UNDER if at_beam else Crossing.PAST_BEAM


def _advance_to_loop(crossing: Crossing, *, at_beam: bool, on_loop: bool, is_jump: bool) -> Crossing:
    if at_beam and on_loop:
        return Crossing.UNKNOWN if is_jump else Crossing.UNDER
    if on_loop and crossing is Crossing.AT_BEAM:
        return Crossing.UNKNOWN  # from the beam to the loop and never on both
    return Crossing.AT_BEAM if at_beam else Crossing.NONE


def _was_clear_of_both(before: LaneInputs | None) -> bool:
    """Both at once from neither: a look was missed (2-bit jump), and with it the order."""
    if before is None:
        return False
    exits = (Detector.EXIT_BEAM, Detector.EXIT_LOOP)
    return all(before.detectors.get(detector) is Presence.CLEAR for detector in exits)


def _advance_on_loop(crossing: Crossing, inputs: LaneInputs, *, on_loop: bool) -> Crossing:
    """Without beams. Who stood on the loop before the boom was up goes forward only once it is; else it backed off."""
    is_open = inputs.booms.get(Side.EXIT, inputs.booms.get(Side.ENTRY, BoomPosition.UP)) is BoomPosition.UP
    if on_loop:
        return Crossing.PAST_BEAM if is_open and crossing is not Crossing.AT_BEAM else _at_least_at_beam(crossing)
    if crossing is Crossing.AT_BEAM:
        return Crossing.PAST_BEAM if is_open else Crossing.NONE
    return crossing


def _at_least_at_beam(crossing: Crossing) -> Crossing:
    return Crossing.AT_BEAM if crossing is Crossing.NONE else crossing


def look(sight: Sight, inputs: LaneInputs, *, is_platform_loaded: bool = False) -> Sight:
    """Fold one poll of the inputs into what is known. `is_platform_loaded`: by weight, at the time of the poll.

    Who comes over the entry beam while a whole vehicle weighs on the platform is another one, even where the entry loop
    never got clear between the two; one that rolled back off the platform and comes again took its weight with it.
    """
    now_s = inputs.taken_monotonic_s
    entries, came = _watch(sight.entries, inputs, (Detector.ENTRY_LOOP, Detector.ENTRY_BEAM), now_s)
    exits, went = _watch(sight.exits, inputs, (Detector.EXIT_BEAM, Detector.EXIT_LOOP), now_s)
    entered = sight.entered + _entered(sight.entries, came)
    untold = sight.untold
    if (came is Seen.CAME_BETWEEN and entered > 1) or (came is Seen.CAME_AGAIN and is_platform_loaded):
        untold |= {Followed.IN}
    if went is Seen.FOLLOWED:
        untold |= {Followed.OUT}
    if went is Seen.WRONG_WAY:
        untold |= {Seen.WRONG_WAY}
    edges = (Detector.ENTRY_BEAM, Detector.EXIT_BEAM)
    is_spanned = all(inputs.detectors.get(edge) is Presence.OCCUPIED for edge in edges)
    around = (Detector.ENTRY_LOOP, *edges)
    is_crossed = any(inputs.detectors.get(at, Presence.CLEAR) is not Presence.CLEAR for at in around)
    touched = any(inputs.detectors.get(at) is Presence.OCCUPIED for at in (Detector.ENTRY_LOOP, Detector.ENTRY_BEAM))
    return Sight(
        inputs=inputs,
        clear_since_s=_clear_since(sight, inputs),
        crossing=_advance(sight.crossing, inputs, sight.inputs),
        entries=entries,
        exits=exits,
        entered=entered,
        untold=untold,
        spanned_since_s=(sight.spanned_since_s or now_s) if is_spanned else None,
        far_clear_since_s=_far_clear_since(sight, inputs),
        edge_s=now_s if is_crossed else sight.edge_s,
        is_entry_touched=sight.is_entry_touched or touched,
    )


def _far_clear_since(sight: Sight, inputs: LaneInputs) -> float | None:
    if inputs.far_approach is not Presence.CLEAR:
        return None
    return inputs.taken_monotonic_s if sight.far_clear_since_s is None else sight.far_clear_since_s


def _entered(before: Pair, came: Seen | None) -> int:
    """By how much one look changes the count of vehicles that came in over the entry beam."""
    if came is Seen.CAME_BETWEEN:
        return 1
    is_back = came is Seen.WENT_BACK and before.phase is Phase.BACK_AT_A
    return -1 if is_back or came is Seen.WENT_THROUGH_WRONG_WAY else 0


def _watch(pair: Pair, inputs: LaneInputs, places: tuple[Detector, Detector], now_s: float) -> tuple[Pair, Seen | None]:
    """One look at a pair; a lane that has not both detectors has no pair."""
    first, second = (inputs.detectors.get(place) for place in places)
    return (pair, None) if first is None or second is None else watch(pair, first, second, now_s)


def take_up(sight: Sight, seen: Seen | Followed) -> Sight:
    """An event has taken up what was seen: it is told once."""
    return replace(sight, untold=sight.untold - {seen})


def let_on(sight: Sight) -> Sight:
    """A new passage: who comes over the entry beam now is its vehicle, whoever comes after is another."""
    return replace(forget_crossing(sight), entered=0, untold=sight.untold - {Followed.IN})


def forget_crossing(sight: Sight) -> Sight:
    """A new passage, or a vehicle seen back where it came from: the crossing starts again from nothing."""
    stands_on_loop = sight.presence(Detector.EXIT_BEAM) is None and sight.is_occupied(Detector.EXIT_LOOP)
    crossing = Crossing.AT_BEAM if stands_on_loop else Crossing.NONE
    return replace(sight, crossing=crossing, is_entry_touched=False)


def has_crossed(sight: Sight, now_s: float) -> bool:
    """Whether the vehicle has gone forward for certain: past the beam, and both detectors clear for the hold time."""
    if sight.crossing is not Crossing.PAST_BEAM or sight.inputs is None:
        return False
    exits = {Detector.EXIT_BEAM, Detector.EXIT_LOOP} & sight.inputs.detectors.keys()
    return all(now_s - sight.clear_since_s.get(detector, now_s) >= CLEAR_HOLD_S for detector in exits)
