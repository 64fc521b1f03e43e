"""What must never happen. Every boom command asks here first, whoever wants it; the answer names what is missing.

These are inhibitors, not the safety function: anti-crush belongs to the barrier's own controller (EN 12453).
"""

from __future__ import annotations

from collections.abc import Mapping
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


def _stale(seen: Surroundings) -> str | None:
    if seen.inputs is None or seen.inputs.unknown_because is not None:
        return "inputs_unknown"
    if seen.now_monotonic_s - seen.inputs.taken_monotonic_s > FRESH_S:
        return "inputs_stale"
    return None


def _not_clear(seen: Surroundings, detectors: frozenset[Detector]) -> str | None:
    inputs = seen.inputs
    if inputs is None:
        return "inputs_unknown"
    for detector in sorted(detectors & inputs.detectors.keys()):
        presence = inputs.detectors[detector]
        if presence is not Presence.CLEAR:
            return f"{detector}_{presence}"
        since = seen.clear_since_s.get(detector)
        if since is None or seen.now_monotonic_s - since < CLEAR_HOLD_S:
            return f"{detector}_not_clear_long_enough"
    return None


def forbids_lowering(side: Side, seen: Surroundings) -> str | None:
    """Why this boom may not be lowered now, or None. Presence unknown, stale or recent counts as presence."""
    if not seen.is_closing_ours:
        return "closing_belongs_to_controller"
    stale = _stale(seen)
    if stale:
        return stale
    inputs = seen.inputs
    if inputs is None or inputs.fire is not False:
        return "fire" if inputs is not None and inputs.fire else "fire_input_unknown"
    if not UNDER_BOOM[side] & inputs.detectors.keys():
        return "no_detector_under_boom"
    return _not_clear(seen, UNDER_BOOM[side])


def forbids_raising(reason: RaiseReason, seen: Surroundings) -> str | None:
    """Why a boom may not be raised now for this reason, or None. An emergency raise is never forbidden."""
    if reason in {RaiseReason.EMERGENCY, RaiseReason.REOPEN}:
        return None
    stale = _stale(seen)
    if stale:
        return stale
    if not seen.has_passage:
        return "no_passage"
    if reason is RaiseReason.ADMIT:
        return _forbids_admitting(seen)
    if reason is RaiseReason.RETURN:
        # The driver backs out blind: nobody may stand behind (RULES 8, back_out).
        return _not_clear(seen, frozenset({Detector.APPROACH}))
    return None


def forbids_zeroing(seen: Surroundings) -> str | None:
    """Why the indicator may not be zeroed now, or None: what is called zero is taken off every weight that follows.

    Below `empty_below` only: more snow than that is shovelled, or zeroed at the indicator, in sight of the deck.
    """
    stale = _stale(seen)
    if stale:
        return stale
    if seen.has_passage:
        return "vehicle_in_lane"
    if seen.is_platform_empty is not True:
        return "platform_not_empty" if seen.is_platform_empty is False else "platform_unknown"
    if seen.is_platform_at_rest is not True:
        return "weight_in_motion"
    return _not_clear(seen, UNDER_BOOM[Side.ENTRY] | UNDER_BOOM[Side.EXIT])


def _forbids_admitting(seen: Surroundings) -> str | None:
    inputs = seen.inputs
    if inputs is None:
        return "inputs_unknown"
    if inputs.booms.get(Side.EXIT, BoomPosition.DOWN) is not BoomPosition.DOWN:
        return "exit_boom_not_down"
    if seen.has_weighbridge and seen.is_platform_empty is not True:
        return "platform_not_empty" if seen.is_platform_empty is False else "platform_unknown"
    if seen.has_weighbridge and seen.is_zero_seen is not True:
        return "no_zero_seen"
    return _not_clear(seen, frozenset({Detector.ENTRY_BEAM, Detector.EXIT_BEAM, Detector.EXIT_LOOP}))
