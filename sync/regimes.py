"""The emergency regimes of this site: opened, closed, and what passed in them. Each change is a record of its own."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Final
from uuid import UUID, uuid5

from sqlalchemy import Connection

from gate_service.domain.errors import CommandRefusedError, NotFoundError
from gate_service.domain.events import Event, EventType
from gate_service.domain.passage import Passage, from_document
from gate_service.domain.ports import Clock
from gate_service.domain.record import Entry
from gate_service.domain.regime import PAPER, Regime, regime_of
from sync.columns import from_us, to_us
from sync.database import Database
from sync.encoding import to_json
from sync.journal import SqlJournal
from sync.statements import Row, run, scalar

EVENT_NAMESPACE: Final = UUID("0b7d8e64-5c1f-5b0e-8d39-51c1f0a5f2a7")
"""Event ids come from the regime itself, so that its opening and its end are each told once."""
COLUMNS: Final = "id, document, closed_at_us, closed_by, close_reason"
OPEN: Final = "INSERT INTO regimes (id, document, opened_at_us, opened_record) VALUES (?, ?, ?, ?)"
CLOSE: Final = (
    "UPDATE regimes SET closed_at_us = ?, closed_by = ?, closed_record = ?, close_reason = ?"
    " WHERE id = ? AND closed_at_us IS NULL"
)
PASSED: Final = (
    "SELECT u.passage_id, u.state, u.at_us, p.document, s.settled_by, s.settled_at_us, s.outcome, s.note"
    " FROM regime_uses u JOIN passages p ON p.id = u.passage_id"
    " LEFT JOIN settlements s ON s.subject = 'regime:' || u.key || ':' || u.passage_id"
    " WHERE u.key = ? ORDER BY u.at_us, u.passage_id"
)
UNRECONCILED: Final = (
    "SELECT u.key, count(*) FROM regime_uses u WHERE NOT EXISTS"
    " (SELECT 1 FROM settlements s WHERE s.subject = 'regime:' || u.key || ':' || u.passage_id) GROUP BY u.key"
)
LATER_OF_PLATE: Final = "SELECT count(*) FROM passages WHERE plate = ? AND opened_at_us > ? AND id <> ?"


@dataclass(frozen=True, slots=True)
class Passed:
    """One passage of a regime, and how it was reconciled (`ticked_by` None: not yet)."""

    passage: Passage
    state: str  # released, paper
    at: datetime
    ticked_by: str | None
    ticked_at: datetime | None
    outcome: str | None
    note: str | None


def subject_of(regime_id: str, passage_id: str) -> str:
    """What is settled when a passage of a regime is ticked off."""
    return f"regime:{regime_id}:{passage_id}"


class Regimes:
    """Over the record's database. At most one is open."""

    def __init__(self, database: Database, journal: SqlJournal, clock: Clock) -> None:
        self._database = database
        self._journal = journal
        self._clock = clock

    async def open(self, regime: Regime, approved_with: str) -> None:
        """Put it on disk and tell it. Raises CommandRefusedError while another is not closed."""
        document = regime.document()

        def also(connection: Connection, record: int) -> None:
            if scalar(connection, "SELECT count(*) FROM regimes WHERE closed_at_us IS NULL"):
                raise CommandRefusedError("a regime is open already: close it first")
            run(connection, OPEN, (regime.id, to_json(document), to_us(regime.opened_at), record))

        await self._journal.write(
            Entry(
                "regime_opened",
                regime.opened_at,
                regime.opened_by,
                {**document, "approved_with": approved_with},
                events=(_event(regime, EventType.REGIME_OPENED, regime.opened_at, document),),
            ),
            also,
        )

    async def close(self, regime: Regime, by: str, reason: str) -> Regime:
        """Close it and tell it. Raises CommandRefusedError where it is closed."""
        now = self._clock.now()
        facts = {"id": regime.id, "reason": reason, "used": regime.used}

        def also(connection: Connection, record: int) -> None:
            if run(connection, CLOSE, (to_us(now), by, record, reason, regime.id)).rowcount == 0:
                raise CommandRefusedError(f"regime {regime.id}: closed already")

        event = _event(regime, EventType.REGIME_CLOSED, now, {**facts, "by": by})
        await self._journal.write(Entry("regime_closed", now, by, facts, events=(event,)), also)
        return replace(regime, closed_at=now, closed_by=by, close_reason=reason)

    async def current(self) -> Regime | None:
        """The one that is not closed; its time or its passages may be up."""
        return await self._database.read(_current)

    async def one(self, regime_id: str) -> Regime:
        """Raises NotFoundError."""
        found = await self._database.read(lambda connection: _regimes(connection, "WHERE id = ?", (regime_id,)))
        if not found:
            raise NotFoundError(f"regime {regime_id!r}: no such regime"[:120])
        return found[0]

    async def several(self, limit: int) -> list[Regime]:
        """Newest first."""
        tail = f"ORDER BY opened_at_us DESC, id LIMIT {int(limit)}"
        return await self._database.read(lambda connection: _regimes(connection, tail, ()))

    async def passed(self, regime_id: str) -> list[Passed]:
        """What passed in it or was written on paper meanwhile, in order of time. `paper`: outside any regime."""
        if regime_id != PAPER:
            await self.one(regime_id)
        rows = await self._database.read(lambda connection: run(connection, PASSED, (regime_id,)).fetchall())
        return [_passed_of(row) for row in rows]

    async def unreconciled(self) -> dict[str, int]:
        """By regime: how many passages are not ticked off."""
        rows = await self._database.read(lambda connection: run(connection, UNRECONCILED).fetchall())
        return {key: int(count) for key, count in rows}

    async def has_later_passage(self, plate: str, at: datetime, passage_id: str) -> bool:
        """Whether the record knows a newer passage of this plate, so that an older one must not move the vehicle."""
        values = (plate, to_us(at), passage_id)
        return bool(await self._database.read(lambda connection: scalar(connection, LATER_OF_PLATE, values)))


def _event(regime: Regime, kind: EventType, at: datetime, data: Mapping[str, Any]) -> Event:
    return Event(uuid5(EVENT_NAMESPACE, f"{regime.id}/{kind.value}"), kind, at, data)


def _current(connection: Connection) -> Regime | None:
    found = _regimes(connection, "WHERE closed_at_us IS NULL", ())
    return found[0] if found else None


def _regimes(connection: Connection, tail: str, values: Row) -> list[Regime]:
    rows = run(connection, f"SELECT {COLUMNS} FROM regimes {tail}", values).fetchall()  # noqa: S608 - our own words
    used = "SELECT count(*) FROM regime_uses WHERE key = ? AND state = 'released'"
    return [
        regime_of(
            json.loads(document),
            used=int(scalar(connection, used, (regime_id,))),
            closed_at=None if closed_at_us is None else from_us(closed_at_us),
            closed_by=closed_by,
            close_reason=reason,
        )
        for regime_id, document, closed_at_us, closed_by, reason in rows
    ]


def _passed_of(row: Row) -> Passed:
    _, state, at_us, document, by, ticked_at_us, outcome, note = row
    ticked_at = None if ticked_at_us is None else from_us(ticked_at_us)
    return Passed(from_document(json.loads(document)), state, from_us(at_us), by, ticked_at, outcome, note)
