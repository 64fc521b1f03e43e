"""What happens at the demo gate: one function per story, each a truck, its slip, the verdict to expect and the desk.

Pure: everything comes from the number of the truck, its random source and the day's secret.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import datetime
from random import Random
from typing import Any, Final

from devices.simulator.demo.draws import is_spot_checked
from devices.simulator.demo.site import DemoLane
from devices.simulator.demo.slips import (
    CHEMICALS,
    Load,
    container_of,
    plate_of,
    slip_for,
    trailer_of,
)

JsonDict = dict[str, Any]

VERDICT_OF: Final = {
    "wrong_lane_class": "refuse",
    "slip_used": "refuse",
    "weight_mismatch": "review",
    "plate_mismatch": "review",
    "plate_unread": "review",
    "hold": "inspect",
    "spot_check": "inspect",
}
_STRICTNESS: Final = ("release", "review", "inspect", "refuse")
_SERVICE_KINDS: Final = ("食堂送货车", "充电维护车", "园区班车")


@dataclass(frozen=True, slots=True)
class Expected:
    """What the default policy must say. `verdict` None: the truck leaves before anything is decided.

    `reasons` are those of the first decision; `final` is the verdict after a person supplied a missing fact.
    """

    verdict: str | None
    reasons: tuple[str, ...]
    final: str | None

    @classmethod
    def of(cls, reasons: tuple[str, ...]) -> Expected:
        """The strictest verdict of these reasons; no reason is a release."""
        verdict = max((VERDICT_OF[reason] for reason in reasons), key=_STRICTNESS.index, default="release")
        return cls(verdict, tuple(sorted(reasons)), verdict)


@dataclass(frozen=True, slots=True)
class Answer:
    """What the desk does when this truck waits for a person: a command, its reason code, and who.

    `fields` is the missing fact of a `resolve`.
    """

    command: str
    reason_code: str
    role: str = "operator"
    fields: JsonDict = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Visit:
    """One truck's visit: how it drives, what the centre knows of it, what must be decided, who acts."""

    number: int
    story: str
    lane: DemoLane
    load: Load | None
    mass_kg: int
    length_m: float
    plate_read: str | None
    expected: Expected
    answer: Answer | None = None
    gap_m: tuple[float, float] | None = None
    behaviour: str = "plain"
    is_used_elsewhere: bool = False
    is_registered: bool = False
    arrive_after_s: float = 0.0  # after the truck before it has gone from the lane

    @property
    def plate(self) -> str:
        """The plate bolted to the vehicle, as on its slip; the camera may see another."""
        return plate_of(self.number)

    @property
    def truck_id(self) -> str:
        """Its name in the yard."""
        return f"T{self.number:05d}"

    @property
    def slip_no(self) -> str | None:
        """The slip it presents."""
        return None if self.load is None else self.load.slip_no

    @property
    def is_hazmat(self) -> bool:
        """Whether its entry is told to the zone authority."""
        return self.load is not None and self.load.chemical is not None

    def slip(self, now: datetime) -> JsonDict | None:
        """Its slip in the public shape."""
        return None if self.load is None else slip_for(self.load, now)

    def to_yard(self) -> JsonDict:
        """As the yard process reads it."""
        load = self.load if self.lane.looks else None
        containers = [container_of(self.number)] if load and load.has_container else []
        return {
            "id": self.truck_id,
            "lane": self.lane.lane_id,
            "arrive_after_s": self.arrive_after_s,
            "length_m": self.length_m,
            "gap_m": None if self.gap_m is None else list(self.gap_m),
            "mass_kg": self.mass_kg,
            "plate": self.plate,
            "plate_read": self.plate_read,
            "trailer_plate_read": trailer_of(self.number) if load and load.has_trailer else None,
            "containers_read": containers if load else None,
            "seals_read": [f"E{self.number:06d}" for _ in containers] if load else None,
            "scan": [] if self.load is None else [self.load.slip_no],
            "behaviour": self.behaviour,
            "story": self.story,
        }


@dataclass(frozen=True, slots=True)
class Occasion:
    """What a story is told from: the truck's number, how often the story came before, where, and the draws."""

    number: int
    turn: int
    lane: DemoLane
    rng: Random
    secret: str


Teller = Callable[[Occasion], Visit]


