"""Appends one encoded entry inside the transaction it is given: record, passage, events, ledgers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from sqlalchemy import Connection

from sync import ledger
from sync.chain import GENESIS, EventMark, Link, link_hash, sha256_hex
from sync.encoding import EntryRow, EventRow, PassageRow
from sync.statements import Row, marks, run, run_many
from sync.time_mark import UNKNOWN

_HEAD: Final = (
    "SELECT COALESCE(MAX(number), 0), COALESCE((SELECT hash FROM records ORDER BY number DESC LIMIT 1), ''),"
    # A queue whose rows all went with their segments goes on where those left off.
    " (SELECT COALESCE(MAX(seq), (SELECT outbox_seq FROM segments WHERE epoch = ? ORDER BY number DESC LIMIT 1), 0)"
    " FROM outbox WHERE epoch = ?),"
    " (SELECT COALESCE(MAX(seq), (SELECT feed_seq FROM segments WHERE epoch = ? ORDER BY number DESC LIMIT 1), 0)"
    " FROM feed WHERE epoch = ?)"
)
INSERT_RECORD: Final = (
    "INSERT INTO records (number, epoch, kind, at_us, actor, lane, passage_id, facts, facts_sha256, ledger,"
    " passage_sha256, clock, previous_hash, hash) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
)
INSERT_FILE: Final = "INSERT INTO files (sha256, record_number, bytes, media_type) VALUES (?, ?, ?, ?)"
UPSERT_PASSAGE: Final = (
    "INSERT INTO passages (id, opened_record, last_record, lane, direction, state, plate, verdict, opened_at_us,"
    " closed_at_us, document) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
    " ON CONFLICT (id) DO UPDATE SET last_record = excluded.last_record, lane = excluded.lane,"
    " direction = excluded.direction, state = excluded.state, plate = excluded.plate, verdict = excluded.verdict,"
    " opened_at_us = excluded.opened_at_us, closed_at_us = excluded.closed_at_us, document = excluded.document"
)
INSERT_EVENT: Final = {
    "outbox": "INSERT INTO outbox (epoch, seq, id, record_number, type, passage_id, at_us, payload, sha256, due_at_us)"
    " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
    "feed": "INSERT INTO feed (epoch, seq, id, record_number, type, passage_id, at_us, payload, sha256, due_at_us)"
    " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
}


@dataclass(frozen=True, slots=True)
class Head:
    """Where the record ends: its last number and hash, and the last `seq` of each queue in the epoch."""

    records: int
    hash: str
    outbox: int
    feed: int


def head(connection: Connection, epoch: str) -> Head:
    """Read where the record ends."""
    row = run(connection, f"{_HEAD} FROM records", (epoch,) * 4).fetchone()
    assert row is not None
    return _head_of(row)


def _head_of(row: Row) -> Head:
    return Head(row[0], row[1] or GENESIS, row[2], row[3])


def append(connection: Connection, site_id: str, epoch: str, row: EntryRow, clock: str = UNKNOWN.text()) -> int:
    """Write the entry after the last record and return its number; `clock` says how far its time can be trusted.

    Raises LedgerRefusedError.
    """
    last, events = _follow(connection, epoch, row.events)
    number = last.records + 1
    outbox = _numbered("outbox", events, last.outbox)
    feed = _numbered("feed", tuple(event for event in events if event.is_hazmat), last.feed)
    link = Link(
        site_id=site_id,
        epoch=epoch,
        number=number,
        at_us=row.at_us,
        kind=row.kind,
        actor=row.actor,
        lane=row.lane,
        passage_id=row.passage_id,
        facts_sha256=row.facts_sha256,
        ledger_sha256=row.ledger_sha256,
        passage_sha256=None if row.passage is None else row.passage.sha256,
        events=tuple(numbered.mark for numbered in (*outbox, *feed)),
        previous_hash=last.hash,
        clock=clock,
    )
    _insert_record(connection, link, row)
    if row.files:
        run_many(connection, INSERT_FILE, [(f.sha256, number, f.size, f.media_type) for f in row.files])
    if row.passage is not None:
        _store_passage(connection, row.passage, number)
    for queue, numbered_events in (("outbox", outbox), ("feed", feed)):
        if numbered_events:
            rows = [numbered.values(epoch, number, row.at_us) for numbered in numbered_events]
            run_many(connection, INSERT_EVENT[queue], rows)
    ledger.apply(connection, row.changes, number, row.at_us)
    return number


@dataclass(frozen=True, slots=True)
class _NumberedEvent:
    mark: EventMark
    event: EventRow
    payload: bytes

    def values(self, epoch: str, number: int, due_at_us: int) -> Row:
        mark, event = self.mark, self.event
        told = (event.id, number, event.type, event.passage_id, event.at_us, self.payload, mark.sha256)
        return (epoch, mark.seq, *told, due_at_us)


def _follow(connection: Connection, epoch: str, events: tuple[EventRow, ...]) -> tuple[Head, tuple[EventRow, ...]]:
    """What the entry follows, and its events without those told before.

    An id comes from its fact, and a fact is told once (a weight judged again).
    """
    ids = tuple(event.id for event in events)
    among = f"FROM outbox WHERE id IN ({marks(ids)})"
    head_and_told = f"{_HEAD}, (SELECT COUNT(*) {among}) FROM records"  # noqa: S608 - only places
    row = run(connection, head_and_told, (*(epoch,) * 4, *ids)).fetchone()
    assert row is not None
    if row[4]:
        told = {str(found[0]) for found in run(connection, f"SELECT id {among}", ids)}
        events = tuple(event for event in events if event.id not in told)
    return _head_of(row), events


def _numbered(queue: str, events: tuple[EventRow, ...], last_seq: int) -> list[_NumberedEvent]:
    """Give each event the next number of its queue and freeze its payload."""
    numbered = []
    for seq, event in enumerate(events, last_seq + 1):
        payload = event.payload(seq)
        mark = EventMark(queue, seq, event.passage_id, sha256_hex(payload))
        numbered.append(_NumberedEvent(mark, event, payload))
    return numbered


def _insert_record(connection: Connection, link: Link, row: EntryRow) -> None:
    run(
        connection,
        INSERT_RECORD,
        (
            link.number,
            link.epoch,
            link.kind,
            link.at_us,
            link.actor,
            link.lane,
            link.passage_id,
            row.facts,
            link.facts_sha256,
            row.ledger,
            link.passage_sha256,
            link.clock,
            link.previous_hash,
            link_hash(link),
        ),
    )


def _store_passage(connection: Connection, passage: PassageRow, number: int) -> None:
    run(
        connection,
        UPSERT_PASSAGE,
        (
            passage.id,
            number,
            number,
            passage.lane,
            passage.direction,
            passage.state,
            passage.plate,
            passage.verdict,
            passage.opened_at_us,
            passage.closed_at_us,
            passage.document,
        ),
    )
