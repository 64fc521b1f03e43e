"""A reversible lane turned round: what stands at one end is then at the other. Pure.

The automaton always drives from approach over entry to exit; turned, the far approach is its approach and the exit boom
its entry boom. Wires stay where they are: only their meaning is exchanged.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Final, TypeVar

from gate_service.domain.reading import Detector, LaneInputs, Presence, Side

T = TypeVar("T")

DIRECTIONS: Final = ("inbound", "outbound")
OTHER_END: Final[Mapping[Detector, Detector]] = {
    Detector.ENTRY_LOOP: Detector.EXIT_LOOP,
    Detector.EXIT_LOOP: Detector.ENTRY_LOOP,
    Detector.ENTRY_BEAM: Detector.EXIT_BEAM,
    Detector.EXIT_BEAM: Detector.ENTRY_BEAM,
}


def opposite(side: Side) -> Side:
    """The other end."""
    return Side.EXIT if side is Side.ENTRY else Side.ENTRY


def turned_sides(by_side: Mapping[Side, T]) -> dict[Side, T]:
    """Booms, barriers or lights as the turned lane names them (and back again)."""
    return {opposite(side): what for side, what in by_side.items()}


def turned_inputs(inputs: LaneInputs) -> LaneInputs:
    """One look at the inputs as the turned lane names them. Queue loops stand before the near end: none is known."""
    detectors = {
        OTHER_END[detector]: presence for detector, presence in inputs.detectors.items() if detector in OTHER_END
    }
    if inputs.far_approach is not None:
        detectors[Detector.APPROACH] = inputs.far_approach
    return replace(
        inputs,
        detectors=detectors,
        booms=turned_sides(inputs.booms),
        far_approach=inputs.detectors.get(Detector.APPROACH, Presence.UNKNOWN),
        queue=(),
    )
