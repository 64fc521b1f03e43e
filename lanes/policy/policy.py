"""Policy as data: what a sound policy holds. `policy_reading` reads it and names every mistake.

Firm rules are not here: they are enforced where they are judged, on properties and not on names, so that no policy can
undo them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import Final

from gate_service.domain.slip import CATEGORIES, CREDITS, DIRECTIONS, LANE_KINDS, TYPES
from lanes.policy.tiers import Tier

SERVICE: Final = "service"
CONDITION_VALUES: Final[Mapping[str, tuple[object, ...]]] = {
    "direction": DIRECTIONS,
    "lane_kind": LANE_KINDS,
    "type": (*TYPES, SERVICE),
    "category": CATEGORIES,
    "grade": (1, 2),
    "credit": CREDITS,
    "hazmat": (True, False),
    "controls": (True, False),
}


@dataclass(frozen=True, slots=True)
class Line:
    """One line of `assign`: every given condition must hold."""

    when: Mapping[str, frozenset[object]]
    tier: str

    def holds_for(self, properties: Mapping[str, object]) -> bool:
        """Whether every condition allows the property's value."""
        return all(properties[key] in allowed for key, allowed in self.when.items())


@dataclass(frozen=True, slots=True)
class Offline:
    """How old local knowledge may be, in hours."""

    slip_max_age_h: Fraction
    hazmat_max_age_h: Fraction
    hold_max_age_h: Fraction


@dataclass(frozen=True, slots=True)
class Policy:
    """A policy that has been found sound."""

    version: str
    tiers: Mapping[str, Tier]
    assign: tuple[Line, ...]
    declared_types: frozenset[str]
    register_on_declared_lane: bool
    spot_check: Mapping[str, Fraction]
    override: Mapping[str, str]
    override_budget: Mapping[str, int]
    offline: Offline

    @property
    def strict(self) -> Tier:
        """The narrowest of the three tiers every policy has."""
        return self.tiers["strict"]

    @property
    def standard(self) -> Tier:
        """The middle one: the bound of outbound goods."""
        return self.tiers["standard"]
