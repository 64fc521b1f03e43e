"""What the zone authority can ask for itself: its events again with a cursor, or the newest.

Reads the feed as it was recorded; delivered or not makes no difference.
"""

from __future__ import annotations

import json
from typing import Any, Final

from sqlalchemy import Connection

from gate_service.domain.errors import InputError
from sync import queue_rows, receipts
from sync.authority import cloud_event
from sync.columns import from_us
from sync.database import Database
from sync.queue_rows import FeedRow
from sync.statements import run

LARGEST_PAGE: Final = 1000
STATES: Final = ("due", "parked", "delivered")


class FeedQueries:
    """Answers of the pull interface (CONTRACT 5), and how far each event was told."""

    def __init__(self, database: Database, site_id: str) -> None:
        self._database = database
        self._site_id = site_id

    async def entries(self, after: str | None, limit: int) -> dict[str, Any]:
        """Events as CloudEvents in the order of the record: `{"entries", "after", "more"}`."""
        record, seq = _read_cursor(after)
        size = max(1, min(limit, LARGEST_PAGE))
        rows = await self._database.read(lambda connection: _page(connection, record, seq, size + 1))
        page = rows[:size]
        entries = [json.loads(cloud_event(row, self._site_id)) for _, row in page]
        cursor = f"{page[-1][0]}-{page[-1][1].seq}" if page else after
        return {"entries": entries, "after": cursor, "more": len(rows) > size}

    async def newest(self, limit: int) -> dict[str, Any]:
        """The newest events, oldest of them first, and the cursor to go on from; for a page that is opened."""
        size = max(1, min(limit, LARGEST_PAGE))
        rows = await self._database.read(lambda connection: _last(connection, size))
        entries = [json.loads(cloud_event(row, self._site_id)) for _, row in rows]
        return {"entries": entries, "after": f"{rows[-1][0]}-{rows[-1][1].seq}" if rows else None, "more": False}

    async def deliveries(self, state: str | None, limit: int) -> list[dict[str, Any]]:
        """How far events were told, newest first, each with its receipts; `state` due, parked or delivered."""
        return await self._database.read(lambda connection: _deliveries(connection, state, limit))

    async def is_told(self, event_id: str) -> bool:
        """Whether there is such an event that was delivered or parked."""
        query = "SELECT 1 FROM feed WHERE id = ? AND state <> 'due'"
        return await self._database.read(lambda connection: run(connection, query, (event_id,)).fetchone() is not None)

    async def tell_again(self, event_id: str, now_us: int) -> bool:
        """Take one event up again; False where there is none that was delivered or parked."""
        return await self._database.write(lambda connection: queue_rows.tell_again(connection, event_id, now_us))


def _deliveries(connection: Connection, state: str | None, limit: int) -> list[dict[str, Any]]:
    states = STATES if state is None else (state,) * len(STATES)
    rows = run(
        connection,
        "SELECT id, epoch, seq, type, passage_id, at_us, state, due_at_us, attempts, reason, delivered_at_us FROM feed"
        " WHERE state IN (?, ?, ?) ORDER BY record_number DESC, seq DESC LIMIT ?",
        (*states, limit),
    ).fetchall()
    kept = receipts.of(connection, [row[0] for row in rows])
    return [
        {
            "id": row[0],
            "epoch": row[1],
            "seq": row[2],
            "type": row[3],
            "passage": row[4],
            "at": from_us(row[5]).isoformat(),
            "state": row[6],
            "due_at": from_us(row[7]).isoformat() if row[6] == "due" else None,
            "attempts": row[8],
            "reason": row[9],
            "delivered_at": None if row[10] is None else from_us(row[10]).isoformat(),
            "receipts": kept[row[0]],
        }
        for row in rows
    ]


def _read_cursor(after: str | None) -> tuple[int, int]:
    if after is None or after == "":
        return 0, 0
    record, _, seq = after.partition("-")
    if not (record.isascii() and record.isdigit() and seq.isascii() and seq.isdigit() and len(after) <= 40):
        raise InputError(f"after: a cursor of this address expected, found {after[:60]!r}")
    return int(record), int(seq)


def _page(connection: Connection, record: int, seq: int, limit: int) -> list[tuple[int, FeedRow]]:
    rows = run(
        connection,
        "SELECT record_number, epoch, seq, id, passage_id, attempts, payload FROM feed"
        " WHERE record_number > ? OR (record_number = ? AND seq > ?) ORDER BY record_number, seq LIMIT ?",
        (record, record, seq, limit),
    ).fetchall()
    return [(row[0], FeedRow(*row[1:])) for row in rows]


def _last(connection: Connection, limit: int) -> list[tuple[int, FeedRow]]:
    rows = run(
        connection,
        "SELECT record_number, epoch, seq, id, passage_id, attempts, payload FROM feed"
        " ORDER BY record_number DESC, seq DESC LIMIT ?",
        (limit,),
    ).fetchall()
    return [(row[0], FeedRow(*row[1:])) for row in reversed(rows)]
