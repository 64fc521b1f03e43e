"""Run inside a mount namespace: records on a file system of 48 MiB that something else fills; says what happened."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import sync.writer
from gate_service.domain.errors import RecordError
from sync.database import Database, DatabaseSettings
from sync.journal import SqlJournal
from sync.reserve import FILE_NAME as RESERVE
from sync.verify import verify_directory
from tests.fakes.record_entries import crossing, decision, note

MIB = 1024 * 1024


def fill(path: Path, leave: int) -> None:
    """Write until so many bytes are free; 0 fills everything."""
    with path.open("ab", buffering=0) as file, contextlib.suppress(OSError):
        while True:
            status = os.statvfs(path.parent)
            room = status.f_bavail * status.f_frsize - leave
            if room <= 0 and leave:
                return
            file.write(b"x" * min(max(room, 4096), MIB))


async def comes_true(holds: Callable[[], bool]) -> bool:
    """Whether it does, however late on a busy machine."""
    for _ in range(600):
        if holds():
            return True
        await asyncio.sleep(0.05)
    return False


async def record(folder: Path) -> dict[str, Any]:
    ballast, data = folder / "ballast", folder / "data"
    said: dict[str, Any] = {"acknowledged": 0}
    settings = DatabaseSettings(data, reserve_bytes=16 * MIB)
    async with Database(settings) as database, SqlJournal(database, "K1") as journal:
        for i in range(40):
            await journal.write(decision(i))
        said["held"] = (data / RESERVE).stat().st_size // MIB
        fill(ballast, 10 * MIB)
        said["closed"] = await comes_true(lambda: not journal.is_writable())  # the writer looks once a second
        for i in range(40):
            await journal.write(crossing(i))  # what is under way is still recorded
        with contextlib.suppress(RecordError):
            await database.write(lambda connection: connection.exec_driver_sql("DELETE FROM sync_state").rowcount)
            said["other written"] = True
        fill(ballast, 0)
        said["on a full disk"] = await journal.write(note(1)) == 81
        said["given up"] = not (data / RESERVE).exists()
        number = 81
        with contextlib.suppress(RecordError):
            while number < 100_000:
                number = await journal.write(note(number, {"text": "x" * 20_000}))
        said["refused after"] = number
        ballast.unlink()
        said["open again"] = await comes_true(journal.is_writable)
        said["held again"] = await comes_true((data / RESERVE).exists)
        sync.writer.IDLE_TICK_S = 3600.0  # the disk fills within one look
        await asyncio.sleep(1.2)
        fill(ballast, 0)
        refused = 0
        for i in range(200):
            try:
                number = await journal.write(note(i, {"text": "y" * 20_000}))
            except RecordError as error:
                refused += 1
                said["why"] = str(error)
                if refused > 3:
                    break
        said["refused while filled"] = refused
        ballast.unlink()
        await asyncio.sleep(0.2)
        for _ in range(3):
            with contextlib.suppress(RecordError):
                number = await journal.write(note(number))
        said["acknowledged"], said["writable at the end"] = number, await comes_true(journal.is_writable)
    report = verify_directory(data)
    said["found"], said["records"] = report.findings, report.records
    return said


if __name__ == "__main__":
    print(json.dumps(asyncio.run(record(Path(sys.argv[1])))))
