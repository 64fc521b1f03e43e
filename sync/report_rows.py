"""Closed passages as reports count them: one flat row each, made from the record and caught up piece by piece.

Nothing is decided here and nothing is lost with it: the rows can be made again from the record at any time.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from sqlalchemy import Connection

from sync.columns import to_us
from sync.database import Database
from sync.statements import Row, marks, run, run_many

CURSOR: Final = "reports"
PIECE: Final = 200
LOOK_EVERY_S: Final = 3.0
PAUSE_S: Final = 0.2  # between pieces of a backlog
STRICTEST: Final = ("release", "review", "inspect", "refuse", "detain")
HEADING: Final = 4  # digits of an HS heading
COLUMNS: Final = (
    "passage_id, lane, lane_kind, direction, opened_at_us, boom_ms, outcome, verdict, customs_code, enterprise,"
    " credit, goods"
)
PUT: Final = (
    f"INSERT INTO report_passages ({COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"  # noqa: S608 - our names
    " ON CONFLICT (passage_id) DO NOTHING"
)
CLOSED: Final = (
    "SELECT id, last_record, lane, direction, opened_at_us, document FROM passages"
    " WHERE closed_at_us IS NOT NULL AND last_record > ? ORDER BY last_record LIMIT ?"
)
MOVE: Final = (
    "INSERT INTO sync_state (name, cursor) VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET cursor = excluded.cursor"
)


@dataclass(frozen=True, slots=True)
class _Closed:
    passage_id: str
    record: int
    lane: str
    direction: str
    opened_at_us: int
    document: Mapping[str, Any]


class ReportRows:
    """`lane_kinds`: class of each lane by id, as the site is set up now."""

    def __init__(self, database: Database, lane_kinds: Mapping[str, str]) -> None:
        self._database = database
        self._lane_kinds = lane_kinds
        self._one_at_a_time = asyncio.Lock()

    async def catch_up(self) -> bool:
        """Take the next piece; True where nothing is left."""
        async with self._one_at_a_time:
            closed, verdicts = await self._database.read(_next)
            if not closed:
                return True
            rows = await asyncio.to_thread(self._rows, closed, verdicts)
            cursor = str(closed[-1].record)

            def change(connection: Connection) -> None:
                run_many(connection, PUT, rows)
                run(connection, MOVE, (CURSOR, cursor))

            await self._database.write(change, is_quiet=True)
            return len(closed) < PIECE

    async def step(self) -> float:
        """A piece of work for the keeper; seconds until the next."""
        return LOOK_EVERY_S if await self.catch_up() else PAUSE_S

    def _rows(self, closed: Iterable[_Closed], verdicts: Mapping[str, list[str]]) -> list[Row]:
        """Vehicles that left before anything was decided were neither let through nor stopped: they do not count."""
        found = {one.passage_id: [*verdicts.get(one.passage_id, []), one.document.get("verdict")] for one in closed}
        return [self._row(one, strict) for one in closed if (strict := _strictest(found[one.passage_id])) is not None]

    def _row(self, one: _Closed, verdict: str) -> Row:
        document = one.document
        case = document.get("case") or {}
        slips = [slip for slip in case.get("slips", ()) if isinstance(slip, Mapping)]
        enterprise = next((e for slip in slips if isinstance(e := slip.get("enterprise"), Mapping)), {})
        lane_kind = (case.get("lane") or {}).get("kind") or self._lane_kinds.get(one.lane, "")
        return (
            one.passage_id, one.lane, lane_kind, one.direction, one.opened_at_us,
            _until_us(document.get("boom_up_at"), one.opened_at_us), str(document.get("outcome") or ""),
            verdict,
            str(enterprise.get("customs_code") or enterprise.get("uscc") or ""), str(enterprise.get("name") or ""),
            _credit(enterprise, case), json.dumps(_headings(slips)).encode(),
        )  # fmt: skip


def _next(connection: Connection) -> tuple[list[_Closed], dict[str, list[str]]]:
    row = run(connection, "SELECT cursor FROM sync_state WHERE name = ?", (CURSOR,)).fetchone()
    after = int(row[0]) if row is not None and row[0] else 0
    rows = run(connection, CLOSED, (after, PIECE)).fetchall()
    closed = [_Closed(r[0], r[1], r[2], r[3], r[4], json.loads(r[5])) for r in rows]
    verdicts: dict[str, list[str]] = {}
    ids = [one.passage_id for one in closed]
    sql = f"SELECT passage_id, facts FROM records WHERE passage_id IN ({marks(ids)}) AND kind = 'decision'"  # noqa: S608
    for passage_id, facts in run(connection, sql, tuple(ids)):
        if facts:  # not erased
            verdicts.setdefault(passage_id, []).append(str(json.loads(facts).get("verdict")))
    return closed, verdicts


def _strictest(verdicts: Iterable[object]) -> str | None:
    """Of all decisions of the passage: what was resolved in time was stopped all the same. None decided: None."""
    known = [STRICTEST.index(verdict) for verdict in verdicts if isinstance(verdict, str) and verdict in STRICTEST]
    return STRICTEST[max(known)] if known else None


def _credit(enterprise: Mapping[str, Any], case: Mapping[str, Any]) -> str:
    """The register's credit wins over the slip's (RULES 4)."""
    if not enterprise:
        return "none"
    names = {enterprise.get("customs_code"), enterprise.get("uscc")} - {None, ""}
    lines = (case.get("known") or {}).get("enterprises", ())
    listed = [e.get("credit") for e in lines if names & {e.get("customs_code"), e.get("uscc")}]
    found = next((credit for credit in listed if credit), enterprise.get("credit"))
    return str(found or "unknown")


def _headings(slips: Iterable[Mapping[str, Any]]) -> list[str]:
    """HS headings of the goods, each once; `none` for goods without a code and for no goods."""
    lines = [line for slip in slips for line in slip.get("goods") or () if isinstance(line, Mapping)]
    return sorted({str(line.get("hs_code") or "none")[:HEADING] for line in lines}) or ["none"]


def _until_us(at: object, opened_at_us: int) -> int | None:
    """Milliseconds from arrival."""
    return None if not isinstance(at, str) else max(0, (to_us(datetime.fromisoformat(at)) - opened_at_us) // 1000)
