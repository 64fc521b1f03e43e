"""`gate restore BACKUP --reason TEXT`: a backup becomes the record of a data directory, in a new epoch."""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import sys
from pathlib import Path

from sqlalchemy import Connection, update

from gate_service.clock import RealClock
from gate_service.domain.errors import GateError, InputError
from sync.backup import STAGING, begin_restore, finish_restore, put_back
from sync.columns import to_us
from sync.database import Database, DatabaseSettings
from sync.journal import SqlJournal
from sync.people_tables import sessions


def run(source: Path, directory: Path, *, reason: str, as_json: bool) -> int:
    """Restore, begin the epoch, print. 0 done, 1 the backup does not hold, 2 no backup or a record in the way."""
    if not reason.strip():
        raise InputError("restore: a reason expected")
    try:
        # Not in its place yet: a record whose new epoch was never begun would count on from the backup's numbers.
        staging = begin_restore(directory)
        manifest = put_back(source, staging)
        epoch = asyncio.run(_begin(staging, manifest.site_id, f"restored from a backup of {manifest.at}: {reason}"))
        finish_restore(staging)
    except GateError:
        shutil.rmtree(directory / STAGING, ignore_errors=True)
        raise
    except OSError as error:
        raise InputError(f"{directory}: a directory that can be written expected: {error}") from error
    if as_json:
        answer = {"directory": str(directory), "records": manifest.records, "epoch": epoch, "backup_at": manifest.at}
        sys.stdout.write(json.dumps(answer, ensure_ascii=False) + "\n")
    else:
        sys.stdout.write(
            f"{directory}: {manifest.records} records as of {manifest.at}, epoch {epoch} begun\n"
            "start the service with the line to the central system up: slips used since then are known only there\n"
        )
    return 0


async def _begin(directory: Path, site_id: str, reason: str) -> str:
    clock = RealClock()
    async with (
        Database(DatabaseSettings(directory, reserve_bytes=0)) as database,
        SqlJournal(database, site_id, clock) as journal,
    ):
        epoch = await journal.new_epoch(reason, f"system:uid-{os.getuid()}")
        now_us = to_us(clock.now())

        def end_sessions(connection: Connection) -> None:
            """A session that ended since the backup must not come alive again."""
            connection.execute(update(sessions).where(sessions.c.ended_at_us.is_(None)).values(ended_at_us=now_us))

        await database.write(end_sessions)
        return epoch
