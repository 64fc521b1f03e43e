"""The shape of a site file. Unknown keys are mistakes; every number has its unit in its name and its bounds here."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import Annotated, Any, Final, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from config.visible import VisibleLine

IDENTIFIER: Final = r"^[A-Za-z0-9][A-Za-z0-9_-]{0,31}$"
Identifier = Annotated[str, StringConstraints(pattern=IDENTIFIER)]
Seconds = Annotated[float, Field(gt=0, le=3600, strict=True)]  # strict: true is no second
PerMille = Annotated[int, Field(ge=0, le=1000)]
Bit = Annotated[int, Field(ge=0, le=65535, strict=True)]  # strict: true is no number of an input


RefuseWay = Literal["back_out", "turn_back", "divert", "forward", "escort"]
InspectWay = Literal["yard_inside", "yard_before", "at_premises"]


class Shape(BaseModel):
    """Base: a misspelt key stops the start."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Name(Shape):
    """A name in both languages of the pages."""

    zh: VisibleLine
    en: VisibleLine


class Site(Shape):
    """This gate. `demo` true is loud on every page and takes only devices on loopback or pseudo-terminals.

    `keeps_vehicles_inside`: this site is the zone's only gate, so whoever is not in its ledger is outside. `gate`: its
    place where a slip passes two gates (一卡, 二卡); a slip not seen at the other one within
    `other_gate_within_min` minutes is listed and told (site decision).
    """

    id: Identifier
    name: Name
    demo: bool = False
    keeps_vehicles_inside: bool = False
    gate: Literal["single", "first", "second"] = "single"
    other_gate_within_min: int = Field(120, ge=1, le=100_000)


class Listen(Shape):
    """Where the service answers. Off loopback it wants TLS, or plain HTTP asked for in words."""

    host: str = "127.0.0.1"
    port: int = Field(8443, ge=0, le=65535)
    tls_certificate_file: str | None = None
    tls_key_file: str | None = None
    plain_http_off_loopback: bool = False


class Data(Shape):
    """Where the record lives. `url` empty is SQLite in `dir`; `postgresql://…` is the other choice."""

    dir: str
    url: str = ""
    disk_reserve_mb: int = Field(256, ge=16, le=1_000_000)
    keep_days: int = Field(184, ge=184, le=36_500)  # six calendar months: Cybersecurity Law article 23


class Central(Shape):
    """The central system (CONTRACT 3)."""

    base_url: str
    token_file: str
    poll_wait_s: Seconds = 20.0


class Slips(Shape):
    """Signed slips: `keys_file` holds the issuer's public keys as a JSON Web Key Set; read again when it changes."""

    keys_file: str | None = None


class Authority(Shape):
    """The zone authority's receiver (CONTRACT 5). `allow` lists host:port destinations that may be private."""

    url: str
    secret_file: str
    allow: list[str] = []


class ZoneUnit(Shape):
    """A storage unit of the zone. `exposed_people` gives alpha of GB 18218 (absent: R is not computed); `plan` is left,
    top, width and height of its rectangle on the plan, in per mille.
    """

    id: Annotated[str, StringConstraints(min_length=1, max_length=64)]
    name: Name | None = None
    exposed_people: int | None = Field(None, ge=0, le=1_000_000)
    plan: tuple[PerMille, PerMille, PerMille, PerMille] | None = None


class ZoneEnterprise(Shape):
    """An enterprise of the zone, by customs code, and the people exposed around it."""

    customs_code: Annotated[str, StringConstraints(min_length=1, max_length=32)]
    exposed_people: int | None = Field(None, ge=0, le=1_000_000)


class Zone(Shape):
    """What the zone authority's page needs to know of the zone beyond what passed the gate."""

    units: list[ZoneUnit] = []
    enterprises: list[ZoneEnterprise] = []


class Policy(Shape):
    """The rules' numbers. `file`: policy in TOML or JSON, absent the rules' default; `secret_file`: hex, for draws."""

    file: str | None = None
    secret_file: str | None = None


RoleName = Literal["operator", "supervisor", "auditor", "authority", "administrator", "customs", "device"]


class Oidc(Shape):
    """An OpenID Connect provider that people may sign in with. `roles`: value of `role_claim` to role, first wins."""

    issuer: str
    client_id: Annotated[str, StringConstraints(min_length=1, max_length=200)]
    client_secret_file: str | None = None
    role_claim: Annotated[str, StringConstraints(min_length=1, max_length=64)] = "groups"
    scopes: list[Annotated[str, StringConstraints(pattern=r"^[\x21-\x7e]{1,64}$")]] = ["openid", "profile"]
    roles: dict[str, RoleName] = Field(min_length=1)


class People(Shape):
    """Sessions and second factors. `lock_after_s`: a session whose person does nothing for so long is locked; 0 never.

    `second_factor_roles`: who must have a second factor; until they do only enrolling is open to them.
    """

    lock_after_s: int = Field(900, ge=0, le=86_400)
    second_factor_roles: list[RoleName] = []
    oidc: Oidc | None = None


class Demo(Shape):
    """Only for a demo site: shows what happens when a part fails or is left out."""

    inject: Literal["skip-interlock"] | None = None


class Module(Shape):
    """One I/O module."""

    name: Identifier
    url: str
    profile: str
    poll_ms: int = Field(50, ge=10, le=1000)


