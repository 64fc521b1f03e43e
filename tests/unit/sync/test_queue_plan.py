"""The feed's standing question must cost what waits, not what was ever told."""

import pytest

from sync.database import Database, DatabaseSettings
from sync.journal import SqlJournal
from sync.queue_rows import HEADS


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
