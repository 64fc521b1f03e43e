"""The judge: counts what must never happen, from vehicle positions and wire bytes alone.

It reads no service, no record and no intention. Booms and vehicles come from the yard's physics, commands from the
rising edges that the wire device saw; records are compared only when somebody brings them (`reconcile`).
Motion by the local button and motion by a foreign master on the wire are nobody's command but nobody's fault of the
service either: they are counted apart and are no violations.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Final, NamedTuple

from devices.simulator.boom import clearance_m

LOWEST_M: Final = 3.5
"""A boom tip lower than this over a vehicle counts as on it: box bodies are 3.5 to 4.0 m high."""

EDGE_WINDOW_S: Final = 1.0
"""A motion belongs to an edge at most this much older. Real seconds: the wire process scales it to yard time."""

MATCH_S: Final = 60.0
"""A recorded crossing without plate belongs to a crossing of its lane at most this far away (real time)."""

VIOLATIONS: Final = ("boom_on_vehicle", "motion_without_command", "crossing_without_record")
APART: Final = ("by_button", "by_foreign_write", "record_without_crossing")


_Fits = Callable[["Crossed", Mapping[str, Any]], bool]


class BoomSeen(NamedTuple):
    """A boom as the judge sees it: its line across the lane and its angle."""

    line_m: float
    angle_deg: float


class VehicleSeen(NamedTuple):
    """A vehicle as the judge sees it: a body from rear to front."""

    id: str
    rear_m: float
    front_m: float


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing found. `kind` is one of `VIOLATIONS` or `APART`."""

    kind: str
    lane: str
    at_s: float
    at: str
    detail: Mapping[str, Any]

    def to_json(self) -> dict[str, Any]:
        """As it stands in the report."""
        return {"kind": self.kind, "lane": self.lane, "yard_s": round(self.at_s, 2), "at": self.at, **self.detail}


@dataclass(frozen=True, slots=True)
class Crossed:
    """One vehicle that crossed the exit line with its whole length."""

    lane: str
    truck: str
    plate: str
    plate_read: str | None
    at_s: float
    at: datetime


@dataclass(slots=True)
class _BoomWatch:
    """What is remembered of one boom between two looks."""

    angle_deg: float
    way: int = 0
    under: set[str] = field(default_factory=set)


