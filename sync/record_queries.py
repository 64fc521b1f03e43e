"""What is read back of the record, each in one statement or two. Reads only."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any, Final

from sqlalchemy import Connection, select

from gate_service.domain.errors import ChainBrokenError
from gate_service.domain.events import JsonObject
from gate_service.domain.record import FileRef
from sync.append import head
from sync.columns import from_us, to_us
from sync.encoding import read_facts
from sync.queue_rows import WAITS_SINCE
from sync.seal import Seal
from sync.segments import dropped_to
from sync.statements import marks, run, scalar
from sync.tables import passages as passage_table
from sync.tables import records as record_table
from sync.tables import slip_uses
from sync.time_mark import read_mark

LARGEST_PAGE: Final = 1000
REASONS_OF: Final = 20_000
"""Records looked through for the reasons in use: some days of a busy gate, read in tens of milliseconds."""


@dataclass(frozen=True, slots=True)
class PassageFilter:
    """Which passages to list; what is None does not narrow."""

    lanes: frozenset[str] | None = None
    direction: str | None = None
    state: str | None = None
    plate: str | None = None
    verdict: str | None = None
    slip_no: str | None = None
    is_open: bool | None = None
    opened_from: datetime | None = None
    opened_before: datetime | None = None


@dataclass(frozen=True, slots=True)
class PassageView:
    """A passage document with its first and last record."""

    document: JsonObject
    opened_record: int
    last_record: int


@dataclass(frozen=True, slots=True)
class RecordView:
    """One record of the audit."""

    number: int
    epoch: str
    kind: str
    at: datetime
    actor: str
    lane: str | None
    passage_id: str | None
    facts: JsonObject  # `{"erased": true}` where they were erased
    hash: str
    clock: JsonObject | None = None  # how far `at` can be trusted: `source`, `offset_ms`, `error_ms`


@dataclass(frozen=True, slots=True)
class QueueCounts:
    """The events of one queue over all epochs. `oldest_due_at` is since when the longest waiting one waits."""

    recorded: int
    due: int
    parked: int
    oldest_due_at: datetime | None

    @property
    def delivered(self) -> int:
        """Acknowledged by the receiver."""
        return self.recorded - self.due - self.parked


@dataclass(frozen=True, slots=True)
class RecordCounts:
    """How much is recorded and told."""

    records: int
    outbox: QueueCounts
    feed: QueueCounts


def check_seal(connection: Connection, seal: Seal | None) -> None:
    """Raise ChainBrokenError where the record is shorter than its seal, or another one."""
    records = scalar(connection, "SELECT COALESCE(MAX(number), 0) FROM records")
    if seal is None:
        if records:
            raise ChainBrokenError(f"record: a seal beside the database expected, none found with {records} records")
        return
    if records < seal.records:
        raise ChainBrokenError(f"record {records + 1}: {seal.records} records were sealed, {records} found")
    if seal.records > dropped_to(connection):
        found = scalar(connection, "SELECT hash FROM records WHERE number = ?", (seal.records,))
        if found != seal.head:
            raise ChainBrokenError(f"record {seal.records}: hash {seal.head} was sealed, {found} found")
    last = head(connection, seal.epoch)
    for queue, sealed, last_seq in (("outbox", seal.outbox, last.outbox), ("feed", seal.feed, last.feed)):
        if last_seq < sealed:
            raise ChainBrokenError(f"{queue}: {sealed} events were sealed, the last found is {last_seq}")


def media_type(connection: Connection, sha256: str) -> str | None:
    """What a file is that records name; None for one that none names."""
    sql = "SELECT media_type FROM files WHERE sha256 = ? AND record_number > ? LIMIT 1"
    found: str | None = scalar(connection, sql, (sha256, dropped_to(connection)))
    return found


def open_passages(connection: Connection) -> list[JsonObject]:
    """Documents of passages that are not closed, oldest first."""
    rows = run(connection, "SELECT document FROM passages WHERE closed_at_us IS NULL ORDER BY opened_record")
    return [json.loads(row[0]) for row in rows]


def photos(connection: Connection, passage_id: str) -> list[FileRef]:
    """Files that the records of a passage name, oldest first."""
    rows = run(
        connection,
        "SELECT f.sha256, f.bytes, f.media_type FROM files f JOIN records r ON r.number = f.record_number"
        " WHERE r.passage_id = ? ORDER BY f.record_number",
        (passage_id,),
    )
    return [FileRef(*row) for row in rows]


def newest(connection: Connection, kind: str, lane: str) -> JsonObject | None:
    """Facts of the newest record of this kind about this lane."""
    statement = "SELECT facts FROM records WHERE kind = ? AND lane = ? ORDER BY number DESC LIMIT 1"
    row = run(connection, statement, (kind, lane)).fetchone()
    return None if row is None else read_facts(row[0])


def passage(connection: Connection, passage_id: str) -> PassageView | None:
    """One passage, or None."""
    table = passage_table
    row = connection.execute(
        select(table.c.document, table.c.opened_record, table.c.last_record).where(table.c.id == passage_id)
    ).one_or_none()
    return None if row is None else PassageView(json.loads(row[0]), row[1], row[2])


def passages(connection: Connection, limit: int, before: int | None, where: PassageFilter) -> list[PassageView]:
    """A page of passages, newest first."""
    table = passage_table
    statement = select(table.c.document, table.c.opened_record, table.c.last_record)
    if where.lanes is not None:
        statement = statement.where(table.c.lane.in_(sorted(where.lanes)))
    for name in ("direction", "state", "plate", "verdict"):
        value = getattr(where, name)
        if value is not None:
            statement = statement.where(table.c[name] == value)
    if where.slip_no is not None:
        of_slip = select(slip_uses.c.passage_id).where(slip_uses.c.slip_no == where.slip_no)
        statement = statement.where(table.c.id.in_(of_slip))
    if where.is_open is not None:
        is_open = table.c.closed_at_us.is_(None)
        statement = statement.where(is_open if where.is_open else ~is_open)
    if where.opened_from is not None:
        statement = statement.where(table.c.opened_at_us >= to_us(where.opened_from))
    if where.opened_before is not None:
        statement = statement.where(table.c.opened_at_us < to_us(where.opened_before))
    if before is not None:
        statement = statement.where(table.c.opened_record < before)
    page = statement.order_by(table.c.opened_record.desc()).limit(min(limit, LARGEST_PAGE))
    return [PassageView(json.loads(row[0]), row[1], row[2]) for row in connection.execute(page)]


def records(connection: Connection, after: int, limit: int, passage_id: str | None) -> list[RecordView]:
    """A page of records above `after`, in their order."""
    table = record_table
    statement = select(table).where(table.c.number > after)
    if passage_id is not None:
        statement = statement.where(table.c.passage_id == passage_id)
    page = statement.order_by(table.c.number).limit(min(limit, LARGEST_PAGE))
    return [_record_view(row._mapping) for row in connection.execute(page)]  # noqa: SLF001 - SQLAlchemy's public name


def reason_counts(connection: Connection) -> dict[str, dict[str, int]]:
    """How often each command was given with each reason code, in the newest `REASONS_OF` records."""
    last = scalar(connection, "SELECT COALESCE(MAX(number), 0) FROM records")
    given = "SELECT facts FROM records WHERE number > ? AND kind IN ('command', 'emergency_raise', 'lane_reconfigured')"
    found: dict[str, Counter[str]] = {}
    for row in run(connection, given, (last - REASONS_OF,)):
        facts = read_facts(row[0])
        if facts.get("reason_code"):
            found.setdefault(facts["command"], Counter())[facts["reason_code"]] += 1
    return {command: dict(counter.most_common()) for command, counter in found.items()}


def counts(connection: Connection, epoch: str) -> RecordCounts:
    """Counts without reading every row: `seq` has no gaps, so the newest number is the count of its epoch."""
    last = head(connection, epoch)
    return RecordCounts(
        records=last.records,
        outbox=_queue_counts(connection, "outbox", epoch, last.outbox),
        feed=_queue_counts(connection, "feed", epoch, last.feed),
    )


def _queue_counts(connection: Connection, queue: str, epoch: str, recorded: int) -> QueueCounts:
    for comparison in ("<", ">"):
        earlier = f"SELECT count(*) FROM {queue} WHERE epoch {comparison} ?"  # noqa: S608 - our own names
        recorded += scalar(connection, earlier, (epoch,))
    since = WAITS_SINCE[queue]
    waiting = f"SELECT state, count(*), min({since}) FROM {queue} WHERE state <> 'delivered' GROUP BY state"  # noqa: S608
    found = {row[0]: row for row in run(connection, waiting)}
    oldest = found["due"][2] if "due" in found else None
    return QueueCounts(
        recorded=int(recorded),
        due=int(found["due"][1]) if "due" in found else 0,
        parked=int(found["parked"][1]) if "parked" in found else 0,
        oldest_due_at=None if oldest is None else from_us(oldest),
    )


def _record_view(row: Any) -> RecordView:
    return RecordView(
        number=row["number"],
        epoch=row["epoch"],
        kind=row["kind"],
        at=from_us(row["at_us"]),
        actor=row["actor"],
        lane=row["lane"],
        passage_id=row["passage_id"],
        facts=read_facts(row["facts"]),
        hash=row["hash"],
        clock=None if row["clock"] is None else asdict(read_mark(row["clock"])),
    )


def events_known(connection: Connection, ids: Sequence[str]) -> set[str]:
    """Which of these events are recorded already."""
    rows = run(connection, f"SELECT id FROM outbox WHERE id IN ({marks(ids)})", tuple(ids))  # noqa: S608 - only places
    return {str(row[0]) for row in rows}
