"""Databases of past releases open, migrate, read back, verify and go on."""

import shutil
from pathlib import Path

import pytest

from sync.database import Database, DatabaseSettings
from sync.journal import SqlJournal
from sync.migrate import HEAD, schema_revision
from sync.verify import verify_directory
from tests.fakes.record_entries import crossing, decision, passage, passage_id, slip_no

SNAPSHOTS = Path(__file__).parents[1] / "snapshots"


@pytest.mark.parametrize("name", [path.name for path in sorted(SNAPSHOTS.glob("record-v*"))])
async def test_a_database_of_a_past_release_opens_migrates_reads_back_and_goes_on(name, tmp_path):
    directory = tmp_path / name
    shutil.copytree(SNAPSHOTS / name, directory)
    assert verify_directory(directory).holds
    async with (
        Database(DatabaseSettings(directory, reserve_bytes=0)) as database,
        SqlJournal(database, "K1") as journal,
    ):
        assert journal.is_writable()
        assert await database.read(schema_revision) == HEAD
        assert await journal.open_passages() == [passage(2)]
        closed = await journal.passage(passage_id(1))
        assert closed is not None
        assert closed.document == passage(1, "idle", closed=True)
        assert [record.kind for record in await journal.records()] == ["decision", "crossing", "decision", "state"]
        counts = await journal.counts()
        assert (counts.outbox.due, counts.feed.due) == (7, 1)
        assert (await journal.ledger_facts([slip_no(1)], [], passage_id="x")).used == {slip_no(1): 1}
        assert await journal.write(crossing(2)) == 5
        assert await journal.write(decision(4)) == 6
    report = verify_directory(directory)
    assert (report.findings, report.records, report.outbox) == ([], 6, 12)


def test_there_is_a_snapshot_of_the_present_revision():
    assert (SNAPSHOTS / f"record-v{int(HEAD)}").is_dir()
