"""What the site did against what the centre says: listed with both sides until a person closes it.

Found where the two meet: a revocation comes into the copy for a slip that is used here; the centre says that another
passage used a slip that crossed here without its word. A conflict is noted in the transaction in which it is found,
then recorded and told (`security.alarm`); nothing that happened is altered by it.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID, uuid5

from sqlalchemy import Connection

from gate_service.domain.errors import InputError, NotFoundError
from gate_service.domain.events import Event, EventType
from gate_service.domain.ports import Clock
from gate_service.domain.record import Entry
from sync.columns import from_us, to_us
from sync.database import Database
from sync.journal import SqlJournal
from sync.statements import Row, run, scalar

NAMES: Final = UUID("6d1f2f0a-52c0-5d5e-9a39-6f3f2f4f6b10")
REVOKED, USED_ELSEWHERE, CLAIM_LOST = "revoked", "used_elsewhere", "claim_lost"
AT_ONCE: Final = 20
LONGEST_REASON: Final = 400
COLUMNS: Final = (
    "id, kind, slip_no, passage_id, found_at_us, found_record, facts, closed_by, closed_at_us, close_reason"
)
NOTE: Final = (
    "INSERT INTO conflicts (id, kind, slip_no, passage_id, found_at_us, facts) VALUES (?, ?, ?, ?, ?, ?)"
    " ON CONFLICT (id) DO NOTHING"
)
CLOSE: Final = (
    "UPDATE conflicts SET closed_by = ?, closed_at_us = ?, closed_record = ?, close_reason = ?"
    " WHERE id = ? AND closed_at_us IS NULL"
)


@dataclass(frozen=True, slots=True)
class Conflict:
    """One slip of one passage: what was done here, and what the centre says."""

    kind: str
    slip_no: str
    passage_id: str
    here: Mapping[str, Any]
    centre: Mapping[str, Any]

    @property
    def id(self) -> str:
        """Made of what it is about: the same conflict found again is the same one."""
        return str(uuid5(NAMES, f"{self.kind}\n{self.passage_id}\n{self.slip_no}"))


def note(connection: Connection, conflict: Conflict, now_us: int) -> None:
    """Note a conflict inside the transaction that finds it."""
    facts = json.dumps({"here": conflict.here, "centre": conflict.centre}, ensure_ascii=False).encode()
    run(connection, NOTE, (conflict.id, conflict.kind, conflict.slip_no, conflict.passage_id, now_us, facts))


def note_revoked(connection: Connection, slip_no: str, now_us: int, centre: Mapping[str, Any]) -> None:
    """The centre revoked a slip: whatever passage holds or used it here is in conflict."""
    rows = run(
        connection,
        "SELECT passage_id, state, at_us FROM slip_uses WHERE slip_no = ? AND state <> 'returned'",
        (slip_no,),
    ).fetchall()
    for passage_id, state, at_us in rows:
        here = {"state": state, "at": from_us(at_us).isoformat()}
        note(connection, Conflict(REVOKED, slip_no, passage_id, here, centre), now_us)


class Conflicts:
    """Records what was noted, lists it, and closes it for a person."""

    def __init__(self, database: Database, journal: SqlJournal, clock: Clock) -> None:
        self._database = database
        self._journal = journal
        self._clock = clock

    async def record_once(self) -> float | None:
        """Put noted conflicts into the record and tell them. Seconds to wait, None when nothing is noted."""
        noted = await self._database.read(_unrecorded)
        for row in noted:
            found = _shown(row)
            facts = {name: found[name] for name in ("id", "kind", "slip_no", "passage_id", "here", "centre")}
            data = {"alarm": "slip_conflict", **facts}
            event = Event(UUID(found["id"]), EventType.SECURITY_ALARM, self._clock.now(), data, found["passage_id"])

            def also(connection: Connection, number: int, identity: str = found["id"]) -> None:
                run(connection, "UPDATE conflicts SET found_record = ? WHERE id = ?", (number, identity))

            entry = Entry("conflict_found", self._clock.now(), "service", facts, events=(event,))
            await self._journal.write(entry, also)
        return 0.0 if noted else None

    async def close(self, conflict_id: str, reason: str, by: str) -> dict[str, Any]:
        """A person has dealt with it. Raises InputError without a reason, NotFoundError for one that is not open."""
        why = reason.strip()[:LONGEST_REASON]
        if not why:
            raise InputError("reason: a text that says what was done expected")
        now = self._clock.now()

        def also(connection: Connection, number: int) -> None:
            if run(connection, CLOSE, (by, to_us(now), number, why, conflict_id)).rowcount == 0:
                raise NotFoundError(f"conflict {conflict_id}: an open conflict expected"[:LONGEST_REASON])

        await self._journal.write(Entry("conflict_closed", now, by, {"id": conflict_id, "reason": why}), also)
        return await self._database.read(lambda connection: _one(connection, conflict_id))

    async def listed(self, limit: int = 100) -> list[dict[str, Any]]:
        """Open ones first, newest first."""
        return await self._database.read(lambda connection: _listed(connection, limit))

    async def open_count(self) -> int:
        """How many wait for a person."""
        return await self._database.read(
            lambda connection: int(scalar(connection, "SELECT COUNT(*) FROM conflicts WHERE closed_at_us IS NULL"))
        )


def _unrecorded(connection: Connection) -> list[Row]:
    return run(
        connection,
        f"SELECT {COLUMNS} FROM conflicts WHERE found_record IS NULL ORDER BY found_at_us LIMIT {AT_ONCE}",  # noqa: S608
    ).fetchall()


def _listed(connection: Connection, limit: int) -> list[dict[str, Any]]:
    rows = run(
        connection,
        f"SELECT {COLUMNS} FROM conflicts ORDER BY closed_at_us IS NOT NULL, found_at_us DESC, id LIMIT ?",  # noqa: S608
        (limit,),
    )
    return [_shown(row) for row in rows]


def _one(connection: Connection, conflict_id: str) -> dict[str, Any]:
    row = run(connection, f"SELECT {COLUMNS} FROM conflicts WHERE id = ?", (conflict_id,)).fetchone()  # noqa: S608
    assert row is not None
    return _shown(row)


def _shown(row: Row) -> dict[str, Any]:
    """As pages see it: both sides, and who closed it."""
    facts = json.loads(row[6])
    return {
        "id": row[0],
        "kind": row[1],
        "slip_no": row[2],
        "passage_id": row[3],
        "found_at": from_us(row[4]).isoformat(),
        "here": facts.get("here"),
        "centre": facts.get("centre"),
        "closed_by": row[7],
        "closed_at": None if row[8] is None else from_us(row[8]).isoformat(),
        "close_reason": row[9],
    }
