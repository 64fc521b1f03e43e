"""The report of the reform plan: interceptions, inspections and hits kept apart, and how long passages take.

An interception is a passage that the rules did not release at once. An inspection is one that was ordered. A hit is an
inspection that found something. All are counted by the day of arrival.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from statistics import median
from typing import Any, Final, Literal

from sqlalchemy import Connection

from sync.columns import to_us
from sync.database import Database
from sync.report_rows import ReportRows
from sync.statements import run

By = Literal["enterprise", "credit", "goods"]
ROWS: Final = (
    "SELECT r.customs_code, r.enterprise, r.credit, r.goods, r.verdict, i.passage_id IS NOT NULL, i.found"
    " FROM report_passages r LEFT JOIN inspections i ON i.passage_id = r.passage_id"
    " WHERE r.opened_at_us >= ? AND r.opened_at_us < ?"
)
FLOW: Final = (
    "SELECT lane_kind, direction, boom_ms, verdict, outcome FROM report_passages"
    " WHERE opened_at_us >= ? AND opened_at_us < ?"
)


@dataclass(slots=True)
class _Count:
    name: str = ""
    passages: int = 0
    interceptions: int = 0
    inspections: int = 0
    done: int = 0
    hits: int = 0

    def add(self, verdict: str, is_ordered: bool, found: bool | None) -> None:
        self.passages += 1
        self.interceptions += verdict != "release"
        self.inspections += is_ordered
        self.done += found is not None
        self.hits += found is True

    def shown(self, key: str) -> dict[str, Any]:
        return {
            "key": key, "name": self.name, "passages": self.passages, "interceptions": self.interceptions,
            "inspections": self.inspections, "results": self.done, "hits": self.hits,
        }  # fmt: skip


@dataclass(slots=True)
class _Flow:
    passages: int = 0
    free: int = 0
    times_ms: list[int] = field(default_factory=list)


class ReportQueries:
    """Answers from the flat rows, caught up first."""

    def __init__(self, database: Database, rows: ReportRows) -> None:
        self._database = database
        self._rows = rows

    async def risk(self, since: datetime, until: datetime, by: By) -> dict[str, Any]:
        """`{"by", "since_at", "until_at", "rows", "total"}`, most interceptions first."""
        await self._catch_up()
        period = (to_us(since), to_us(until))
        counts, total = await self._database.read(lambda connection: _count(connection, period, by))
        rows = [count.shown(key) for key, count in counts.items()]
        rows.sort(key=lambda row: (-row["hits"], -row["interceptions"], -row["passages"], row["key"]))
        return {"by": by, **_period(since, until), "rows": rows, "total": total.shown("total")}

    async def flow(self, since: datetime, until: datetime) -> dict[str, Any]:
        """By lane class: passages, the share that met no interception, and the median time from arrival to boom up."""
        await self._catch_up()
        period = (to_us(since), to_us(until))
        found = await self._database.read(lambda connection: run(connection, FLOW, period).fetchall())
        classes: dict[tuple[str, str], _Flow] = {}
        total = _Flow()
        for lane_kind, direction, boom_ms, verdict, _outcome in found:
            for flow in (classes.setdefault((lane_kind, direction), _Flow()), total):
                flow.passages += 1
                flow.free += verdict == "release"
                if boom_ms is not None:
                    flow.times_ms.append(boom_ms)
        rows = [{"kind": k, "direction": d, **_shown(flow)} for (k, d), flow in sorted(classes.items())]
        return {**_period(since, until), "rows": rows, "total": _shown(total)}

    async def _catch_up(self) -> None:
        while not await self._rows.catch_up():
            pass


def _count(connection: Connection, period: tuple[int, int], by: By) -> tuple[dict[str, _Count], _Count]:
    counts: dict[str, _Count] = {}
    total = _Count()
    for customs_code, enterprise, credit, goods, verdict, is_ordered, found in run(connection, ROWS, period):
        hit = None if found is None else bool(found)
        total.add(verdict, bool(is_ordered), hit)
        for key in _keys(by, customs_code, credit, goods):
            count = counts.setdefault(key, _Count())
            count.name = enterprise if by == "enterprise" else ""
            count.add(verdict, bool(is_ordered), hit)
    return counts, total


def _keys(by: By, customs_code: str, credit: str, goods: bytes) -> Iterable[str]:
    """Under what a passage counts. One with goods of several headings counts under each."""
    if by == "goods":
        found: list[str] = json.loads(goods)
        return found
    return (customs_code or "none",) if by == "enterprise" else (credit,)


def _shown(flow: _Flow) -> dict[str, Any]:
    share = None if not flow.passages else round(100 * flow.free / flow.passages, 1)
    middle = None if not flow.times_ms else round(median(flow.times_ms) / 1000, 1)
    return {
        "passages": flow.passages,
        "without_interception": flow.free,
        "without_interception_pct": share,
        "to_boom_passages": len(flow.times_ms),
        "median_to_boom_s": middle,
    }


def _period(since: datetime, until: datetime) -> dict[str, str]:
    return {"since_at": since.isoformat(), "until_at": until.isoformat()}
