"""Which lane a vehicle should take, before it takes one, and why not the others: RULES 1, `gate route`. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, Final

from gate_service.domain.hazmat import small_quantities
from gate_service.domain.mass import Mass
from gate_service.domain.slip import DIRECTIONS, LANE_KINDS, Slip
from lanes.policy.case import (
    Case,
    LaneFacts,
    read_draws,
    read_known,
    read_secret,
    read_slips,
    read_vehicle,
)
from lanes.policy.facts import belongs_on_declared_lane, credit_of, declared_total, slip_tiers
from lanes.policy.fields import Fields
from lanes.policy.policy import Policy
from lanes.policy.policy_reading import read_policy

# Routing judges no limit in time; the case it shares with the rules needs some moment.
_NO_MOMENT: Final = datetime(2000, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class LaneOption:
    """A lane as routing sees it. An unknown queue or passage time is longer than every known one."""

    lane_id: str
    kind: str
    direction: str
    is_open: bool
    is_healthy: bool
    allows_hazmat: bool
    weighs: bool
    max_capacity: Mass | None
    queue: Decimal | None
    mean_passage_s: Decimal | None

    @property
    def wait_s(self) -> Decimal | None:
        """Expected wait: queue times mean passage time; None where one of them is unknown."""
        if self.queue is None or self.mean_passage_s is None:
            return None
        return self.queue * self.mean_passage_s


@dataclass(frozen=True, slots=True)
class Routing:
    """The chosen lane, and every lane that does not fit with all its failed conditions."""

    lane_id: str | None
    refused: dict[str, list[str]]

    def as_document(self) -> dict[str, Any]:
        """The answer of `gate route` (CONTRACT 2)."""
        return {"lane": self.lane_id, "refused": self.refused}


@dataclass(frozen=True, slots=True)
class _Load:
    """What the vehicle asks of a lane, whichever lane it is."""

    slips: tuple[Slip, ...]
    declared: Mass | None
    needs_hazmat: bool
    policy: Policy


def read_lane_option(fields: Fields) -> LaneOption:
    """One lane; only what is said to be open and healthy is, `weighs` left out is true (CONTRACT 2)."""
    lane_id = fields.text("id")
    if lane_id is None:
        fields.fail("id", "a lane id")
    return LaneOption(
        lane_id=lane_id,
        kind=fields.chosen("kind", LANE_KINDS),
        direction=fields.chosen("direction", DIRECTIONS),
        is_open=fields.flag("open") is True,
        is_healthy=fields.flag("healthy") is True,
        allows_hazmat=fields.flag("hazmat") is True,
        weighs=fields.flag("weighs", left_out=True) is True,
        max_capacity=fields.mass("max_capacity_kg"),
        queue=fields.number("queue") if fields.has("queue") else Decimal(0),
        mean_passage_s=fields.number("mean_passage_s") if fields.has("mean_passage_s") else Decimal(0),
    )


def needs_hazmat_lane(slips: tuple[Slip, ...]) -> bool:
    """RULES 1: a lane "that allow[s] hazardous goods if there are any"; freed small quantities need none (RULES 5)."""
    lines = [line for s in slips for line in s.goods if line.is_hazardous]
    small = small_quantities(lines)
    return any(not small.frees(line) for line in lines)


def failed_conditions(lane: LaneOption, load: _Load, *, is_weighed: bool) -> Iterator[str]:
    """Every condition this lane fails, in the order of the contract."""
    if not lane.is_open:
        yield "lane_closed"
    if not lane.is_healthy:
        yield "device_unhealthy"
    if not _class_fits(lane, load):
        yield "wrong_lane_class"
    if any(slip.direction != lane.direction for slip in load.slips):
        yield "wrong_direction"
    if lane.max_capacity is not None and load.declared is not None and lane.max_capacity < load.declared:
        yield "over_capacity"
    if load.needs_hazmat and not lane.allows_hazmat:
        yield "hazmat_lane"
    if is_weighed and not lane.weighs:
        yield "no_weighbridge"


def _class_fits(lane: LaneOption, load: _Load) -> bool:
    """A vehicle without a slip is taken for a service vehicle, which belongs to the non-declared class."""
    declared = [belongs_on_declared_lane(s, load.policy) for s in load.slips] or [False]
    if lane.kind == "non_declared":
        return not any(declared)
    return all(declared) or load.policy.register_on_declared_lane


def choose(lanes: list[LaneOption], case: Case) -> Routing:
    """The fitting lane with the shortest wait; ties go to the first listed. `case.lane` is not used."""
    load = _Load(case.slips, declared_total(case.slips), needs_hazmat_lane(case.slips), case.policy)
    credits_by_slip = {s.slip_no: credit_of(s, case) for s in case.slips}
    refused: dict[str, list[str]] = {}
    fitting: list[LaneOption] = []
    for lane in lanes:
        # The tier may depend on the lane's kind and direction: it is asked for each lane.
        here = replace(case, lane=LaneFacts(kind=lane.kind, direction=lane.direction))
        is_weighed = any(t.is_weighed for t in slip_tiers(here, credits_by_slip))
        failed = list(failed_conditions(lane, load, is_weighed=is_weighed))
        if failed:
            refused[lane.lane_id] = failed
        else:
            fitting.append(lane)
    best = min(fitting, key=lambda o: (o.wait_s is None, o.wait_s or Decimal(0)), default=None)
    return Routing(best.lane_id if best else None, refused)


def read_routing(document: object) -> tuple[list[LaneOption], Case]:
    """Read the document of `gate route`; CaseError or PolicyError name the first mistake."""
    fields = Fields(document, "$")
    lanes = [read_lane_option(row) for row in fields.rows("lanes")]
    seen: set[str] = set()
    for n, lane in enumerate(lanes):
        if lane.lane_id in seen:
            fields.rows("lanes")[n].fail("id", "an id no other lane has")
        seen.add(lane.lane_id)
    case = Case(
        lane=LaneFacts(kind="declared", direction="inbound"),
        now=_NO_MOMENT,
        slips=read_slips(fields),
        vehicle=read_vehicle(fields.child("vehicle")),
        known=read_known(fields.child("known")),
        policy=read_policy(fields.raw("policy")),
        secret=read_secret(fields),
        draws=read_draws(fields),
    )
    return lanes, case


def route_document(document: object) -> dict[str, Any]:
    """The document of `gate route` to its answer."""
    lanes, case = read_routing(document)
    return choose(lanes, case).as_document()
