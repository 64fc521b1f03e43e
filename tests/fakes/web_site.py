"""A served site for tests: fake gate, real accounts, real database, real server on a port the system chooses."""

from __future__ import annotations

import ssl
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
from pwdlib.hashers.argon2 import Argon2Hasher

from gate_service.bootstrap import check_policy
from gate_service.domain.commands import Role, Scope
from gate_service.duty_desk import DutyDesk
from gate_service.paper_desk import PaperDesk
from gate_service.policy_desk import PolicyDesk
from gate_service.register_desk import RegisterDesk, RegisterSite
from gate_service.report_desk import ReportDesk
from gate_service.web.app import create_app
from gate_service.web.server import WebServer
from gate_service.web.settings import WebSettings
from sync.accounts import Accounts
from sync.database import Database, DatabaseSettings
from sync.day_secrets import DaySecrets
from sync.journal import SqlJournal
from sync.oidc import OpenIdConnect
from sync.passwords import Passwords
from sync.policies import PolicyBook
from sync.regimes import Regimes
from sync.register_changes import RegisterChanges
from sync.report_queries import ReportQueries
from sync.report_rows import ReportRows
from sync.shifts import Shifts
from sync.tokens import Tokens
from tests.fakes.lane_rig import RigSlips, lane_settings
from tests.fakes.web_gate import FakeClock, FakeGate

PASSWORD = "a long enough word"
QUICK = Argon2Hasher(time_cost=1, memory_cost=8, parallelism=1)
PLAIN = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)  # never used: the real one takes 150 ms to load
BROWSER = {"accept": "text/html,application/xhtml+xml"}


@dataclass
class Site:
    """Everything a test takes hold of."""

    gate: FakeGate
    clock: FakeClock
    accounts: Accounts
    tokens: Tokens
    app: Any
    server: WebServer
    recorded: list[tuple[str, str, Mapping[str, Any]]]
    journal: SqlJournal

    @property
    def url(self) -> str:
        return self.server.url

    def client(self, **options: Any) -> httpx.AsyncClient:
        return httpx.AsyncClient(base_url=self.url, timeout=10, verify=PLAIN, **options)

    @asynccontextmanager
    async def signed_in(self, name: str, role: Role) -> AsyncIterator[httpx.AsyncClient]:
        """A client with an account of its own and an open session."""
        await self.accounts.add_user(name, role, PASSWORD, "service")
        async with self.client() as client:
            answer = await client.post("/api/v1/session", json={"name": name, "password": PASSWORD})
            answer.raise_for_status()
            client.headers["x-csrf-token"] = answer.json()["csrf_token"]
            yield client

    async def with_token(self, name: str, scope: Scope, *lanes: str) -> httpx.AsyncClient:
        secret = await self.tokens.add_token(name, [scope], lanes, "service")
        return self.client(headers={"authorization": f"Bearer {secret}"})


@asynccontextmanager
async def serve(
    directory: Path,
    gate: FakeGate | None = None,
    port: int = 0,
    provider: OpenIdConnect | None = None,
    **options: Any,
) -> AsyncIterator[Site]:
    """Run a site until left; `options` are those of `WebSettings`."""
    recorded: list[tuple[str, str, Mapping[str, Any]]] = []

    async def record(kind: str, actor: str, facts: Mapping[str, Any]) -> None:
        recorded.append((kind, actor, facts))

    gate = gate or FakeGate()
    clock = FakeClock()
    async with (
        Database(DatabaseSettings(directory, reserve_bytes=0)) as database,
        SqlJournal(database, "K1", clock) as journal,
        _desks(gate, database, journal, clock),
    ):
        accounts = Accounts(database, clock, record, Passwords(QUICK))
        settings = WebSettings(port=port, **({"requests_per_s": 0} | options))
        book = PolicyBook(database, journal, clock, check_policy, None)
        gate.policies = PolicyDesk(book, journal, clock)
        app = create_app(gate, accounts, settings, clock, provider)
        async with book, WebServer(app, settings) as server:
            yield Site(gate, clock, accounts, app.state.web.tokens, app, server, recorded, journal)


@asynccontextmanager
async def _desks(gate: FakeGate, database: Database, journal: SqlJournal, clock: FakeClock) -> AsyncIterator[None]:
    """Shifts, regimes and paper as in a real service; only the lanes are fake."""
    shifts, regimes = Shifts(database, journal, clock), Regimes(database, journal, clock)

    async def parked() -> int:
        return 0

    desk = RegisterSite("K1", "single", timedelta(hours=2), lambda _: None)
    gate.registers = RegisterDesk(journal, RegisterChanges(database, journal, clock), clock, desk)
    secrets, rows = DaySecrets(database, journal, clock), ReportRows(database, {})
    gate.reports, gate.journal = ReportDesk(ReportQueries(database, rows), secrets, clock), journal
    gate.paper = PaperDesk(journal, regimes, shifts, RigSlips(), clock, lanes={"in-d1": lane_settings()})
    async with DutyDesk(shifts, regimes, clock, lanes=gate.lanes, parked=parked, on_changed=lambda: None) as gate.duty:
        yield