class Inputs(Shape):
    """Input numbers of a lane on its module; absent where the lane has none. Bit 1 is occupied, at the limit, on."""

    approach: Bit | None = None
    entry_loop: Bit | None = None
    entry_beam: Bit | None = None
    exit_beam: Bit | None = None
    exit_loop: Bit | None = None
    entry_up: Bit | None = None
    entry_down: Bit | None = None
    exit_up: Bit | None = None
    exit_down: Bit | None = None
    fire: Bit | None = None
    power_ok: Bit | None = None
    local_button: Bit | None = None
    power_fail: Bit | None = None
    entry_by_hand: Bit | None = None
    exit_by_hand: Bit | None = None
    far_approach: Bit | None = None  # of a reversible lane: loop beyond the exit boom
    queue: list[Bit] = Field(default=[], max_length=8)  # loops before the approach loop, the nearest first


NormallyClosed = Literal[
    "approach",
    "entry_loop",
    "entry_beam",
    "exit_beam",
    "exit_loop",
    "fire",
    "local_button",
    "power_fail",
    "far_approach",
]
"""Inputs that may read 0 for "there". Limits may not: a broken wire would be a boom at its limit."""


class SecondContacts(Shape):
    """Input numbers of the other contact of a detector's relay: it always reads the opposite, or a wire is broken."""

    approach: Bit | None = None
    entry_loop: Bit | None = None
    entry_beam: Bit | None = None
    exit_beam: Bit | None = None
    exit_loop: Bit | None = None


class Outputs(Shape):
    """Output numbers of a lane on its module."""

    entry_raise: Bit | None = None
    entry_lower: Bit | None = None
    exit_raise: Bit | None = None
    exit_lower: Bit | None = None
    entry_red: Bit | None = None
    entry_green: Bit | None = None
    exit_red: Bit | None = None
    exit_green: Bit | None = None
    back_out: Bit | None = None
    far_back_out: Bit | None = None  # of a reversible lane: lamp "drive back" at the exit end


class Barriers(Shape):
    """How the lane's booms move. Exactly one closes them: the controller of the barrier, or this service.

    `counts_pulses`: the controller stores open pulses, one vehicle each. `holds_open`: a held contact keeps a boom up.
    `interlocked`: both booms as an airlock, one rises only when the other is seen down.
    """

    closing: Literal["service", "controller"] = "service"
    interlocked: bool = False
    travel_s: Seconds = 8.0
    pulse_ms: int = Field(500, ge=50, le=5000)
    counts_pulses: bool = False
    holds_open: bool = False


class Weighbridge(Shape):
    """The lane's weighbridge and its plate. `interval_kg` is the verification interval e (class III).

    `unit` and `decimals` are what the display shows; a frame that says otherwise never counts as stable.
    """

    protocol: str
    port: str
    unit: Literal["kg", "t", "g", "lb"] = "kg"
    decimals: int | None = Field(None, ge=0, le=5)
    interval_kg: Decimal = Field(gt=0, le=1000)
    max_capacity_kg: Decimal = Field(gt=0, le=1_000_000)
    verified_until_at: datetime | None = None
    zero_band_kg: Decimal | None = Field(None, gt=0, le=1000)  # a band as wide as a truck would never see one
    options: dict[str, str] = {}


class Timing(Shape):
    """How long a lane waits for what; site decisions with the defaults of `lanes.settings`."""

    scan_wait_s: Seconds = 10.0
    plate_wait_s: Seconds = 3.0
    weigh_wait_s: Seconds = 30.0
    escalate_after_s: Seconds = 60.0


class Lane(Shape):
    """One lane."""

    id: Identifier
    name: Name
    kind: Literal["declared", "non_declared"]
    direction: Literal["inbound", "outbound"]
    hazmat: bool = False
    module: Identifier
    reversible: bool = False
    refuse_way: RefuseWay = "back_out"
    refuse_ways: list[RefuseWay] = ["back_out", "divert", "escort"]
    inspect_way: InspectWay = "yard_inside"
    inspect_ways: list[InspectWay] = ["yard_inside", "yard_before", "at_premises"]
    readers: Literal["approach", "platform"] | None = None  # None: approach where there is an entry barrier
    accept_unconfirmed_safe_state: bool = False
    inputs: Inputs
    normally_closed: list[NormallyClosed] = []
    second_contacts: SecondContacts = SecondContacts()
    outputs: Outputs
    barriers: Barriers = Barriers()
    weighbridge: Weighbridge | None = None
    timing: Timing = Timing()


class Point(Shape):
    """A place before the lanes with a reader and a display, where a vehicle is told its lane."""

    id: Identifier
    name: Name
    direction: Literal["inbound", "outbound"] | None = None


class SiteFile(Shape):
    """A whole site file."""

    site: Site
    listen: Listen = Listen()
    data: Data
    central: Central | None = None
    authority: Authority | None = None
    slips: Slips = Slips()
    zone: Zone = Zone()
    policy: Policy = Policy()
    people: People = People()
    demo: Demo = Demo()
    modules: list[Module] = Field(min_length=1)
    lanes: list[Lane] = Field(min_length=1)
    points: list[Point] = []


JsonDocument = dict[str, Any]
