"""Two detectors that a vehicle passes one after the other, A then B: which way it goes, whether another one follows.

A quadrature: A up, B up, A down, B down is forward; B first is against the direction; A up again while B still sees
the one before is a follower. Two bits that change in one look, or an input that is unknown while something is there,
make the pair unknown until both are clear: never guess. Pure; time is an argument.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Final

from gate_service.domain.reading import Presence
from lanes.interlocks import CLEAR_HOLD_S


class Phase(StrEnum):
    """How far something got between A and B."""

    EMPTY = "empty"
    AT_A = "at_a"  # came from A's side
    ON_BOTH = "on_both"
    PAST_A = "past_a"
    BACK_AT_A = "back_at_a"  # was on both, B is clear again
    WRONG_AT_B = "wrong_at_b"  # came from B's side
    WRONG_ON_BOTH = "wrong_on_both"
    WRONG_PAST_B = "wrong_past_b"
    UNKNOWN = "unknown"


class Seen(StrEnum):
    """What a step of the pair says. Past tense."""

    ARRIVED = "arrived"
    CAME_BETWEEN = "came_between"  # on both, from A's side
    WENT_FORWARD = "went_forward"
    WENT_BACK = "went_back"
    FOLLOWED = "followed"  # another one on A while the first is still on B
    WRONG_WAY = "wrong_way"
    WENT_THROUGH_WRONG_WAY = "went_through_wrong_way"
    CAME_AGAIN = "came_again"  # on both once more, after B was clear and A was not
    MISSED = "missed"  # a step was missed: nothing is known until both are clear


_P, _S = Phase, Seen
STEPS: Final[dict[Phase, dict[tuple[bool, bool], tuple[Phase, Seen | None]]]] = {
    _P.EMPTY: {
        (True, False): (_P.AT_A, _S.ARRIVED),
        (False, True): (_P.WRONG_AT_B, _S.WRONG_WAY),
        (True, True): (_P.UNKNOWN, _S.MISSED),
    },
    _P.AT_A: {
        (True, True): (_P.ON_BOTH, _S.CAME_BETWEEN),
        (False, False): (_P.EMPTY, _S.WENT_BACK),
        (False, True): (_P.UNKNOWN, _S.MISSED),
    },
    _P.ON_BOTH: {
        (False, True): (_P.PAST_A, None),
        (True, False): (_P.BACK_AT_A, None),
        (False, False): (_P.UNKNOWN, _S.MISSED),
    },
    _P.PAST_A: {
        (False, False): (_P.EMPTY, _S.WENT_FORWARD),
        (True, True): (_P.ON_BOTH, _S.FOLLOWED),
        (True, False): (_P.UNKNOWN, _S.MISSED),
    },
    _P.BACK_AT_A: {
        (True, True): (_P.ON_BOTH, _S.CAME_AGAIN),
        (False, False): (_P.EMPTY, _S.WENT_BACK),
        (False, True): (_P.UNKNOWN, _S.MISSED),
    },
    _P.WRONG_AT_B: {
        (True, True): (_P.WRONG_ON_BOTH, None),
        (False, False): (_P.EMPTY, None),
        (True, False): (_P.UNKNOWN, _S.MISSED),
    },
    _P.WRONG_ON_BOTH: {
        (True, False): (_P.WRONG_PAST_B, None),
        (False, True): (_P.WRONG_AT_B, None),
        (False, False): (_P.UNKNOWN, _S.MISSED),
    },
    _P.WRONG_PAST_B: {
        (False, False): (_P.EMPTY, _S.WENT_THROUGH_WRONG_WAY),
        (True, True): (_P.WRONG_ON_BOTH, None),
        (False, True): (_P.UNKNOWN, _S.MISSED),
    },
    _P.UNKNOWN: {(False, False): (_P.EMPTY, None)},
}
"""Phase and the two bits (A, B) to the next phase and what that says. The same bits again are no step."""


@dataclass(frozen=True, slots=True)
class Pair:
    """One pair over time. A detector counts as clear only after `CLEAR_HOLD_S`: a loop drops out over a coupling."""

    phase: Phase = Phase.EMPTY
    a: bool = False  # with the hold time
    b: bool = False
    raw: tuple[bool, bool] = (False, False)  # as the last look showed them
    a_seen_s: float = float("-inf")
    b_seen_s: float = float("-inf")


def watch(pair: Pair, a: Presence, b: Presence, now_s: float) -> tuple[Pair, Seen | None]:
    """Fold one look into the pair; what it says, if anything. `now_s` is the look's own monotonic stamp."""
    if Presence.UNKNOWN in {a, b}:
        if pair.phase is Phase.EMPTY:
            return pair, None
        said = None if pair.phase is Phase.UNKNOWN else Seen.MISSED
        return replace(pair, phase=Phase.UNKNOWN), said
    raw = a is Presence.OCCUPIED, b is Presence.OCCUPIED
    if pair.phase is Phase.EMPTY and raw == pair.raw == (False, False):
        return pair, None
    a_seen_s = now_s if a is Presence.OCCUPIED else pair.a_seen_s
    b_seen_s = now_s if b is Presence.OCCUPIED else pair.b_seen_s
    bits = now_s - a_seen_s < CLEAR_HOLD_S, now_s - b_seen_s < CLEAR_HOLD_S
    phase, said = _step(pair, raw, bits)
    return Pair(phase, *bits, raw, a_seen_s, b_seen_s), said


def _step(pair: Pair, raw: tuple[bool, bool], bits: tuple[bool, bool]) -> tuple[Phase, Seen | None]:
    if raw[0] is not pair.raw[0] and raw[1] is not pair.raw[1] and pair.phase is not Phase.UNKNOWN:
        return Phase.UNKNOWN, Seen.MISSED  # both in one look: a look between them was missed, and with it the order
    if bits == (pair.a, pair.b) and pair.phase is not Phase.UNKNOWN:
        return pair.phase, None
    return STEPS[pair.phase].get(bits, (pair.phase, None))
