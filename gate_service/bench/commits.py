"""`gate bench sync`, the record's part: durable commits a second beside raw SQLite, with 1, 8 and 32 writers.

Each commits one entry of a passage (record, passage, two events, a ledger line). The product is one writer thread with
group commit; raw SQLite is a connection for each writer on the same schema and pragmas, the same rows, no chain. A slow
disk is one whose every commit takes 8 ms longer while the write lock is held, for both alike.
"""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final
from uuid import uuid4

from sqlalchemy import Connection

from gate_service.bench.bench_site import disk_folder
from gate_service.bench.figure import Figure
from gate_service.bench.loop import run_loop
from gate_service.domain.events import Event, EventType
from gate_service.domain.record import Entry, LedgerChange, LedgerKind
from sync.database import Database, DatabaseSettings
from sync.encoding import EntryRow, encode_entry
from sync.journal import SqlJournal
from sync.store import FILE_NAME, SqliteStore

WRITERS: Final = (1, 8, 32)
SLOW_S: Final = 0.008  # a gate PC's plain disk, as in the reference measurements
SPAN_S: Final = 3.0
LIMITS: Final = {(SLOW_S, 1): 0.8, (SLOW_S, 8): 3.0, (SLOW_S, 32): 6.0}
"""At least so many times raw SQLite. On a fast disk the processor is the limit: told, not judged."""


def bench_commits(span_s: float = SPAN_S, writers: tuple[int, ...] = WRITERS) -> list[Figure]:
    """Measure and give commits a second for each number of writers, on this disk and on a slow one."""
    found = []
    for slow_s in (0.0, SLOW_S):
        for count in writers:
            with disk_folder() as folder:
                product = run_loop(_product(folder / "product", count, slow_s, span_s))
                raw = _raw(folder / "raw", count, slow_s, span_s)
            disk = "disk slowed by 8 ms" if slow_s else "this disk"
            name = f"durable commits, {count} writing, {disk}"
            found.append(
                Figure("sync", name, product, "/s", raw, "raw SQLite", LIMITS.get((slow_s, count)), is_at_least=True)
            )
    return found


def entry(number: int) -> Entry:
    """An ordinary decision of a passage of its own."""
    now, passage_id, plate = datetime.now(UTC), str(uuid4()), f"浙B{number % 100_000:05d}"
    passage = {
        "id": passage_id, "lane": "in-d1", "direction": "inbound", "state": "deciding", "opened_at": now.isoformat(),
        "closed_at": None, "plate": plate, "verdict": "release", "case": {"note": "x" * 2000},
    }  # fmt: skip
    data = {"passage_id": passage_id, "plate": plate, "checks": []}
    events = tuple(
        Event(uuid4(), kind, now, data, passage_id) for kind in (EventType.PASSAGE_DECIDED, EventType.PASSAGE_RELEASED)
    )
    ledger = (LedgerChange(LedgerKind.SLIP_RESERVED, f"Z{uuid4().hex}", passage_id),)
    return Entry("decision", now, "service", {"verdict": "release"}, "in-d1", passage_id, passage, ledger, events)


class SlowStore(SqliteStore):
    """A store whose every commit takes longer."""

    def __init__(self, path: Path, slow_s: float) -> None:
        super().__init__(path)
        self._slow_s = slow_s

    def commit(self, connection: Connection) -> None:
        """Sleep inside the transaction, right before its COMMIT."""
        if self._slow_s:
            time.sleep(self._slow_s)
        super().commit(connection)


async def _product(folder: Path, writers: int, slow_s: float, span_s: float) -> float:
    settings = DatabaseSettings(folder, reserve_bytes=0)
    async with (
        Database(settings, store=SlowStore(folder / FILE_NAME, slow_s)) as database,
        SqlJournal(database, "K1") as journal,
    ):
        until_s = time.monotonic() + span_s

        async def write(first: int) -> int:
            done = 0
            while time.monotonic() < until_s:
                await journal.write(entry(first + done))
                done += 1
            return done

        began_s = time.monotonic()
        counts = await asyncio.gather(*(write(n * 1_000_000) for n in range(writers)))
        return sum(counts) / (time.monotonic() - began_s)


def _raw(folder: Path, writers: int, slow_s: float, span_s: float) -> float:
    run_loop(_make_schema(folder))
    done = [0] * writers
    until_s = time.monotonic() + span_s

    def write(n: int) -> None:
        with _connection(folder) as connection:
            while time.monotonic() < until_s:
                _commit(connection, encode_entry(entry(n)), slow_s)
                done[n] += 1

    threads = [threading.Thread(target=write, args=(n,)) for n in range(writers)]
    began_s = time.monotonic()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return sum(done) / (time.monotonic() - began_s)


async def _make_schema(folder: Path) -> None:
    async with Database(DatabaseSettings(folder, reserve_bytes=0)):
        pass  # the schema, with its triggers and indexes


@contextmanager
def _connection(folder: Path) -> Iterator[Any]:
    """A connection as the product's writer has it, that waits for its turn as long as it takes."""
    engine = SqliteStore(folder / FILE_NAME).writer()
    pooled = engine.raw_connection()
    connection: Any = pooled.driver_connection
    connection.execute("PRAGMA busy_timeout=60000")
    connection.execute("PRAGMA wal_autocheckpoint=1000")  # SQLite's own default: nobody else checkpoints here
    try:
        yield connection
    finally:
        pooled.close()
        engine.dispose()


def _commit(connection: Any, row: EntryRow, slow_s: float) -> None:
    execute, passage = connection.execute, row.passage
    assert passage is not None
    execute("BEGIN IMMEDIATE")
    (number,) = execute("SELECT COALESCE(MAX(number), 0) + 1 FROM records").fetchone()
    execute(
        "INSERT INTO records (number, epoch, kind, at_us, actor, lane, passage_id, facts, facts_sha256, ledger,"
        " passage_sha256, clock, previous_hash, hash) VALUES (?, 'e', ?, ?, ?, ?, ?, ?, ?, ?, ?, '', ?, ?)",
        (
            number, row.kind, row.at_us, row.actor, row.lane, row.passage_id, row.facts, row.facts_sha256, row.ledger,
            passage.sha256, row.facts_sha256, passage.sha256,
        ),
    )  # fmt: skip
    execute(
        "INSERT INTO passages (id, opened_record, last_record, lane, direction, state, plate, verdict, opened_at_us,"
        " document) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (
            passage.id, number, number, passage.lane, passage.direction, passage.state, passage.plate, passage.verdict,
            passage.opened_at_us, passage.document,
        ),
    )  # fmt: skip
    (seq,) = execute("SELECT COALESCE(MAX(seq), 0) FROM outbox WHERE epoch = 'e'").fetchone()
    for told in row.events:
        seq += 1
        execute(
            "INSERT INTO outbox (epoch, seq, id, record_number, type, passage_id, at_us, payload, sha256, due_at_us)"
            " VALUES ('e', ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (
                seq, told.id, number, told.type, told.passage_id, told.at_us, told.payload(seq), row.facts_sha256,
                row.at_us,
            ),
        )  # fmt: skip
    (change,) = row.changes
    execute("INSERT INTO slip_uses VALUES (?, ?, 'reserved', ?)", (change.key, change.passage_id, row.at_us))
    if slow_s:
        time.sleep(slow_s)
    execute("COMMIT")
