"""The standing questions of feed and outbox must cost what waits, or what is sent, not what was ever told."""

import pytest

from sync import queue_rows
from sync.database import Database, DatabaseSettings
from sync.journal import SqlJournal
from sync.queue_rows import HEADS
from sync.statements import run
from tests.fakes.record_entries import crossing, decision


@pytest.mark.parametrize(
    "asked",
    [
        f"SELECT seq FROM {HEADS} AND due_at_us <= 5 ORDER BY record_number, seq LIMIT 8",
        f"SELECT MIN(due_at_us) FROM {HEADS}",
    ],
)
async def test_the_heads_of_the_feed_are_found_by_what_waits(tmp_path, asked):
    async with Database(DatabaseSettings(tmp_path, reserve_bytes=0)) as database, SqlJournal(database, "K1"):
        rows = await database.read(lambda c: c.exec_driver_sql(f"EXPLAIN QUERY PLAN {asked}").fetchall())
    plan = " ".join(str(row[3]) for row in rows)
    assert "f USING INDEX feed_waiting" in plan
    assert "e USING INDEX feed_of_passage_waiting (passage_id=?)" in plan
    assert "feed_by_record" not in plan


async def test_a_batch_of_the_outbox_and_its_depth_are_found_by_the_indices_of_what_waits(tmp_path, monkeypatch):
    asked = []

    def noted(connection, sql, values=()):
        asked.append((sql, values))
        return run(connection, sql, values)

    async with Database(DatabaseSettings(tmp_path, reserve_bytes=0)) as database, SqlJournal(database, "K1") as journal:
        await journal.write(decision(1))
        await journal.write(crossing(1))
        monkeypatch.setattr(queue_rows, "run", noted)
        assert len(await database.read(lambda c: queue_rows.waiting_newest(c, 3))) == 5
        assert (await database.read(lambda c: queue_rows.depth(c, "outbox")))["due"] == 5

        def plans(connection):
            return [run(connection, f"EXPLAIN QUERY PLAN {sql}", values).fetchall() for sql, values in asked]

        newest, of_passages, depth = [" ".join(str(row[3]) for row in rows) for rows in await database.read(plans)]
    assert "USING INDEX outbox_waiting" in newest
    assert "USING INDEX outbox_of_passage_waiting (passage_id=?)" in of_passages
    assert "USING COVERING INDEX outbox_waiting" in depth
