"""Makes a data directory to keep as a snapshot. Run once per schema revision: `python -m tests.snapshots.make DIR`."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

from sync.database import Database, DatabaseSettings
from sync.journal import SqlJournal
from sync.store_safety import JournalMode, Synchronous
from tests.fakes.record_entries import crossing, decision, note


async def make(directory: Path) -> None:
    """A rollback journal, so that the snapshot is one file."""
    settings = DatabaseSettings(
        directory, reserve_bytes=0, journal_mode=JournalMode.DELETE, synchronous=Synchronous.EXTRA
    )
    async with Database(settings) as database, SqlJournal(database, "K1") as journal:
        for entry in (decision(1), crossing(1), decision(2), note(3)):
            await journal.write(entry)


if __name__ == "__main__":
    asyncio.run(make(Path(sys.argv[1])))
    for name in ("record.lock", "record.key"):
        (Path(sys.argv[1]) / name).unlink()
