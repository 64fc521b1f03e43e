"""Shifts: who took over when, what was open at the hand-over, what was done since, what was settled.

Every change is a record with its row in the same transaction. What the lanes are doing is not known here.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from sqlalchemy import Connection

from gate_service.domain.errors import CommandRefusedError, NotFoundError, RecordError
from gate_service.domain.events import JsonObject
from gate_service.domain.ports import Clock
from gate_service.domain.record import Entry
from sync.columns import from_us, to_us
from sync.database import Database
from sync.encoding import read_facts, to_json
from sync.journal import SqlJournal
from sync.statements import Row, run

COLUMNS: Final = "number, begun_by, begun_at_us, begun_record, handed_by, handed_at_us, note, matters"
BEGIN: Final = "INSERT INTO shifts (number, begun_by, begun_at_us, begun_record) VALUES (?, ?, ?, ?)"
HAND_OVER: Final = (
    "UPDATE shifts SET handed_by = ?, handed_at_us = ?, handed_record = ?, note = ?, matters = ? WHERE number = ?"
)
SETTLE: Final = (
    "INSERT INTO settlements (subject, settled_by, settled_at_us, settled_record, outcome, note)"
    " VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT (subject) DO NOTHING"
)
ROW: Final = (
    "number, kind, at_us, actor, lane, passage_id, facts, (SELECT plate FROM passages WHERE id = records.passage_id)"
)
UNSETTLED: Final = (
    "SELECT {row} FROM records WHERE kind IN ({kinds})"
    " AND NOT EXISTS (SELECT 1 FROM settlements WHERE subject = 'record:' || records.number)"
    " ORDER BY number LIMIT {limit}"
)
LOG: Final = (
    "SELECT {row} FROM records WHERE number > ? AND number <= ?"
    " AND (substr(actor, 1, 5) = 'user:' OR kind IN ({kinds})) ORDER BY number LIMIT ?"
)
TO_BE_SETTLED: Final = ("motion_unexplained", "emergency_raise")
"""Kinds of records that a person must explain or review (RULES 8)."""
LOGGED: Final = (*TO_BE_SETTLED, "local_button", "shift_begun", "regime_closed", "security_alarm")
"""What belongs into a shift's log besides everything that people did."""
MOST_MATTERS: Final = 200  # a list that nobody reads to its end helps nobody; the oldest stand first
LAST: Final = 2**62


@dataclass(frozen=True, slots=True)
class Shift:
    """One shift. `handed_by` and `matters` are set once it was handed over; it lasts until the next one begins."""

    number: int
    begun_by: str
    begun_at: datetime
    begun_record: int
    handed_by: str | None = None
    handed_at: datetime | None = None
    note: str | None = None
    matters: Sequence[JsonObject] = ()

    def document(self) -> dict[str, Any]:
        """As pages see it."""
        return {
            "number": self.number,
            "begun_by": self.begun_by,
            "begun_at": self.begun_at.isoformat(),
            "handed_by": self.handed_by,
            "handed_at": None if self.handed_at is None else self.handed_at.isoformat(),
            "note": self.note,
            "matters": list(self.matters),
        }


