"""What several rules need from one case, worked out once: register, credit, tiers, declared total, hazardous lines."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from fractions import Fraction

from gate_service.domain.hazmat import SmallQuantities, small_quantities
from gate_service.domain.mass import Mass
from gate_service.domain.slip import CREDITS, GoodsLine, Slip
from gate_service.domain.slip_code import looks_like_token
from gate_service.domain.vehicle import comparable_container, comparable_plate
from lanes.policy.case import Case, RegisteredVehicle, TemporaryExit
from lanes.policy.draws import WEIGH, is_drawn
from lanes.policy.policy import SERVICE, Policy
from lanes.policy.signature import SignatureFinding, verify_scanned, verify_signature
from lanes.policy.tiers import Tier, Weigh, narrowed, strictest_tier, within_bound


@dataclass(frozen=True, slots=True)
class SlipTier:
    """The tier of one slip (or of a vehicle without one) and whether its draw asks for a weight."""

    tier: Tier
    is_weighed: bool


@dataclass(frozen=True, slots=True)
class Facts:
    """One case with what follows from it."""

    case: Case
    plate: str | None
    registered: tuple[RegisteredVehicle, ...]
    credits: Mapping[str, str]
    hazardous_lines: tuple[tuple[Slip, GoodsLine], ...]
    small: SmallQuantities
    declared: Mass | None
    tier: Tier
    is_weighed: bool
    signatures: Mapping[str, SignatureFinding]
    scanned_token: SignatureFinding | None
    tare_history: tuple[Mass, ...]

    @property
    def policy(self) -> Policy:
        """The policy of the case."""
        return self.case.policy

    @property
    def is_service(self) -> bool:
        """A vehicle without a slip: nothing presented, nothing scanned."""
        return not self.case.slips and self.case.scanned is None

    @property
    def scanned_number(self) -> str | None:
        """The slip number that was scanned, bare or inside a token that verifies."""
        return self.scanned_token.slip_no if self.scanned_token else self.case.scanned

    @property
    def valid_registration(self) -> RegisteredVehicle | None:
        """The register's line that is valid now, both ends inclusive."""
        now = self.case.now
        return next((r for r in self.registered if is_within(r.valid_from, now, r.valid_until)), None)

    @property
    def judged_slips(self) -> tuple[Slip, ...]:
        """The slips section 3 judges whole: all but transit (RULES 3)."""
        return tuple(s for s in self.case.slips if not s.is_transit)

    @property
    def is_outbound(self) -> bool:
        """The way this lane leads."""
        return self.case.lane.direction == "outbound"

    @property
    def proven_gross(self) -> Mass | None:
        """The weight that may decide: proven, and from a weighbridge whose verification is in date (firm)."""
        weight, until = self.case.weight, self.case.lane.verified_until
        if not weight.is_proven or (until is not None and self.case.now > until):
            return None
        return weight.gross


def is_within(start: datetime | None, now: datetime, end: datetime | None) -> bool:
    """RULES 2: both ends inclusive, null is open."""
    return (start is None or now >= start) and (end is None or now <= end)


def credit_of(slip: Slip, case: Case) -> str:
    """The credit that counts.

    RULES 4: "the enterprise register's credit wins over the slip's"; "unknown credit (null, missing, not in the list)
    counts as dishonest". A register line that states no credit at all says nothing; one that states null is unknown.
    """
    enterprise = slip.enterprise
    if enterprise is None:
        return "dishonest"
    names = enterprise.identifiers
    stated = [e.credit for e in case.known.enterprises if e.has_credit and names & e.identifiers]
    found = stated or [enterprise.credit]
    known = [c if c is not None and c in CREDITS else "dishonest" for c in found]
    return max(known, key=CREDITS.index)


def awaited_returns(slip: Slip, case: Case) -> Iterator[TemporaryExit]:
    """RULES 3, `return_overdue`: what this slip's enterprise took out before and has not brought back.

    Only a slip that is itself a temporary exit (`return_due_at` set) asks.
    """
    if slip.return_due is None or slip.enterprise is None:
        return
    for earlier in case.known.temporary_exits:
        is_other = earlier.slip_no != slip.slip_no
        if is_other and earlier.returned is None and earlier.customs_code in slip.enterprise.identifiers:
            yield earlier


def assigned_tier(slip: Slip, case: Case, credit: str) -> Tier:
    """The tier of one slip: the first matching line, then the firm bounds on properties (RULES 4)."""
    policy = case.policy
    properties: dict[str, object] = {
        "direction": case.lane.direction,
        "lane_kind": case.lane.kind,
        "type": slip.type,
        "category": slip.category,
        "grade": slip.grade,
        "credit": credit,
        "hazmat": slip.is_hazardous,
        "controls": slip.is_controlled,
    }
    tier = _first_match(policy, properties)
    is_sensitive = slip.is_hazardous or slip.is_controlled or credit == "dishonest"
    # Type 6 carries no goods; a type outside the list is taken for goods.
    is_outbound_goods = case.lane.direction == "outbound" and slip.type != "6"
    if is_sensitive:
        bound = narrowed(policy.strict, policy.standard) if is_outbound_goods else policy.strict
    elif is_outbound_goods:
        bound = policy.standard
    else:
        return tier
    return tier if within_bound(tier, bound, slip) else bound


