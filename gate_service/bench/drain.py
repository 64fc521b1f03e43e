"""How fast a backlog drains: the outbox to a receiver, beside raw posts of the same events to another of its kind.

The receiver is the reference central system in a process of its own: it stores every event. Raw is the standard
library's HTTP client on one kept connection with bodies made before, and nothing noted anywhere.
"""

from __future__ import annotations

import asyncio
import http.client
import json
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from functools import partial
from pathlib import Path
from random import Random
from typing import Any, Final
from urllib.parse import urlsplit
from uuid import UUID, uuid5

from gate_service.bench.bench_site import disk_folder
from gate_service.bench.figure import Figure, quantile
from gate_service.bench.loop import run_loop
from gate_service.clock import RealClock
from gate_service.domain.events import Event, EventType
from gate_service.domain.record import Entry
from sync.central.rest import CentralClient
from sync.database import Database, DatabaseSettings
from sync.journal import SqlJournal
from sync.line import Line
from sync.outbox import Outbox
from sync.settings import CentralSettings

SITE: Final = "K1"
TOKEN: Final = "bench-placeholder"  # noqa: S105 - for a receiver that lives as long as the bench
PASSAGES: Final = 4_000  # a day's trucks
LIVE: Final = 40
BATCH: Final = 500
AT_ONCE: Final = 200
LEAST_PER_S: Final = 1_000.0
LIVE_LIMIT_S: Final = 2.0
SHARE_LIMIT: Final = 0.5
NAMES: Final = UUID("6f0c7b1e-2f0a-5d0e-9a63-000000000001")
TOLD: Final = (
    EventType.PASSAGE_ARRIVED,
    EventType.PASSAGE_WEIGHED,
    EventType.PASSAGE_DECIDED,
    EventType.PASSAGE_RELEASED,
    EventType.SLIP_USED,
    EventType.PASSAGE_CLEARED,
)


def bench_drain(passages: int = PASSAGES, live: int = LIVE) -> list[Figure]:
    """Drain a backlog, raw and by the outbox, then once more with trucks passing."""
    with disk_folder() as folder:
        raw_per_s, drained_per_s, live_s = run_loop(measure(folder, passages, live))
    return [
        Figure("sync", "events drained", drained_per_s, "1/s", raw_per_s, "raw posts", SHARE_LIMIT, is_at_least=True),
        Figure("sync", "events drained, at least", drained_per_s, "1/s", LEAST_PER_S, "wanted", 1.0, is_at_least=True),
        Figure("sync", "live event beside the backlog, p99", quantile(live_s, 0.99), "s", LIVE_LIMIT_S, "limit", 1.0),
    ]


async def measure(folder: Path, passages: int, live: int) -> tuple[float, float, list[float]]:
    """Events per second raw and by the outbox, and seconds until each live passage was acknowledged."""
    clock = RealClock()
    (folder / "token").write_text(TOKEN, encoding="ascii")
    async with (
        Database(DatabaseSettings(folder, reserve_bytes=0)) as database,
        SqlJournal(database, SITE, clock) as journal,
    ):
        await fill(journal, clock, 0, passages)
        bodies = await database.read(lambda connection: _bodies(connection, journal.epoch))
        async with receiver() as url:
            raw_per_s = await asyncio.to_thread(_post_raw, url, bodies)
        async with receiver() as url, _outbox(database, clock, url, folder) as outbox:
            drained_per_s = await _drain(outbox, passages * len(TOLD))
            await fill(journal, clock, passages, passages)
            told = [entry(clock, number) for number in range(2 * passages, 2 * passages + live)]
            live_s = await _beside_backlog(outbox, journal, database, told)
    return raw_per_s, drained_per_s, live_s


