"""A process that records as fast as it can and says each acknowledged number on standard output, until it is killed."""

from __future__ import annotations

import asyncio
import os
import sys
from pathlib import Path

from sync.database import Database, DatabaseSettings
from sync.journal import SqlJournal
from tests.fakes.record_entries import crossing, decision


async def record(directory: Path, first: int, lanes: int) -> None:
    """Each lane writes its own passages one after the other, as lanes do."""

    async def lane(offset: int) -> None:
        i = first + offset
        while True:
            for entry in (decision(i), crossing(i)):
                number = await journal.write(entry)
                os.write(1, b"%d %s %d\n" % (number, entry.kind.encode(), i))
            i += lanes

    async with (
        Database(DatabaseSettings(directory, reserve_bytes=0)) as database,
        SqlJournal(database, "K1") as journal,
    ):
        os.write(1, b"ready\n")
        await asyncio.gather(*(lane(offset) for offset in range(lanes)))


if __name__ == "__main__":
    asyncio.run(record(Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3])))
