"""`gate erase PASSAGE --reason TEXT`: asked of the running service, or done here when none runs."""

from __future__ import annotations

import asyncio
import json
import os
import sys
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, select

from gate_service.clock import RealClock
from gate_service.domain.errors import InputError, StoreBusyError
from gate_service.web.control import ask
from sync.database import Database, DatabaseSettings
from sync.erasure import erase_passage
from sync.journal import SqlJournal
from sync.tables import meta


def run(directory: Path, passage_id: str, *, reason: str, as_json: bool, url: str = "") -> int:
    """Erase and print what went. 0 done; what is refused is an error of one line."""
    try:
        answer = asyncio.run(_alone(directory, passage_id, reason, url))
    except StoreBusyError:
        answer = ask(directory, {"do": "erase", "passage_id": passage_id, "reason": reason})
    if as_json:
        sys.stdout.write(json.dumps(answer, ensure_ascii=False) + "\n")
    else:
        sys.stdout.write(
            f"passage {passage_id}: {answer['records']} records and {answer['events']} events emptied,"
            f" noted as record {answer['record']}\n"
        )
    return 0


async def _alone(directory: Path, passage_id: str, reason: str, url: str) -> dict[str, Any]:
    clock = RealClock()
    async with Database(DatabaseSettings(directory, url=url, reserve_bytes=0)) as database:
        site_id = await database.read(_site_id)
        if site_id is None:
            raise InputError(f"{directory}: a data directory with a record expected, none found")
        async with SqlJournal(database, site_id, clock) as journal:
            return await erase_passage(journal, clock, passage_id, reason, f"system:uid-{os.getuid()}")


def _site_id(connection: Connection) -> str | None:
    return connection.execute(select(meta.c.site_id)).scalar_one_or_none()