@asynccontextmanager
async def receiver() -> AsyncIterator[str]:
    """Run a fresh receiver in a process of its own; give its address."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "sync.reference.central", "--token", TOKEN, "--with-stdin",
        stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE,
    )  # fmt: skip
    assert process.stdin is not None
    assert process.stdout is not None
    try:
        yield str(json.loads(await asyncio.wait_for(process.stdout.readline(), 20.0))["url"])
    finally:
        process.stdin.close()
        await process.wait()


async def fill(journal: SqlJournal, clock: RealClock, first: int, count: int) -> None:
    """Record passages `first` and up with the events of a truck that passes."""
    for start in range(first, first + count, AT_ONCE):
        stop = min(start + AT_ONCE, first + count)
        await asyncio.gather(*(journal.write(entry(clock, number)) for number in range(start, stop)))


def entry(clock: RealClock, number: int) -> Entry:
    """Everything that is told of one truck, as one entry."""
    passage = str(uuid5(NAMES, str(number)))
    now = clock.now()
    data: dict[str, Any] = {
        "passage_id": passage, "lane": "in-1", "direction": "inbound", "plate": f"浙B{number % 100_000:05d}",
        "slip_no": f"Z{number:021d}", "verdict": "release", "tier": "standard", "gross_kg": 32_440, "checks": [],
    }  # fmt: skip
    events = tuple(
        Event(uuid5(NAMES, f"{number} {kind}"), kind, now + timedelta(milliseconds=place), data, passage)
        for place, kind in enumerate(TOLD)
    )
    return Entry("crossing", now, "service", {"n": number}, lane="in-1", passage_id=passage, events=events)


def _bodies(connection: Any, epoch: str) -> list[bytes]:
    rows = connection.exec_driver_sql("SELECT payload FROM outbox ORDER BY seq").fetchall()
    payloads = [bytes(row[0]) for row in rows]
    head = b'{"epoch":"' + epoch.encode() + b'","events":['
    return [head + b",".join(payloads[at : at + BATCH]) + b"]}" for at in range(0, len(payloads), BATCH)]


def _post_raw(url: str, bodies: list[bytes]) -> float:
    """Events per second of bare posts on one connection."""
    address = urlsplit(url)
    assert address.hostname is not None
    connection = http.client.HTTPConnection(address.hostname, address.port, timeout=30)
    headers = {"authorization": f"Bearer {TOKEN}", "gate-site": "RAW", "content-type": "application/json"}
    accepted = 0
    started_s = time.monotonic()
    for body in bodies:
        connection.request("POST", "/v1/events", body, headers)
        answer = json.loads(connection.getresponse().read())
        accepted += sum(last - first + 1 for first, last in answer["accepted"])
    took_s = time.monotonic() - started_s
    connection.close()
    return accepted / took_s


@asynccontextmanager
async def _outbox(database: Database, clock: RealClock, url: str, folder: Path) -> AsyncIterator[Outbox]:
    settings = CentralSettings(url, folder / "token", batch_limit=BATCH)
    async with CentralClient(settings, SITE, clock, Line(clock)) as client:
        yield Outbox(database, client, clock, Random(1), BATCH)  # noqa: S311 - spreads retries, hides nothing


async def _drain(outbox: Outbox, events: int) -> float:
    started_s = time.monotonic()
    while (delay_s := await outbox.deliver_once()) is not None:  # noqa: ASYNC110 - it says itself how long to wait
        await asyncio.sleep(delay_s)
    return events / (time.monotonic() - started_s)


async def _beside_backlog(outbox: Outbox, journal: SqlJournal, database: Database, live: list[Entry]) -> list[float]:
    """Seconds from the commit of each live passage to the mark of its last event, while a backlog drains."""
    drained, enough = asyncio.Event(), asyncio.Event()
    draining = asyncio.create_task(_keep_draining(outbox, drained, enough), name="bench drain")
    spans: list[float] = []
    for told in live:
        if spans and drained.is_set():  # what follows would not be beside a backlog
            break
        await journal.write(told)
        started_s = time.monotonic()
        last = partial(_is_delivered, event_id=str(told.events[-1].id))
        while not await database.read(last):
            if draining.done():
                draining.result()  # says why
            await asyncio.sleep(0.005)
        spans.append(time.monotonic() - started_s)
    enough.set()
    await draining
    return spans


async def _keep_draining(outbox: Outbox, drained: asyncio.Event, enough: asyncio.Event) -> None:
    """Deliver what comes: an outbox that was empty a moment ago may hold a live event now."""
    while not enough.is_set() or not drained.is_set():
        delay_s = await outbox.deliver_once()
        if delay_s is None:
            drained.set()
        await asyncio.sleep(0.005 if delay_s is None else delay_s)


def _is_delivered(connection: Any, event_id: str) -> bool:
    row = connection.exec_driver_sql(f"SELECT state FROM outbox WHERE id = '{event_id}'").fetchone()  # noqa: S608 - ours
    return bool(row is not None and row[0] == "delivered")
