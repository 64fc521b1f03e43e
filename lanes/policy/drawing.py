"""Which draws a case asks for, before they are made: the same conditions as the rules that look at them. Pure."""

from __future__ import annotations

from collections.abc import Iterable

from gate_service.domain.draws import WantedDraw
from gate_service.domain.vehicle import comparable_plate
from lanes.policy.case import Case
from lanes.policy.draws import SPOT, WEIGH
from lanes.policy.facts import assigned_tier, credit_of, is_within, service_tier
from lanes.policy.tiers import Tier, Weigh


def wanted_draws(case: Case) -> list[WantedDraw]:
    """Every draw with a rate above 0 that this case rests on: spot checks (RULES 3) and sampled weights (RULES 4)."""
    wanted = [*_of_slips(case)] if case.slips else [*_of_vehicle(case)]
    return [one for one in wanted if one.rate > 0]


def _of_slips(case: Case) -> Iterable[WantedDraw]:
    for slip in case.slips:
        credit = credit_of(slip, case)
        if slip.type == "5" and not slip.is_transit:
            yield WantedDraw(SPOT + slip.slip_no, case.policy.spot_check[credit], is_of_slip=True)
        yield from _weighing(assigned_tier(slip, case, credit), slip.slip_no, is_of_slip=True)


def _of_vehicle(case: Case) -> Iterable[WantedDraw]:
    plate = comparable_plate(case.vehicle.plate) if case.vehicle.plate else None
    if plate is None:
        return
    lines = [line for line in case.known.vehicles if line.plate == plate]
    if any(is_within(line.valid_from, case.now, line.valid_until) for line in lines):
        yield WantedDraw(SPOT + plate, case.policy.spot_check["service"], is_of_slip=False)
    yield from _weighing(service_tier(case), plate, is_of_slip=False)


def _weighing(tier: Tier, subject: str, *, is_of_slip: bool) -> Iterable[WantedDraw]:
    if tier.weigh is Weigh.SAMPLED:
        yield WantedDraw(WEIGH + subject, tier.rate, is_of_slip)
