"""How a shift did in a drill: every truck that needed a person, and what was done with it. Pure.

The plan knows what each truck is; the record knows what became of it and when.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any, Final

from devices.simulator.demo.stories import Visit

BY_VERDICT: Final = {"release": "release", "review": "turn_back", "inspect": "inspect", "refuse": "turn_back"}
DONE_AS: Final = {
    "release": "release",
    "yard_inside": "inspect",
    "yard_before": "inspect",
    "back_out": "turn_back",
    "turn_back": "turn_back",
    "divert": "turn_back",
    "withdrew": "withdrew",
}
STRICTNESS: Final = {"release": 0, "inspect": 1, "turn_back": 2}
RIGHT, STRICTER, WRONG = 10, 5, 0  # points for one truck; site decision
PATIENCE_S: Final = 120.0  # yard time in the lane beyond which a point is lost, and one more for each as long again


@dataclass(frozen=True, slots=True)
class Mark:
    """One truck: what should have been done, what was done, and how long it stood."""

    truck: str
    story: str
    lane: str
    should: str
    did: str | None
    stood_s: float | None
    points: int
    is_dangerous: bool


def score(visits: Iterable[Visit], passages: Iterable[Mapping[str, Any]], speed: float) -> dict[str, Any]:
    """The score of a drill: marks, points of points, dangerous acts (let go what must not go), overrides that held."""
    by_key: dict[str, list[Mapping[str, Any]]] = {}
    for passage in passages:
        scanned = list(passage.get("scanned") or ())
        by_key.setdefault(str(scanned[0] if scanned else passage.get("plate")), []).append(passage)
    needing = [visit for visit in visits if _should(visit) is not None]
    marks = [_mark(visit, by_key.get(visit.slip_no or visit.plate, []), speed) for visit in needing]
    most = RIGHT * len(marks)
    points = sum(mark.points for mark in marks)
    return {
        "trucks_for_a_person": len(marks),
        "points": points,
        "of": most,
        "percent": round(100 * points / most) if most else 100,
        "dangerous": sum(mark.is_dangerous for mark in marks),
        "marks": [asdict(mark) for mark in marks],
    }


def _should(visit: Visit) -> str | None:
    """What the desk should do; None where the rules need nobody, or where nothing is judged."""
    verdict = visit.expected.final
    if verdict is None or verdict == "detain":
        return None
    if visit.answer is not None and visit.answer.command in STRICTNESS:
        return visit.answer.command
    if visit.expected.verdict == "release":
        return None
    return BY_VERDICT[verdict]


def _mark(visit: Visit, found: list[Mapping[str, Any]], speed: float) -> Mark:
    should = _should(visit)
    assert should is not None
    last = found[-1] if found else None
    did = None if last is None else DONE_AS.get(str(last.get("disposition")))
    stood_s = None if last is None else _stood_s(last, speed)
    points = _points(should, did, stood_s)
    is_dangerous = did == "release" and should != "release"
    return Mark(visit.truck_id, visit.story, visit.lane.lane_id, should, did, stood_s, points, is_dangerous)


def _points(should: str, did: str | None, stood_s: float | None) -> int:
    if did not in STRICTNESS:
        return WRONG
    if did == should:
        late = 0 if stood_s is None else int(stood_s // PATIENCE_S)
        return max(STRICTER, RIGHT - late)
    return STRICTER if STRICTNESS[did] > STRICTNESS[should] else WRONG


def _stood_s(passage: Mapping[str, Any], speed: float) -> float | None:
    """Yard seconds from arrival to the end of the passage."""
    opened, closed = passage.get("opened_at"), passage.get("closed_at")
    if not opened or not closed:
        return None
    real_s = (datetime.fromisoformat(closed) - datetime.fromisoformat(opened)).total_seconds()
    return round(real_s * speed, 1)
