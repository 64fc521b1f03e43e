"""One change of accounts from the command line: asked of the running service, or made here when none runs."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, select

from gate_service.clock import RealClock
from gate_service.domain.errors import StoreBusyError
from gate_service.domain.record import Entry
from gate_service.web.control import ask, carry_out, keep_for_record
from sync.accounts import Accounts
from sync.database import Database, DatabaseSettings
from sync.journal import SqlJournal
from sync.tables import meta
from sync.tokens import Tokens


def request(directory: Path, asked: dict[str, Any], url: str = "") -> dict[str, Any]:
    """Have it done. The directory's lock says whether a service runs: two writers of one record are never allowed.

    Raises AccountError for what is refused, RecordError where nothing can be written.
    """
    try:
        return asyncio.run(_alone(directory, asked, url))
    except StoreBusyError:
        return ask(directory, asked)


async def _alone(directory: Path, asked: dict[str, Any], url: str) -> dict[str, Any]:
    clock = RealClock()
    by = f"system:uid-{os.getuid()}"
    async with Database(DatabaseSettings(directory, url=url, reserve_bytes=0)) as database:
        site_id = await database.read(_site_id)
        if site_id is None:  # never started: there is no record yet to write into
            accounts = Accounts(database, clock, keep_for_record(directory))
            return await carry_out(accounts, Tokens(accounts), asked, by)
        async with SqlJournal(database, site_id, clock) as journal:

            async def record(kind: str, actor: str, facts: Mapping[str, Any]) -> None:
                await journal.write(Entry(kind, clock.now(), actor, facts))

            accounts = Accounts(database, clock, record)
            return await carry_out(accounts, Tokens(accounts), asked, by)


def _site_id(connection: Connection) -> str | None:
    return connection.execute(select(meta.c.site_id)).scalar_one_or_none()