class Shifts:
    """Over the record's database."""

    def __init__(self, database: Database, journal: SqlJournal, clock: Clock) -> None:
        self._database = database
        self._journal = journal
        self._clock = clock

    async def newest(self) -> Shift | None:
        """The shift on duty; None before the first."""
        found = await self.several(1)
        return found[0] if found else None

    async def several(self, limit: int) -> list[Shift]:
        """Newest first."""
        sql = f"SELECT {COLUMNS} FROM shifts ORDER BY number DESC LIMIT {int(limit)}"  # noqa: S608 - our own words
        rows = await self._database.read(lambda connection: run(connection, sql).fetchall())
        return [_shift_of(row) for row in rows]

    async def begin(self, number: int, by: str, facts: Mapping[str, Any]) -> Shift:
        """Begin a shift. Raises CommandRefusedError where another began it meanwhile, RecordError."""
        now = self._clock.now()

        def also(connection: Connection, record: int) -> None:
            newest = run(connection, "SELECT max(number) FROM shifts").fetchone()
            if newest is not None and (newest[0] or 0) >= number:
                raise CommandRefusedError(f"shift {number}: has begun already")
            run(connection, BEGIN, (number, by, to_us(now), record))

        record = await self._journal.write(Entry("shift_begun", now, by, {"shift": number, **facts}), also)
        return Shift(number, by, now, record)

    async def hand_over(self, number: int, by: str, note: str | None, matters: Sequence[JsonObject]) -> None:
        """Write down what is open; the shift goes on until somebody accepts it."""
        now = self._clock.now()
        frozen = to_json(list(matters))

        def also(connection: Connection, record: int) -> None:
            run(connection, HAND_OVER, (by, to_us(now), record, note, frozen, number))

        facts = {"shift": number, "note": note, "matters": list(matters)}
        await self._journal.write(Entry("shift_handed_over", now, by, facts), also)

    async def unsettled(self) -> list[dict[str, Any]]:
        """Records that a person must still explain or review, oldest first."""
        sql = UNSETTLED.format(row=ROW, kinds=_words(TO_BE_SETTLED), limit=MOST_MATTERS)
        rows = await self._database.read(lambda connection: run(connection, sql).fetchall())
        return [_logged(row) for row in rows]

    async def settle(self, subject: str, by: str, outcome: str, note: str | None, facts: Mapping[str, Any]) -> int:
        """Settle one matter, once. Raises CommandRefusedError where it is settled already."""
        now = self._clock.now()

        def also(connection: Connection, record: int) -> None:
            if run(connection, SETTLE, (subject, by, to_us(now), record, outcome, note)).rowcount == 0:
                raise CommandRefusedError(f"{subject}: settled already; what was said stands")

        told = {"subject": subject, "outcome": outcome, "note": note, **facts}
        return await self._journal.write(Entry("matter_settled", now, by, told), also)

    async def matter(self, number: int) -> dict[str, Any]:
        """A record that may be settled. Raises NotFoundError."""
        found = await self._journal.records(number - 1, 1)
        if not found or found[0].number != number or found[0].kind not in TO_BE_SETTLED:
            raise NotFoundError(f"record {number}: one of kind {' or '.join(TO_BE_SETTLED)} expected")
        return {"kind": found[0].kind, "by": found[0].actor, "lane": found[0].lane}

    async def log(self, number: int, after: int, limit: int) -> list[dict[str, Any]]:
        """What was done in one shift, in the order of the record. Raises NotFoundError."""
        sql = "SELECT number, begun_record FROM shifts WHERE number IN (?, ?) ORDER BY number"
        rows = await self._database.read(lambda connection: run(connection, sql, (number, number + 1)).fetchall())
        if not rows or rows[0][0] != number:
            raise NotFoundError(f"shift {number}: no such shift")
        first, last = rows[0][1] - 1, rows[1][1] - 1 if len(rows) > 1 else LAST
        log = LOG.format(row=ROW, kinds=_words(LOGGED))
        values = (max(first, after), last, limit)
        found = await self._database.read(lambda connection: run(connection, log, values).fetchall())
        return [_logged(row) for row in found]

    async def overrides(self, number: int) -> dict[str, int]:
        """By reason code: passages released against it in this shift."""
        prefix = f"{number}/"
        sql = "SELECT key, count(*) FROM override_uses WHERE substr(key, 1, ?) = ? GROUP BY key"
        rows = await self._database.read(lambda c: run(c, sql, (len(prefix), prefix)).fetchall())
        return {key.removeprefix(prefix): int(count) for key, count in rows}


def _words(words: Sequence[str]) -> str:
    return ", ".join(f"'{word}'" for word in words)


def _logged(row: Row) -> dict[str, Any]:
    number, kind, at_us, actor, lane, passage_id, facts, plate = row
    return {
        "record": number,
        "kind": kind,
        "at": from_us(at_us).isoformat(),
        "by": actor,
        "lane": lane,
        "passage_id": passage_id,
        "plate": plate,
        "facts": read_facts(facts),
    }


def _shift_of(row: Row) -> Shift:
    number, begun_by, begun_at_us, begun_record, handed_by, handed_at_us, note, matters = row
    if begun_record is None:
        raise RecordError(f"shift {number}: a record of its beginning expected, none found")
    handed_at = None if handed_at_us is None else from_us(handed_at_us)
    read = () if matters is None else tuple(json.loads(matters))
    return Shift(number, begun_by, from_us(begun_at_us), begun_record, handed_by, handed_at, note, read)
