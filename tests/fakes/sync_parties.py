"""The reference servers as processes of their own, and a site that talks to them."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Any
from urllib.parse import urlsplit
from urllib.request import Request, urlopen

from gate_service.clock import RealClock
from sync.database import Database, DatabaseSettings
from sync.journal import SqlJournal
from sync.settings import STANDARD_DELAYS_S, AuthoritySettings, CentralSettings, SyncSettings
from sync.worker import SyncWorker
from tests.fakes.held_port import HeldPort

TOKEN = "placeholder-token"
SECRET = "whsec_MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIz"
PATIENT = {"claim_timeout_s": 20.0, "lookup_timeout_s": 20.0}
"""For a site whose centre must be the one that answers, however busy the machine is."""


class Party:
    """One reference server: start, stop hard, start again on the same port, and its control addresses."""

    def __init__(self, name: str, folder: Path) -> None:
        self.name = name
        self.state_file = folder / f"{name}.state"
        self._held = HeldPort()
        self.port = self._held.number
        self.process: subprocess.Popen[str] | None = None

    def start(self) -> None:
        words = ["--token", TOKEN] if self.name == "central" else ["--secret", SECRET]
        self.process = subprocess.Popen(
            [
                *(sys.executable, "-m", f"sync.reference.{self.name}", "--port", str(self.port), "--with-stdin"),
                *("--state-file", str(self.state_file), *words),
            ],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        assert self.process.stdout is not None
        assert urlsplit(json.loads(self.process.stdout.readline())["url"]).port == self.port

    def stop(self) -> None:
        if self.process is not None:
            self.process.kill()
            self.process.wait()
            for pipe in (self.process.stdin, self.process.stdout):
                assert pipe is not None
                pipe.close()
            self.process = None

    def close(self) -> None:
        """Stop for good: somebody else may have the port."""
        self.stop()
        self._held.close()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def _control(self, method: str, path: str, body: Any = None) -> Any:
        content = None if body is None else json.dumps(body).encode()
        request = Request(f"{self.url}/control/{path}", content, method=method)
        with urlopen(request, timeout=10) as answer:
            return json.loads(answer.read())

    async def control(self, method: str, path: str, body: Any = None) -> Any:
        return await asyncio.to_thread(self._control, method, path, body)

    async def load(self, *changes: dict[str, Any]) -> None:
        await self.control("POST", "changes", list(changes))

    async def fault(self, kind: str, path: str = "/v1", times: int | None = 1, **words: Any) -> None:
        await self.control("POST", "faults", {"kind": kind, "path": path, "times": times, **words})

    async def counts(self) -> dict[str, Any]:
        found: dict[str, Any] = await self.control("GET", "counts")
        return found


@dataclass
class Site:
    database: Database
    journal: SqlJournal
    worker: SyncWorker


def write_secrets(folder: Path, token: str = TOKEN) -> None:
    folder.mkdir(exist_ok=True)
    (folder / "token").write_text(f"{token}\n")
    (folder / "secret").write_text(f"{SECRET}\n")


@asynccontextmanager
async def site(
    folder: Path, central: Party | None, authority: Party | None = None, *, site_id: str = "K1", **words: Any
) -> AsyncIterator[Site]:
    """A site's record and its worker, on real clocks."""
    write_secrets(folder, words.pop("token", TOKEN))
    delays_s = words.pop("feed_delays_s", STANDARD_DELAYS_S)
    authority_timeout_s = words.pop("authority_timeout_s", 20.0)
    clock = RealClock()
    settings = SyncSettings(
        site_id,
        None if central is None else CentralSettings(central.url, folder / "token", **words),
        None
        if authority is None
        else AuthoritySettings(
            f"{authority.url}/hooks/gate",
            folder / "secret",
            (f"127.0.0.1:{authority.port}",),
            timeout_s=authority_timeout_s,
            delays_s=delays_s,
        ),
    )
    async with (
        Database(DatabaseSettings(folder, reserve_bytes=0)) as database,
        SqlJournal(database, site_id, clock) as journal,
        SyncWorker(
            settings, database, journal, clock, rng=Random(1), newest_checkpoint=lambda: journal.checkpoint
        ) as worker,
    ):
        yield Site(database, journal, worker)


async def until(claim: Callable[[], Awaitable[bool]], within_s: float = 30.0) -> None:
    """Wait until the claim holds; fails after the limit."""
    async with asyncio.timeout(within_s):
        while not await claim():  # noqa: ASYNC110 - it looks at another process
            await asyncio.sleep(0.05)
