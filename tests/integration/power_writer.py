"""A process that records under a tracer and says each acknowledged number on standard output, then ends.

Bursts with pauses, so that the writer checkpoints; seals and files in between, so that all that is ever synced is.
`safe` is the service as it is; `rollback` the fallback of machines without the wheel; `normal` what must never be.
"""

from __future__ import annotations

import asyncio
import os
import sys
from dataclasses import replace
from pathlib import Path

import sync.journal
import sync.store
import sync.writer
from sync.database import Database, DatabaseSettings
from sync.files import FileStore
from sync.journal import SqlJournal
from sync.store_safety import JournalMode, Synchronous
from tests.fakes.record_entries import crossing, decision, note

LANES = 4
BURST = 6  # entries of each lane
CHECKPOINT_AFTER = 5  # commits; the service waits for 250, and a trace of so many would be long


async def record(directory: Path, settings: DatabaseSettings, bursts: int) -> None:
    files = FileStore(directory)

    async def lane(first: int) -> None:
        for i in range(first, first + BURST * LANES, LANES):
            entries = [decision(i), crossing(i)]
            if i % 5 == 0:
                entries.append(replace(note(i), files=(await files.keep(b"%d " % i * 700, "image/jpeg"),)))
            for entry in entries:
                number = await journal.write(entry)
                os.write(1, b"%d %s\n" % (number, entry.kind.encode()))

    async with Database(settings) as database, SqlJournal(database, "K1") as journal:
        for burst in range(bursts):
            await asyncio.gather(*(lane(burst * BURST * LANES + offset) for offset in range(LANES)))
            await asyncio.sleep(0.15)


def main() -> None:
    directory, kind, bursts = Path(sys.argv[1]), sys.argv[2], int(sys.argv[3])
    settings = DatabaseSettings(directory, reserve_bytes=0)
    sync.writer.CHECKPOINT_AFTER = CHECKPOINT_AFTER
    sync.journal.SEAL_EVERY_S = 0.1
    if kind == "rollback":
        settings = replace(settings, journal_mode=JournalMode.DELETE, synchronous=Synchronous.EXTRA)
    elif kind == "normal":
        sync.store.refuse_unsafe = lambda *_: None
        settings = replace(settings, journal_mode=JournalMode.WAL, synchronous=Synchronous.NORMAL)
    asyncio.run(record(directory, settings, bursts))


if __name__ == "__main__":
    main()
