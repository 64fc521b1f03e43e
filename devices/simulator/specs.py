"""What a plan tells the yard: lanes and trucks, read from the plan's JSON. Unknown keys are ignored.

A plan comes from the demo or from a test, never from a site; a mistake in it raises `PlanError` with its place.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

BEHAVIOURS: Final = (
    "plain",
    "slow",
    "gives_up",
    "tailgates",
    "creeps_behind",
    "stops_under_boom",
    "leaves_on_red",
)
"""What drivers do. `gives_up` backs out of the approach by himself; `leaves_on_red` goes as soon as a boom is up;
`creeps_behind` tailgates and stands under the entry boom for `pause_s` before going on to the platform."""

AFTER: Final = ("lane", "approach", "bumper")
"""What the next truck of a lane waits for: the previous one gone from the lane, or only from the approach; `bumper`
drives up at once and stands close behind it."""

COMES_FROM: Final = ("near", "far")
"""At which end of its lane a truck comes up: `far` drives a reversible lane that is turned."""


class PlanError(ValueError):
    """A plan cannot be played; says where, what was expected and what was found."""


@dataclass(frozen=True, slots=True)
class WeighbridgeSpec:
    """A weighbridge: its link (`tcp` listener or `pty`), the indicator's interval and capacity, a fixed port or 0."""

    link: str = "tcp"
    interval_kg: int = 20
    max_capacity_kg: int = 80_000
    port: int = 0


@dataclass(frozen=True, slots=True)
class LaneSpec:
    """One lane and what stands on it. `io_port` 0: any free port.

    `watchdog_s`: as an engineer left the module's watchdog at commissioning, real seconds; 0 is off, as delivered.
    """

    id: str
    weighbridge: WeighbridgeSpec | None = WeighbridgeSpec()
    entry_barrier: bool = True
    exit_barrier: bool = True
    io_port: int = 0
    watchdog_s: float = 0.0
    reversible: bool = False  # with a loop before its far end, too


@dataclass(frozen=True, slots=True)
class TruckSpec:
    """One truck. `gap_m`: from, to, metres behind the front, where the chassis is too high for a loop.

    `arrive_after_s`: yard seconds after the truck before it has cleared (`after`), or after the start. Lanes are FIFO.
    `*_read` is what camera and scanner make of it; None stands in the message as null. `patience_s`, `dwell_s`,
    `pause_s` are yard seconds, None: drawn from the seed.
    """

    id: str
    lane: str
    length_m: float = 16.0
    mass_kg: int = 30_000
    plate: str = ""
    arrive_after_s: float = 2.0
    after: str = "lane"
    gap_m: tuple[float, float] | None = None
    plate_read: str | None = None
    trailer_plate_read: str | None = None
    containers_read: tuple[str, ...] | None = None
    seals_read: tuple[str, ...] | None = None
    scan: tuple[str, ...] = ()
    behaviour: str = "plain"
    comes_from: str = "near"
    dwell_s: float | None = None
    patience_s: float = 25.0
    pause_s: float = 15.0
    story: str = ""


@dataclass(frozen=True, slots=True)
class Plan:
    """A whole play: the same seed, lanes, trucks and commands give the same positions."""

    lanes: tuple[LaneSpec, ...]
    trucks: tuple[TruckSpec, ...] = ()
    seed: int = 0
    speed: float = 1.0


def lane_from(document: Mapping[str, Any]) -> LaneSpec:
    """One lane of a plan."""
    bridge = document.get("weighbridge")
    return LaneSpec(
        id=str(document["id"]),
        weighbridge=None if bridge is None else _weighbridge_from(bridge, str(document["id"])),
        entry_barrier=bool(document.get("entry_barrier", True)),
        exit_barrier=bool(document.get("exit_barrier", True)),
        io_port=int(document.get("io_port", 0)),
        watchdog_s=float(document.get("watchdog_s", 0.0)),
        reversible=bool(document.get("reversible", False)),
    )