@dataclass(frozen=True, slots=True)
class Story:
    """A kind of visit: its name, the lanes it can happen in, and the function that makes one."""

    name: str
    lanes: tuple[str, ...]
    tell: Teller


def _declared_load(at: Occasion) -> Load:
    """Goods with a declaration: an articulated lorry with a container, or a rigid one."""
    types = ("3", "2", "1", "4", "7") if at.lane.direction == "inbound" else ("3", "4", "2")
    slip_type = types[at.turn % len(types)]
    is_articulated = slip_type in {"2", "3"}
    return Load(
        number=at.number,
        slip_type=slip_type,
        direction=at.lane.direction,
        tare_kg=at.rng.randrange(7_600, 8_600, 20) if is_articulated else at.rng.randrange(9_000, 10_500, 20),
        goods_kg=at.rng.randrange(9_000, 22_000) if is_articulated else at.rng.randrange(4_000, 9_000),
        has_trailer=is_articulated,
        has_container=is_articulated,
        credit=at.rng.choice(("advanced", "registered")),
        site_ids=() if at.turn % 2 else ("K1",),  # a slip for any site is claimed at the centre first
    )


def _registered_load(at: Occasion) -> Load:
    """Gate-registered goods (type 5). The service lane does not weigh: only what the default policy exempts."""
    is_exempt = at.lane.link is None
    return Load(
        number=at.number,
        slip_type="5",
        direction=at.lane.direction,
        tare_kg=at.rng.randrange(3_600, 5_200, 20),
        goods_kg=at.rng.randrange(800, 3_600),
        category="office" if is_exempt else ("living", "other", "infrastructure")[at.turn % 3],
        credit="advanced" if is_exempt else "registered",
    )


def _load(at: Occasion) -> Load:
    tell = _declared_load if at.lane.kind == "declared" else _registered_load
    return tell(at)


def _mass_near(total_kg: int, rng: Random) -> int:
    """What the vehicle really weighs: fuel, driver and rounding, well inside every tier of the default policy."""
    return total_kg + rng.randint(-60, 60)


def _visit(at: Occasion, story: str, load: Load, reasons: tuple[str, ...] = ()) -> Visit:
    """A visit with a slip, its verdict with the draws taken in; its desk answer is that of the strictest verdict."""
    if load.slip_type == "5" and is_spot_checked(at.secret, load.slip_no, load.credit):
        reasons = (*reasons, "spot_check")
    expected = Expected.of(reasons)
    is_long = load.has_trailer
    return Visit(
        number=load.number,
        story=story,
        lane=at.lane,
        load=load,
        mass_kg=_mass_near(load.total_kg, at.rng),
        length_m=16.0 if is_long else 8.5 if load.slip_type == "5" else 11.0,
        gap_m=(4.6, 5.4) if is_long else None,
        plate_read=plate_of(load.number),
        expected=expected,
        answer=_answer_to(expected),
    )


def _answer_to(expected: Expected) -> Answer | None:
    """What the desk does by the verdict alone; review needs a story of its own."""
    if expected.verdict == "refuse":
        return Answer("turn_back", expected.reasons[0])
    if expected.verdict == "inspect":
        return Answer("inspect", expected.reasons[0])
    if expected.verdict == "review":
        return Answer("release", expected.reasons[0], role="supervisor")
    return None


def honest(at: Occasion) -> Visit:
    """Everything fits."""
    return _visit(at, "honest", _load(at))


