"""What must never happen. Every boom command asks here first, whoever wants it; the answer names what is missing.

These are inhibitors, not the safety function: anti-crush belongs to the barrier's own controller (EN 12453).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from gate_service.domain.reading import BoomPosition, Detector, LaneInputs, Presence, Side

FRESH_S: Final = 0.5
"""Inputs older than this are not knowledge. Ten polls of 50 ms; site decision within the 100 ms poll of GB practice."""

CLEAR_HOLD_S: Final = 0.5
"""A detector counts as clear only after this long without a break: a loop drops out over a trailer's coupling."""


class RaiseReason(StrEnum):
    """The recorded reasons for raising a boom (RULES 8); a raise without one does not exist."""

    ADMIT = "admit"
    RELEASE = "release"
    DIVERT = "divert"
    RETURN = "return"
    EMERGENCY = "emergency"
    REOPEN = "reopen"


UNDER_BOOM: Final = {
    Side.ENTRY: frozenset({Detector.ENTRY_LOOP, Detector.ENTRY_BEAM}),
    Side.EXIT: frozenset({Detector.EXIT_BEAM, Detector.EXIT_LOOP}),
}
"""Detectors that see a vehicle under or beside each boom."""


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What interlocks look at. `clear_since_s` holds the monotonic time since when each detector is clear unbroken."""

    inputs: LaneInputs | None
    clear_since_s: Mapping[Detector, float]
    now_monotonic_s: float
    is_closing_ours: bool
    is_platform_empty: bool | None  # None: no weighbridge, or no usable reading
    is_zero_seen: bool | None
    has_weighbridge: bool
    has_passage: bool
    is_platform_at_rest: bool | None = None
    may_be_somebody: bool = False  # what stands on the platform may be a person (`lanes.platform`)
    is_at_zero: bool = False  # the platform shows a zero now, within its band
    is_upstream_red: bool = False  # the entry light was shown red and confirmed by its echo
    held_open: frozenset[Side] = frozenset()  # booms under a lease that has not ended (`lanes.holding`)
    far_clear_since_s: float | None = None  # since when the far approach of a reversible lane is clear unbroken
    is_all_red: bool = False  # the lights of both ends were shown red and confirmed by their echo
    is_pair: bool = False  # the site wants both booms as an airlock: never both away from down


Rule = Callable[[Side, Surroundings], str | None]
"""One interlock: what it misses, or None. Each stands alone, so that a test can take each one out."""


def _known(_: Side, seen: Surroundings) -> str | None:
    unknown = seen.inputs is None or seen.inputs.unknown_because is not None
    return "inputs_unknown" if unknown else None


def _fresh(_: Side, seen: Surroundings) -> str | None:
    taken_s = seen.inputs.taken_monotonic_s if seen.inputs is not None else seen.now_monotonic_s
    return "inputs_stale" if seen.now_monotonic_s - taken_s > FRESH_S else None


def _ours(_: Side, seen: Surroundings) -> str | None:
    return None if seen.is_closing_ours else "closing_belongs_to_controller"


def _no_fire(_: Side, seen: Surroundings) -> str | None:
    fire = None if seen.inputs is None else seen.inputs.fire
    if fire is False:
        return None
    return "fire" if fire else "fire_input_unknown"


def _not_held(side: Side, seen: Surroundings) -> str | None:
    return "held_open" if side in seen.held_open else None


def _seen_under(side: Side, seen: Surroundings) -> str | None:
    there = seen.inputs is not None and UNDER_BOOM[side] & seen.inputs.detectors.keys()
    return None if there else "no_detector_under_boom"


def _clear(detectors: frozenset[Detector], seen: Surroundings) -> str | None:
    """Nothing is there now, and nothing was for the hold time."""
    found = {} if seen.inputs is None else seen.inputs.detectors
    for detector in sorted(detectors & found.keys()):
        if found[detector] is not Presence.CLEAR:
            return f"{detector}_{found[detector]}"
        since = seen.clear_since_s.get(detector)
        if since is None or seen.now_monotonic_s - since < CLEAR_HOLD_S:
            return f"{detector}_not_clear_long_enough"
    return None


LOWERING: Final[Mapping[str, Rule]] = {
    "closer": _ours,
    "known": _known,
    "fresh": _fresh,
    "fire": _no_fire,
    "held": _not_held,
    "detector": _seen_under,
    "clear": lambda side, seen: _clear(UNDER_BOOM[side], seen),
}
"""What a lowering needs, in the order in which it is said."""


def _passage(_: Side, seen: Surroundings) -> str | None:
    return None if seen.has_passage else "no_passage"


def _exit_down(_: Side, seen: Surroundings) -> str | None:
    booms = {} if seen.inputs is None else seen.inputs.booms
    return None if booms.get(Side.EXIT, BoomPosition.DOWN) is BoomPosition.DOWN else "exit_boom_not_down"


def _platform_empty(_: Side, seen: Surroundings) -> str | None:
    if not seen.has_weighbridge or seen.is_platform_empty is True:
        return None
    return "platform_not_empty" if seen.is_platform_empty is False else "platform_unknown"


def _zero_seen(_: Side, seen: Surroundings) -> str | None:
    return "no_zero_seen" if seen.has_weighbridge and seen.is_zero_seen is not True else None


def _at_zero(_: Side, seen: Surroundings) -> str | None:
    """A zero that was seen before somebody stepped on the platform is none."""
    return None if seen.is_at_zero or not seen.has_weighbridge else "not_at_zero"


def _approach_seen(_: Side, seen: Surroundings) -> str | None:
    there = seen.inputs is not None and Detector.APPROACH in seen.inputs.detectors
    return None if there else "no_detector_at_approach"


def _upstream_red(_: Side, seen: Surroundings) -> str | None:
    return None if seen.is_upstream_red else "upstream_not_red"


BEYOND_ENTRY: Final = frozenset({Detector.ENTRY_BEAM, Detector.EXIT_BEAM, Detector.EXIT_LOOP})
BEHIND: Final = frozenset({Detector.APPROACH})
ADMITS: Final = frozenset({RaiseReason.ADMIT})
RETURNS: Final = frozenset({RaiseReason.RETURN})
ALL: Final = frozenset({RaiseReason.ADMIT, RaiseReason.RELEASE, RaiseReason.DIVERT, RaiseReason.RETURN})

RAISING: Final[Mapping[str, tuple[frozenset[RaiseReason], Rule]]] = {
    "known": (ALL, _known),
    "fresh": (ALL, _fresh),
    "passage": (ALL, _passage),
    "exit_down": (ADMITS, _exit_down),
    "platform_empty": (ADMITS, _platform_empty),
    "zero": (ADMITS, _zero_seen),
    "at_zero": (ADMITS, _at_zero),
    "way_clear": (ADMITS, lambda _, seen: _clear(BEYOND_ENTRY, seen)),
    # The driver backs out blind: nobody may stand behind, and nobody may drive up (RULES 8, back_out).
    "approach_seen": (RETURNS, _approach_seen),
    "approach_clear": (RETURNS, lambda _, seen: _clear(BEHIND, seen)),
    "upstream_red": (RETURNS, _upstream_red),
}
"""What a raise needs, by its reason. `emergency` and `reopen` need nothing: they are never forbidden."""


def forbids_lowering(side: Side, seen: Surroundings) -> str | None:
    """Why this boom may not be lowered now, or None. Presence unknown, stale or recent counts as presence."""
    return next((why for rule in LOWERING.values() if (why := rule(side, seen)) is not None), None)


def forbids_raising(reason: RaiseReason, seen: Surroundings) -> str | None:
    """Why a boom may not be raised now for this reason, or None. An emergency raise is never forbidden."""
    side = Side.ENTRY if reason in ADMITS | RETURNS else Side.EXIT
    rules = (rule for reasons, rule in RAISING.values() if reason in reasons)
    return next((why for rule in rules if (why := rule(side, seen)) is not None), None)


def _booms_down(seen: Surroundings) -> str | None:
    booms = {} if seen.inputs is None else seen.inputs.booms
    return next((f"{side}_boom_not_down" for side in sorted(booms) if booms[side] is not BoomPosition.DOWN), None)


def _far_approach(seen: Surroundings) -> str | None:
    since_s = seen.far_clear_since_s
    is_clear = since_s is not None and seen.now_monotonic_s - since_s >= CLEAR_HOLD_S
    return None if is_clear else "far_approach_not_clear"


EVERYWHERE: Final = frozenset(Detector)
TURNING: Final[Mapping[str, Callable[[Surroundings], str | None]]] = {
    "known": lambda seen: _known(Side.ENTRY, seen),
    "fresh": lambda seen: _fresh(Side.ENTRY, seen),
    "fire": lambda seen: _no_fire(Side.ENTRY, seen),
    "nobody": lambda seen: "passage" if seen.has_passage else None,
    "booms_down": _booms_down,
    "platform_empty": lambda seen: _platform_empty(Side.ENTRY, seen),
    "clear": lambda seen: _clear(EVERYWHERE, seen),
    "far_approach": _far_approach,
    "both_red": lambda seen: None if seen.is_all_red else "lights_not_red",
}
"""What turning a reversible lane needs (RULES 8): it and both approaches empty, both ends red."""


def forbids_turning(seen: Surroundings) -> str | None:
    """Why a reversible lane may not be turned now, or None."""
    return next((why for rule in TURNING.values() if (why := rule(seen)) is not None), None)


def waits_for_other(side: Side, seen: Surroundings) -> str | None:
    """In an interlocked pair: why this boom waits although it may rise (the other is not seen down), or None.

    It is waited for, not refused: the other boom comes down behind the vehicle by itself. From its limit inputs alone,
    so a boom that is unknown is not down.
    """
    if not seen.is_pair:
        return None
    other = Side.EXIT if side is Side.ENTRY else Side.ENTRY
    booms = {} if seen.inputs is None else seen.inputs.booms
    return None if booms.get(other) is BoomPosition.DOWN else f"{other}_boom_not_down"


def forbids_zeroing(seen: Surroundings) -> str | None:
    """Why the indicator may not be zeroed now, or None: what is called zero is taken off every weight that follows.

    Below `empty_below` only: more snow than that is shovelled, or zeroed at the indicator, in sight of the deck. So is
    what came at once, as a person does: whoever steps off afterwards would be missing from every weight.
    """
    stale = _known(Side.ENTRY, seen) or _fresh(Side.ENTRY, seen)
    if stale:
        return stale
    if seen.has_passage:
        return "vehicle_in_lane"
    if seen.is_platform_empty is not True:
        return "platform_not_empty" if seen.is_platform_empty is False else "platform_unknown"
    if seen.is_platform_at_rest is not True:
        return "weight_in_motion"
    if seen.may_be_somebody:
        return "somebody_on_platform"
    around = UNDER_BOOM[Side.ENTRY] | UNDER_BOOM[Side.EXIT]
    return _clear(around, seen)
