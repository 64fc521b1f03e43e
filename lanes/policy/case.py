"""The case: everything one decision is made from, read from the document of CONTRACT 2 into frozen facts.

Left out means none, null means unknown or not looked at, an empty list or text means looked and nothing there.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal

from gate_service.domain.mass import Mass
from gate_service.domain.slip import DIRECTIONS, LANE_KINDS, Enterprise, Hold, Slip
from gate_service.domain.vehicle import comparable_plate
from lanes.policy.fields import LARGEST_SECONDS, Fields
from lanes.policy.policy import Policy
from lanes.policy.policy_reading import DEFAULT_POLICY, read_policy
from lanes.policy.slip_reading import read_enterprise, read_hold, read_slip

SOURCES = ("central", "local")
GATES = ("single", "first", "second")
CLAIMS = ("not_needed", "granted", "refused", "unavailable")


@dataclass(frozen=True, slots=True)
class LaneFacts:
    """The lane the vehicle stands in, or is asked about."""

    kind: str
    direction: str
    allows_hazmat: bool = False
    max_capacity: Mass | None = None
    interval: Mass | None = None
    verified_until: datetime | None = None


@dataclass(frozen=True, slots=True)
class VehicleFacts:
    """What was seen of the vehicle; None is not looked at, empty is looked and nothing there."""

    plate: str | None = None
    trailer_plate: str | None = None
    containers: tuple[str, ...] | None = None
    seals: tuple[str, ...] | None = None
    legal_limit: Mass | None = None
    other_plates: tuple[str, ...] = ()  # read of the same vehicle and different from `plate`


@dataclass(frozen=True, slots=True)
class WeightFacts:
    """One reading and its quality; unknown quality is not good quality."""

    gross: Mass | None = None
    status: str | None = None
    stable: bool = False
    fresh: bool = False
    whole: bool = False
    zeroed: bool = False

    @property
    def is_proven(self) -> bool:
        """Stable, fresh, of the whole vehicle, after a zero, and a weight at all."""
        return self.reported is not None and self.stable and self.fresh and self.whole and self.zeroed

    @property
    def reported(self) -> Mass | None:
        """The gross the indicator reports; a status other than ok is no weight (CONTRACT 2)."""
        return self.gross if self.status == "ok" else None


@dataclass(frozen=True, slots=True)
class SiteState:
    """State of the site as the rules need it."""

    clock_error_s: Decimal | None = Decimal(0)
    holds_as_of: datetime | None = None
    holds_as_of_is_left_out: bool = True
    devices_safe: bool = True
    record_writable: bool = True


@dataclass(frozen=True, slots=True)
class Declaration:
    """The ledger of one declaration."""

    number: str
    is_single_truck: bool
    total_gross: Mass | None
    passed_gross: Mass
    is_closed: bool


@dataclass(frozen=True, slots=True)
class RegisteredVehicle:
    """A line of the register of vehicles."""

    plate: str
    valid_from: datetime | None = None
    valid_until: datetime | None = None
    longest_stay_h: Decimal | None = None


@dataclass(frozen=True, slots=True)
class TemporaryExit:
    """Goods that left for a time."""

    slip_no: str | None
    customs_code: str | None
    return_due: datetime | None
    returned: datetime | None


@dataclass(frozen=True, slots=True)
class Known:
    """What the site knows besides the slips. Plates are in their comparable form."""

    declarations: tuple[Declaration, ...] = ()
    enterprises: tuple[Enterprise, ...] = ()
    vehicles: tuple[RegisteredVehicle, ...] = ()
    holds: tuple[Hold, ...] = ()
    tares: Mapping[str, tuple[Mass, ...]] = field(default_factory=dict)
    used: Mapping[str, int] = field(default_factory=dict)
    revoked: frozenset[str] = frozenset()
    inside: frozenset[str] | None = None
    inside_since: Mapping[str, datetime] = field(default_factory=dict)
    keys: tuple[Mapping[str, object], ...] = ()
    came_in: Mapping[str, Mass] = field(default_factory=dict)
    temporary_exits: tuple[TemporaryExit, ...] = ()


@dataclass(frozen=True, slots=True)
class Case:
    """One question to the rules."""

    lane: LaneFacts
    now: datetime
    site: str | None = None
    is_second_gate: bool = False
    scanned: str | None = None
    found_by: str = "scan"
    slips: tuple[Slip, ...] = ()
    vehicle: VehicleFacts = VehicleFacts()
    weight: WeightFacts = WeightFacts()
    source: str = "local"
    as_of: datetime | None = None
    claim: str = "unavailable"
    site_state: SiteState = SiteState()
    known: Known = Known()
    policy: Policy = DEFAULT_POLICY
    secret: bytes | None = None
    draws: Mapping[str, bool] = field(default_factory=dict)


def read_case(document: object) -> Case:
    """Read the document of `gate assess`; CaseError or PolicyError name the first place that cannot be judged."""
    fields = Fields(document, "$")
    slips = read_slips(fields)
    scanned = fields.text("scanned")
    now = fields.moment("now_at")
    if now is None:
        fields.fail("now_at", "a time with offset")
    site = fields.text("site")
    source = _source(fields)
    return Case(
        lane=_read_lane(fields),
        now=now,
        site=site,
        is_second_gate=fields.has("gate") and fields.chosen("gate", GATES) == "second",
        scanned=scanned,
        found_by=_found_by(fields, scanned, slips),
        slips=slips,
        vehicle=read_vehicle(fields.child("vehicle")),
        weight=_read_weight(fields.child("weight")),
        source=source,
        as_of=fields.moment("as_of"),
        claim=_claim(fields, source, slips, site),
        site_state=_read_site_state(fields),
        known=read_known(fields.child("known")),
        policy=read_policy(fields.raw("policy")),
        secret=read_secret(fields),
        draws=read_draws(fields),
    )


def read_slips(fields: Fields) -> tuple[Slip, ...]:
    """The presented slips in an order of their own: the order they came in must never matter."""
    slips = {read_slip(row) for row in fields.rows("slips")}
    return tuple(sorted(slips, key=lambda s: (s.slip_no, s.version or 0, repr(s) if len(slips) > 1 else "")))


def _read_lane(fields: Fields) -> LaneFacts:
    lane = fields.child("lane")
    if lane is None:
        fields.fail("lane", "an object")
    return LaneFacts(
        kind=lane.chosen("kind", LANE_KINDS),
        direction=lane.chosen("direction", DIRECTIONS),
        allows_hazmat=lane.flag("hazmat") is True,
        max_capacity=lane.mass("max_capacity_kg"),
        interval=lane.mass("interval_kg"),
        verified_until=lane.moment("verified_until_at"),
    )


def _found_by(fields: Fields, scanned: str | None, slips: tuple[Slip, ...]) -> str:
    """CONTRACT 2: `found_by` left out is scan. Null is unknown: slips that nobody scanned count as found by plate."""
    if not fields.has("found_by"):
        return "scan"
    if fields.raw("found_by") is None:
        return "plate" if slips and scanned is None else "scan"
    return fields.chosen("found_by", ("scan", "plate"))


def _source(fields: Fields) -> str:
    """RULES 6: central = the centre answered. Where nothing says so, it did not."""
    return "local" if fields.raw("source") is None else fields.chosen("source", SOURCES)


def is_bound_to(slip: Slip, site: str | None) -> bool:
    """RULES 6: `site_ids` is exactly this site."""
    return site is not None and slip.site_ids == {site}


def _claim(fields: Fields, source: str, slips: tuple[Slip, ...], site: str | None) -> str:
    """CONTRACT 2: claim left out is not_needed with central, unavailable with local unless bound to this site alone."""
    if fields.has("claim"):
        return "unavailable" if fields.raw("claim") is None else fields.chosen("claim", CLAIMS)
    if source == "central" or all(is_bound_to(s, site) for s in slips):
        return "not_needed"
    return "unavailable"


def read_vehicle(fields: Fields | None) -> VehicleFacts:
    """What was seen. A blank plate is no plate; a blank trailer plate is looked and no trailer there."""
    if fields is None:
        return VehicleFacts()
    trailer = fields.text("trailer_plate")
    if trailer is None and isinstance(fields.raw("trailer_plate"), str):
        trailer = ""
    return VehicleFacts(
        plate=fields.text("plate"),
        trailer_plate=trailer,
        containers=fields.texts("containers"),
        seals=fields.texts("seals"),
        legal_limit=fields.mass("legal_limit_kg"),
        other_plates=fields.texts("other_plates") or (),
    )


def _read_weight(fields: Fields | None) -> WeightFacts:
    """CONTRACT 2: a flag left out of `weight` is good, null is not; no weight at all is none."""
    if fields is None:
        return WeightFacts()
    return WeightFacts(
        gross=fields.mass("gross_kg", lowest_kg=None),
        status=fields.listed("status") if fields.has("status") else "ok",
        stable=fields.flag("stable", left_out=True) is True,
        fresh=fields.flag("fresh", left_out=True) is True,
        whole=fields.flag("whole", left_out=True) is True,
        zeroed=fields.flag("zeroed", left_out=True) is True,
    )


def _read_site_state(fields: Fields) -> SiteState:
    """CONTRACT 2: a flag left out of `site_state` is good, null is not; a null state is unknown in every part."""
    if not fields.has("site_state"):
        return SiteState()
    state = fields.child("site_state")
    if state is None:
        return SiteState(None, None, holds_as_of_is_left_out=False, devices_safe=False, record_writable=False)
    return SiteState(
        clock_error_s=state.number("clock_error_s", largest=LARGEST_SECONDS)
        if state.has("clock_error_s")
        else Decimal(0),
        holds_as_of=state.moment("holds_as_of"),
        holds_as_of_is_left_out=not state.has("holds_as_of"),
        devices_safe=state.flag("devices_safe", left_out=True) is True,
        record_writable=state.flag("record_writable", left_out=True) is True,
    )


def read_known(fields: Fields | None) -> Known:
    """What the site knows; every part left out is none."""
    if fields is None:
        return Known()
    inside = fields.texts("inside")
    return Known(
        declarations=tuple(_read_declaration(d) for d in fields.rows("declarations")),
        enterprises=tuple(read_enterprise(e) for e in fields.rows("enterprises")),
        vehicles=tuple(_read_registered(v) for v in fields.rows("vehicles")),
        holds=tuple(_read_listed_hold(h) for h in fields.rows("holds")),
        tares={comparable_plate(p): _read_tares(t, p) for p, t in fields.members("tares")},
        used={n: u.whole(n) or 0 for n, u in fields.members("used")},
        revoked=frozenset(fields.texts("revoked") or ()),
        inside=None if inside is None else frozenset(comparable_plate(p) for p in inside),
        inside_since={
            comparable_plate(p): at for p, t in fields.members("inside_since_at") if (at := t.moment(p)) is not None
        },
        keys=tuple(_key_of(k) for k in fields.rows("keys")),
        came_in={comparable_plate(p): m for p, t in fields.members("came_in_kg") if (m := t.mass(p)) is not None},
        temporary_exits=tuple(
            TemporaryExit(e.text("slip_no"), e.text("customs_code"), e.moment("return_due_at"), e.moment("returned_at"))
            for e in fields.rows("temporary_exits")
        ),
    )


def _key_of(fields: Fields) -> Mapping[str, object]:
    return {name: fields.raw(name) for name in ("kty", "crv", "x", "kid", "alg", "use") if fields.has(name)}


def _read_tares(table: Fields, plate: str) -> tuple[Mass, ...]:
    values = table.raw(plate)
    if values is None:
        return ()
    if not isinstance(values, list | tuple):
        table.fail(plate, "a list of kilograms, oldest first")
    row = Fields({f"{n}": v for n, v in enumerate(values)}, table.place(plate))
    return tuple(m for n in range(len(values)) if (m := row.mass(f"{n}")) is not None)


def _read_listed_hold(fields: Fields) -> Hold:
    hold = read_hold(fields)
    if hold.target_id is None:
        fields.fail("target", "an object with type and id")
    return hold


def _read_declaration(fields: Fields) -> Declaration:
    number = fields.text("number")
    if number is None:
        fields.fail("number", "a declaration number")
    return Declaration(
        number=number,
        is_single_truck=fields.raw("trucks") == "one",
        total_gross=fields.mass("total_gross_kg"),
        passed_gross=fields.mass("passed_gross_kg") or Mass(0),
        is_closed=fields.flag("closed") is True,
    )


def _read_registered(fields: Fields) -> RegisteredVehicle:
    plate = fields.text("plate")
    if plate is None:
        fields.fail("plate", "a plate")
    return RegisteredVehicle(
        plate=comparable_plate(plate),
        valid_from=fields.moment("valid_from_at"),
        valid_until=fields.moment("valid_until_at"),
        longest_stay_h=fields.number("longest_stay_h"),
    )


def read_secret(fields: Fields) -> bytes | None:
    """The day's secret in hex; none where it is null, left out or blank."""
    text = fields.text("secret")
    if text is None:
        return None
    try:
        return bytes.fromhex(text)
    except ValueError:
        fields.fail("secret", "hexadecimal digits or null")


def read_draws(fields: Fields) -> dict[str, bool]:
    """Draws made earlier for these slips and kept (RULES 3): the prefixed name to whether it was drawn."""
    return {name: drawn for name, t in fields.members("draws") if (drawn := t.flag(name)) is not None}