def overloaded(at: Occasion) -> Visit:
    """Far more goods than declared: the supervisor turns every second one back and releases the others."""
    load = replace(_load(replace(at, turn=0)), slip_type="3" if at.lane.kind == "declared" else "5")
    visit = _visit(at, "overloaded", load, ("weight_mismatch",))
    visit = replace(visit, mass_kg=load.total_kg + max(2_400, load.total_kg * 18 // 100))
    if visit.expected.verdict == "review" and at.turn % 2 == 0:
        visit = replace(visit, answer=Answer("turn_back", "weight_mismatch"))
    return visit


def wrong_lane(at: Occasion) -> Visit:
    """Declared goods in a non-declared lane."""
    load = replace(_declared_load(at), slip_type="3", has_trailer=False, has_container=False)
    return _visit(at, "wrong_lane", load, ("wrong_lane_class",))


def used_slip(at: Occasion) -> Visit:
    """A slip for any site that another site has used already."""
    load = replace(_load(replace(at, turn=0)), site_ids=())
    visit = _visit(at, "used_slip", load, ("slip_used",))
    return replace(visit, is_used_elsewhere=True)


def differing_plate(at: Occasion) -> Visit:
    """The camera reads another plate than the slip names: released by the supervisor, or turned back, in turn."""
    load = replace(_load(replace(at, turn=0)), has_trailer=False, has_container=False)
    visit = _visit(at, "differing_plate", load, ("plate_mismatch",))
    if visit.expected.verdict == "review" and at.turn % 2 == 1:
        visit = replace(visit, answer=Answer("turn_back", "plate_mismatch"))
    return replace(visit, plate_read=plate_of(at.number + 50_000))


def on_hold(at: Occasion) -> Visit:
    """Customs wants to inspect this slip."""
    hold = {"kind": "inspection", "id": f"H{at.number:06d}", "reason": "布控查验", "placed_by": "示例海关"}
    load = replace(_load(at), holds=(hold,))
    return _visit(at, "on_hold", load, ("hold",))


def hazardous(at: Occasion) -> Visit:
    """A hazardous load, complete and right, in the lane that allows it."""
    chemical = CHEMICALS[at.turn % len(CHEMICALS)]
    load = replace(
        _declared_load(replace(at, turn=0)),
        chemical=chemical,
        has_container=False,
        has_trailer=False,
        site_ids=("K1",),
    )
    return _visit(at, "hazardous", load)


def empty(at: Occasion) -> Visit:
    """An empty vehicle with its slip (type 6)."""
    load = Load(at.number, "6", at.lane.direction, tare_kg=at.rng.randrange(8_000, 9_600, 20))
    return _visit(at, "empty", load)


def service_vehicle(at: Occasion) -> Visit:
    """A registered vehicle without a slip: canteen, charging, shuttle."""
    plate = plate_of(at.number)
    reasons = ("spot_check",) if is_spot_checked(at.secret, plate, "service") else ()
    expected = Expected.of(reasons)
    return Visit(
        number=at.number,
        story="service_vehicle",
        lane=at.lane,
        load=None,
        mass_kg=at.rng.randrange(2_400, 4_200),
        length_m=6.5,
        plate_read=plate,
        expected=expected,
        answer=_answer_to(expected),
        is_registered=True,
    )


def unread_plate(at: Occasion) -> Visit:
    """Mud on the plate: the operator reads it from the picture and supplies it; the rules run again."""
    load = replace(_load(replace(at, turn=0)), has_trailer=False, has_container=False)
    visit = _visit(at, "unread_plate", load, ("plate_unread",))
    reasons = tuple(reason for reason in visit.expected.reasons if reason != "plate_unread")
    after = Expected.of(reasons)
    return replace(
        visit,
        plate_read=None,
        expected=replace(visit.expected, final=after.verdict),
        answer=Answer("resolve", "plate_unread", fields={"plate": plate_of(at.number)}),
    )


def gives_up(at: Occasion) -> Visit:
    """Drives up, thinks better of it and backs out before anything is decided."""
    visit = _visit(at, "gives_up", replace(_load(replace(at, turn=0)), site_ids=("K1",)))
    return replace(visit, expected=Expected(None, (), None), answer=None, behaviour="gives_up")


STORIES: Final = (
    Story("honest", ("in-d1", "out-d1"), honest),
    Story("service_vehicle", ("in-s1",), service_vehicle),
    Story("empty", ("out-n1", "in-n1"), empty),
    Story("overloaded", ("in-d1", "out-d1", "out-n1"), overloaded),
    Story("wrong_lane", ("in-n1", "out-n1"), wrong_lane),
    Story("on_hold", ("out-d1", "in-d1"), on_hold),
    Story("hazardous", ("in-d1",), hazardous),
    Story("differing_plate", ("out-n1", "in-n1", "out-d1"), differing_plate),
    Story("used_slip", ("out-d1", "in-d1"), used_slip),
    Story("gives_up", ("in-n1", "out-n1"), gives_up),
    Story("unread_plate", ("out-d1", "in-n1"), unread_plate),
    Story("honest", ("in-n1", "in-s1", "out-n1"), honest),
)
"""One round: every story of the demo once. The first lane listed wins where the queues are equally long."""
