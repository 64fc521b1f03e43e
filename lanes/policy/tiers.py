"""Weight tiers (RULES 4): how a tier weighs, what it allows, which of two is stricter, and the firm bounds."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from enum import IntEnum
from fractions import Fraction
from typing import Final

from gate_service.domain.mass import ZERO, Mass
from gate_service.domain.slip import Slip

HUNDRED: Final = 100
# OIML R 76-1, class III: maximum permissible errors in service are twice those at verification (0.5, 1, 1.5 e).
_IN_SERVICE_STEPS: Final = ((500, 1), (2000, 2))
_IN_SERVICE_LAST: Final = 3


class Weigh(IntEnum):
    """When a tier asks for a weight; larger is stricter."""

    NEVER = 0
    SAMPLED = 1
    ALWAYS = 2


@dataclass(frozen=True, slots=True)
class Tier:
    """One named tier of a policy."""

    name: str
    weigh: Weigh
    compare: bool = True
    tolerance: Mass = ZERO
    tolerance_pct: Fraction = Fraction(0)
    cap: Mass | None = None
    rate: Fraction = Fraction(0)

    @property
    def compares(self) -> bool:
        """A weight that is there is compared even where the draw did not ask, except in exempt and record (RULES 4)."""
        return self.compare and self.weigh is not Weigh.NEVER

    def allowed(self, base: Fraction | int) -> Fraction:
        """Grams allowed on a base mass in grams, without the instrument's limit: max(kg, pct %), at most the cap."""
        allowed = max(Fraction(self.tolerance.grams), self.tolerance_pct * base / HUNDRED)
        return allowed if self.cap is None else min(allowed, Fraction(self.cap.grams))


def instrument_limit(load: Mass, interval: Mass | None) -> int:
    """In-service limit of error in grams at the measured load: 1 e up to 500 e, 2 e up to 2 000 e, else 3 e."""
    if interval is None or interval.grams == 0:
        return 0
    for up_to, intervals in _IN_SERVICE_STEPS:
        if abs(load.grams) <= up_to * interval.grams:
            return intervals * interval.grams
    return _IN_SERVICE_LAST * interval.grams


def is_no_wider(tier: Tier, bound: Tier) -> bool:
    """Whether `tier` allows at no declared total more than `bound`.

    Both allowances are straight between their corners, so it is enough to compare at every corner and beyond the last.
    """
    corners = {Fraction(0)}
    for t in (tier, bound):
        if t.tolerance_pct:
            corners.add(t.tolerance.grams * HUNDRED / t.tolerance_pct)
            if t.cap is not None:
                corners.add(t.cap.grams * HUNDRED / t.tolerance_pct)
    last = max(corners)
    corners |= {last + 1, 2 * last + 2}
    beyond = tier.tolerance_pct if tier.cap is None else Fraction(0)
    bound_beyond = bound.tolerance_pct if bound.cap is None else Fraction(0)
    return beyond <= bound_beyond and all(tier.allowed(c) <= bound.allowed(c) for c in corners)


def narrowed(tier: Tier, other: Tier) -> Tier:
    """The tier with the smaller cap of the two: where `tier` is no wider in both numbers, the narrower of both always.

    Only a cap can make `strict` wider than `standard`; what both bounds hold for must keep both (RULES 4).
    """
    caps = [t.cap for t in (tier, other) if t.cap is not None]
    return replace(tier, cap=min(caps)) if caps else tier


def strictness(tier: Tier, declared: Mass | None) -> tuple[object, ...]:
    """Sort key, strictest first: weighs always before sampled before never, compared before not, then the narrower.

    Narrower is told at the declared total where it is known, else by percentage and kilograms.
    """
    at_total = tier.allowed(declared.grams) if declared is not None else Fraction(0)
    return (-tier.weigh, not tier.compare, at_total, tier.tolerance_pct, tier.tolerance, -tier.rate, tier.name)


def strictest_tier(tiers: Iterable[Tier], declared: Mass | None) -> Tier:
    """RULES 4: the strictest slip's tier counts for the vehicle."""
    return min(tiers, key=lambda tier: strictness(tier, declared))


def within_bound(tier: Tier, bound: Tier, slip: Slip) -> bool:
    """Whether an assigned tier keeps the firm bound: always weighed and compared, and no wider.

    RULES 4: "transit goods and slips without weights may be recorded only".
    """
    if tier.weigh is not Weigh.ALWAYS:
        return False
    if not tier.compare:
        return slip.is_transit or slip.has_no_weights
    return is_no_wider(tier, bound)