def _weighbridge_from(document: Mapping[str, Any], lane: str) -> WeighbridgeSpec:
    link = str(document.get("link", "tcp"))
    if link not in ("tcp", "pty"):
        raise PlanError(f"lane {lane}: link of the weighbridge must be tcp or pty, found {link!r}")
    interval_kg = int(document.get("interval_kg", 20))
    if interval_kg < 1:
        raise PlanError(f"lane {lane}: interval_kg must be at least 1, found {interval_kg}")
    return WeighbridgeSpec(
        link, interval_kg, int(document.get("max_capacity_kg", 80_000)), int(document.get("port", 0))
    )


def _texts(document: Mapping[str, Any], key: str) -> tuple[str, ...] | None:
    found: Sequence[object] | None = document.get(key)
    return None if found is None else tuple(str(text) for text in found)


def _text(document: Mapping[str, Any], key: str) -> str | None:
    found = document.get(key)
    return None if found is None else str(found)


def _one_of(document: Mapping[str, Any], key: str, allowed: Sequence[str]) -> str:
    found = str(document.get(key, allowed[0]))
    if found not in allowed:
        raise PlanError(f"truck {document['id']}: {key} must be one of {', '.join(allowed)}, found {found!r}")
    return found


def truck_from(document: Mapping[str, Any]) -> TruckSpec:
    """One truck of a plan."""
    gap = document.get("gap_m")
    dwell_s = document.get("dwell_s")
    length_m = float(document.get("length_m", 16.0))
    if length_m <= 2.0:
        raise PlanError(f"truck {document['id']}: length_m must be above 2, found {length_m}")
    return TruckSpec(
        id=str(document["id"]),
        lane=str(document["lane"]),
        length_m=length_m,
        mass_kg=int(document.get("mass_kg", 30_000)),
        plate=str(document.get("plate", "")),
        arrive_after_s=float(document.get("arrive_after_s", 2.0)),
        after=_one_of(document, "after", AFTER),
        gap_m=None if gap is None else (float(gap[0]), float(gap[1])),
        plate_read=_text(document, "plate_read"),
        trailer_plate_read=_text(document, "trailer_plate_read"),
        containers_read=_texts(document, "containers_read"),
        seals_read=_texts(document, "seals_read"),
        scan=_texts(document, "scan") or (),
        behaviour=_one_of(document, "behaviour", BEHAVIOURS),
        comes_from=_one_of(document, "comes_from", COMES_FROM),
        dwell_s=None if dwell_s is None else float(dwell_s),
        patience_s=float(document.get("patience_s", 25.0)),
        pause_s=float(document.get("pause_s", 15.0)),
        story=str(document.get("story", "")),
    )


def trucks_from(documents: Iterable[Mapping[str, Any]], lanes: Collection[str]) -> tuple[TruckSpec, ...]:
    """Trucks for lanes that are there. Raises PlanError."""
    try:
        trucks = tuple(truck_from(document) for document in documents)
    except (KeyError, TypeError, IndexError) as error:
        raise PlanError(f"plan: a truck is not of the expected shape: {error!r}") from error
    for truck in trucks:
        if truck.lane not in lanes:
            raise PlanError(f"truck {truck.id}: a lane of {sorted(lanes)} expected, found {truck.lane!r}")
    return trucks


def plan_from(document: Mapping[str, Any]) -> Plan:
    """A whole plan. Raises PlanError."""
    try:
        lanes = tuple(lane_from(lane) for lane in document["lanes"])
    except (KeyError, TypeError) as error:
        raise PlanError(f"plan: a lane is not of the expected shape: {error!r}") from error
    known = {lane.id for lane in lanes}
    if len(known) != len(lanes):
        raise PlanError("plan: two lanes have the same id")
    speed = float(document.get("speed", 1.0))
    if not 0.1 <= speed <= 100.0:
        raise PlanError(f"plan: speed must be 0.1 to 100, found {speed}")
    return Plan(lanes, trucks_from(document.get("trucks", ()), known), int(document.get("seed", 0)), speed)