class Judge:
    """Looks at every step of the yard. Times are yard seconds; each finding also has the wall time."""

    def __init__(self, *, edge_window_s: float = EDGE_WINDOW_S) -> None:
        self.checks = 0
        self.findings: list[Finding] = []
        self.crossings: list[Crossed] = []
        self.edges: Counter[str] = Counter()
        self._edge_window_s = edge_window_s
        self._booms: dict[tuple[str, str], _BoomWatch] = {}
        self._causes: dict[tuple[str, str, str], dict[str, float]] = {}
        self._unrecorded: list[Finding] = []

    def edge_seen(self, lane: str, side: str, way: str, at_s: float, *, foreign: bool = False) -> None:
        """A raise or lower output rose on the wire; `foreign`: written by another master than the service."""
        if not foreign:
            self.edges[f"{lane} {side} {way}"] += 1
        self._cause("by_foreign_write" if foreign else "command", lane, side, way, at_s)

    def button_pressed(self, lane: str, side: str, way: str, at_s: float) -> None:
        """The local button of a boom was used."""
        self._cause("by_button", lane, side, way, at_s)

    def _cause(self, cause: str, lane: str, side: str, way: str, at_s: float) -> None:
        self._causes.setdefault((lane, side, way), {})[cause] = at_s

    def look(self, lane: str, side: str, boom: BoomSeen, vehicles: Sequence[VehicleSeen], at_s: float) -> None:
        """One look at one boom and everything in its lane."""
        self.checks += 1
        watch = self._booms.setdefault((lane, side), _BoomWatch(0.0))
        turn = boom.angle_deg - watch.angle_deg
        way = (turn > 0) - (turn < 0)
        watch.angle_deg = boom.angle_deg
        if way and way != watch.way:
            self._judge_motion(lane, side, "raise" if way > 0 else "lower", at_s)
        watch.way = way
        under = {vehicle.id for vehicle in vehicles if vehicle.rear_m < boom.line_m < vehicle.front_m}
        if clearance_m(boom.angle_deg) >= LOWEST_M:
            under = set()
        for vehicle in sorted(under - watch.under):
            detail = {"side": side, "truck": vehicle, "boom_m": round(clearance_m(boom.angle_deg), 2)}
            self._find("boom_on_vehicle", lane, at_s, detail)
        watch.under = under

    def _judge_motion(self, lane: str, side: str, way: str, at_s: float) -> None:
        causes = self._causes.get((lane, side, way), {})
        recent = [name for name, seen_s in causes.items() if at_s - seen_s <= self._edge_window_s]
        if "command" in recent:
            return
        kind = recent[0] if recent else "motion_without_command"
        self._find(kind, lane, at_s, {"side": side, "way": way})

    def _find(self, kind: str, lane: str, at_s: float, detail: Mapping[str, Any]) -> None:
        self.findings.append(Finding(kind, lane, at_s, datetime.now(UTC).isoformat(), detail))

    def crossed(self, lane: str, truck: str, plate: str, plate_read: str | None, at_s: float) -> None:
        """A vehicle's rear went over the exit line."""
        self.crossings.append(Crossed(lane, truck, plate, plate_read, at_s, datetime.now(UTC)))

    def reconcile(self, records: Iterable[Mapping[str, Any]]) -> None:
        """Compare the crossings with all that is recorded: each record covers one crossing. Replaces the last result.

        Records: `lane`, `plate` (or null), `at` (RFC 3339). By plate first; a record without plate by its time.
        """
        left = [dict(record) for record in records]
        open_crossings = _match(self.crossings, left, _is_same_plate)
        open_crossings = _match(open_crossings, left, _is_near_without_plate)
        self._unrecorded = [
            Finding("crossing_without_record", c.lane, c.at_s, c.at.isoformat(), {"truck": c.truck, "plate": c.plate})
            for c in open_crossings
        ]
        self._unrecorded += [
            Finding("record_without_crossing", str(r.get("lane")), 0.0, str(r.get("at")), {"plate": r.get("plate")})
            for r in left
        ]

    def report(self) -> dict[str, Any]:
        """The counts, `violations` their total, and `details` with a list for each kind that was found.

        `edges` counts what the service asked of each boom: `"in-d1 exit raise": 2`.
        """
        found = self.findings + self._unrecorded
        counts = {kind: sum(f.kind == kind for f in found) for kind in VIOLATIONS + APART}
        details = {kind: [f.to_json() for f in found if f.kind == kind] for kind, count in counts.items() if count}
        return {
            "checks": self.checks,
            "crossings": len(self.crossings),
            **counts,
            "violations": sum(counts[kind] for kind in VIOLATIONS),
            "edges": dict(self.edges),
            "details": details,
        }


def _match(crossings: Iterable[Crossed], left: list[dict[str, Any]], fits: _Fits) -> list[Crossed]:
    """Take from `left` the nearest fitting record of each crossing; returns crossings that found none."""
    unmatched = []
    for crossing in crossings:
        fitting = [record for record in left if record.get("lane") == crossing.lane and fits(crossing, record)]
        if fitting:
            left.remove(min(fitting, key=lambda record: _distance_s(crossing, record)))
        else:
            unmatched.append(crossing)
    return unmatched


def _is_same_plate(crossing: Crossed, record: Mapping[str, Any]) -> bool:
    return record.get("plate") is not None and record["plate"] in (crossing.plate, crossing.plate_read)


def _is_near_without_plate(crossing: Crossed, record: Mapping[str, Any]) -> bool:
    return record.get("plate") is None and _distance_s(crossing, record) <= MATCH_S


def _distance_s(crossing: Crossed, record: Mapping[str, Any]) -> float:
    try:
        at = datetime.fromisoformat(str(record.get("at")))
    except ValueError:
        return float("inf")
    return abs((at - crossing.at).total_seconds()) if at.tzinfo else float("inf")