def service_tier(case: Case) -> Tier:
    """The tier of a vehicle without a slip: type `service`, no credit, no goods."""
    return _first_match(
        case.policy,
        {
            "direction": case.lane.direction,
            "lane_kind": case.lane.kind,
            "type": SERVICE,
            "category": None,
            "grade": None,
            "credit": None,
            "hazmat": False,
            "controls": False,
        },
    )


def _first_match(policy: Policy, properties: Mapping[str, object]) -> Tier:
    """The tier of the first line that holds; where none does, the narrowest one there is."""
    for line in policy.assign:
        if line.holds_for(properties):
            return policy.tiers[line.tier]
    return policy.strict


def declared_total(slips: tuple[Slip, ...]) -> Mass | None:
    """The declared total of the vehicle, or None where it is not known.

    RULES 4: "for one slip its total_kg; for several, vehicle, trailer and containers once each plus every slip's goods
    gross. One of several without weights makes it unknown". Where slips give the same part different tares, the
    larger counts, so that their order does not.
    """
    if len(slips) <= 1:
        return slips[0].total if slips else None
    goods = Mass(0)
    for slip in slips:
        if slip.goods_gross is None and slip.type != "6":
            return None
        goods = goods + (slip.goods_gross or Mass(0))
    tares = [s.tare for s in slips if s.tare is not None]
    if not tares:
        return None
    trailers = {
        comparable_plate(s.trailer_plate or ""): s.trailer_tare
        for s in sorted(slips, key=lambda s: s.trailer_tare or Mass(0))
        if s.trailer_tare is not None
    }
    if len(trailers) > 1:  # a tare without a plate is the same trailer as the named one
        trailers.pop("", None)
    return sum(trailers.values(), max(tares)) + goods + containers_tare(slips)


def containers_tare(slips: Iterable[Slip]) -> Mass:
    """The tare of every container once; an unknown tare counts as nothing."""
    largest: dict[str, Mass] = {}
    for container in (c for s in slips for c in s.containers):
        number = comparable_container(container.number)
        largest[number] = max(largest.get(number, Mass(0)), container.tare or Mass(0))
    return sum(largest.values(), Mass(0))


def trailer_tare(slips: Iterable[Slip]) -> Mass:
    """The tare of the trailer as the slips declare it."""
    return max((s.trailer_tare for s in slips if s.trailer_tare is not None), default=Mass(0))


def median_grams(values: Iterable[Mass]) -> Fraction:
    """The median; of an even number of values, the middle between the two middle ones."""
    ordered = sorted(v.grams for v in values)
    middle = len(ordered) // 2
    return Fraction(ordered[middle]) if len(ordered) % 2 else Fraction(ordered[middle - 1] + ordered[middle], 2)


def belongs_on_declared_lane(slip: Slip, policy: Policy) -> bool:
    """Whether the slip belongs on a declared lane."""
    return slip.type in policy.declared_types


def slip_tiers(case: Case, credits_by_slip: Mapping[str, str]) -> list[SlipTier]:
    """One tier per slip, or one for the vehicle without a slip, each with its draw."""
    if not case.slips:
        plate = comparable_plate(case.vehicle.plate) if case.vehicle.plate else ""
        return [_with_draw(service_tier(case), plate, case)]
    return [_with_draw(assigned_tier(s, case, credits_by_slip[s.slip_no]), s.slip_no, case) for s in case.slips]


def _with_draw(tier: Tier, subject: str, case: Case) -> SlipTier:
    """RULES 4: the tier weighs always, or is sampled and its draw is below the rate."""
    if tier.weigh is not Weigh.SAMPLED:
        return SlipTier(tier, tier.weigh is Weigh.ALWAYS)
    return SlipTier(tier, is_drawn(WEIGH, subject, tier.rate, case.secret, case.draws))


def gather(case: Case) -> Facts:
    """Work out what the rules share."""
    plate = comparable_plate(case.vehicle.plate) if case.vehicle.plate else None
    credits_by_slip = {s.slip_no: credit_of(s, case) for s in case.slips}
    declared = declared_total(case.slips)
    tiers = slip_tiers(case, credits_by_slip)
    hazardous = tuple((s, line) for s in case.slips for line in s.goods if line.is_hazardous)
    return Facts(
        case=case,
        plate=plate,
        registered=tuple(r for r in case.known.vehicles if r.plate == plate),
        credits=credits_by_slip,
        hazardous_lines=hazardous,
        small=small_quantities(line for _, line in hazardous),
        declared=declared,
        tier=strictest_tier((t.tier for t in tiers), declared),
        is_weighed=any(t.is_weighed for t in tiers),
        signatures={s.slip_no: verify_signature(s, case) for s in case.slips if s.signature},
        scanned_token=verify_scanned(case) if case.scanned and looks_like_token(case.scanned) else None,
        tare_history=case.known.tares.get(plate, ()) if plate else (),
    )
