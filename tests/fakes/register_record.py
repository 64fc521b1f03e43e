"""An open record with the desks that stand around the judging, on a clock that a test sets."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Self

from gate_service.domain.commands import Actor, ActorKind, Role
from gate_service.domain.record import Entry, LedgerChange
from gate_service.register_desk import RegisterDesk, RegisterSite
from sync.central.wire import ChangesPage
from sync.database import Database, DatabaseSettings
from sync.day_secrets import DaySecrets
from sync.journal import SqlJournal
from sync.register_changes import RegisterChanges
from sync.report_queries import ReportQueries
from sync.report_rows import ReportRows
from sync.slip_cache import SlipCache
from sync.slip_source import CentralSlipSource
from tests.fakes.slips import sound_slip

SUPERVISOR = Actor("sup", Role.SUPERVISOR, ActorKind.USER)
NOON = datetime(2026, 11, 28, 4, 0, tzinfo=UTC)  # noon of the zone's own day


def slip(number: str) -> dict[str, Any]:
    return sound_slip(slip_no=number)


class SetClock:
    def __init__(self, at: datetime = NOON) -> None:
        self.at = at

    def now(self) -> datetime:
        return self.at

    def monotonic_s(self) -> float:
        return 0.0

    async def sleep(self, duration_s: float) -> None:
        await asyncio.sleep(3600)


class Record:
    """An open record with its desks."""

    def __init__(
        self, directory: Path, gate: str = "single", settings: DatabaseSettings | None = None, site_id: str = "K1"
    ) -> None:
        self.directory = directory
        self.clock = SetClock()
        self.database = Database(settings or DatabaseSettings(directory, reserve_bytes=0))
        self.journal = SqlJournal(self.database, site_id, self.clock)
        self.secrets = DaySecrets(self.database, self.journal, self.clock)
        self.cache = SlipCache(self.database, self.clock)
        self.source = self.slip_source = CentralSlipSource(self.database, self.cache, self.clock)
        self.reports = ReportQueries(self.database, ReportRows(self.database, {}))
        site = RegisterSite(site_id, gate, timedelta(minutes=30), lambda _: None)
        self.desk = RegisterDesk(
            self.journal, RegisterChanges(self.database, self.journal, self.clock), self.clock, site
        )

    async def __aenter__(self) -> Self:
        await self.database.__aenter__()
        await self.journal.__aenter__()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.journal.__aexit__(None, None, None)
        await self.database.__aexit__(None, None, None)

    async def facts(self, kind: str) -> list[dict[str, Any]]:
        return [dict(r.facts) for r in await self.journal.records(0, 1000) if r.kind == kind]

    async def load(self, *changes: dict[str, Any]) -> None:
        await self.cache.apply_page(ChangesPage(list(changes), "c", more=False, as_of=self.clock.at))

    async def rows(self, register: str, text: str = "") -> list[dict[str, Any]]:
        return list((await self.desk.rows(register, text, 100))["rows"])

    async def ledger(self, *changes: LedgerChange) -> int:
        return await self.journal.write(Entry("test", self.clock.at, "service", {}, ledger=changes))
