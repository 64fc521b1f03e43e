"""The slip copy at 10^4 and 10^6 slips: look-ups, taking pages in beside doing it bare, and starting with it.

Starting is `gate run` from nothing to its first answer, after a SIGKILL.

Bare is the same page parsed, each slip read by the rules' own reader, and inserted into a table of the same columns and
indices in one transaction a page, by the bare driver with the product's PRAGMAs.
"""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from random import Random
from typing import Any, Final

from gate_service.bench import slips
from gate_service.bench.bench_site import disk_folder
from gate_service.bench.figure import Figure, quantile
from gate_service.bench.loop import run_loop
from gate_service.bench.start import started_again_s
from gate_service.bootstrap.settings import check_slip
from gate_service.clock import RealClock
from sync.central.wire import read_changes
from sync.columns import to_us
from sync.database import Database, DatabaseSettings
from sync.slip_cache import SlipCache
from sync.slip_source import CentralSlipSource
from sync.store import FILE_NAME, SqliteStore

FEW: Final = 10_000
MANY: Final = 1_000_000
LOOK_UPS: Final = 3_000
LOOK_UP_LIMIT_MS: Final = 1.0
GROWTH_LIMIT: Final = 1.5
INGEST_LIMIT: Final = 0.5
START_LIMIT_S: Final = 5.0  # as after a kill
INSERT: Final = (
    "INSERT INTO slips (generation, key, version, document, is_tombstone, reason, as_of_us, plate, direction, status)"
    " VALUES (0, ?, ?, ?, 0, NULL, ?, ?, ?, ?) ON CONFLICT (generation, key) DO UPDATE SET document = excluded.document"
    " WHERE excluded.version > slips.version"
)


def bench_slip_copy(few: int = FEW, many: int = MANY, look_ups: int = LOOK_UPS) -> list[Figure]:
    """Fill two databases page by page in turn, look up on the way and at the end, start again."""
    with disk_folder() as folder:
        for name in ("empty", "full/data", "bare"):
            (folder / name).mkdir(parents=True)
        few_ms, many_ms, product_s, bare_s = run_loop(measure(folder, few, many, look_ups))
        empty_s, start_s = started_again_s(folder / "empty"), started_again_s(folder / "full")
    p99_few, p99_many = quantile(few_ms, 0.99), quantile(many_ms, 0.99)
    name = f"slip look-up, {many:,} slips"
    return [
        Figure("sync", f"{name}, p50", quantile(many_ms, 0.5), "ms", quantile(few_ms, 0.5), f"{few:,} slips"),
        Figure("sync", f"{name}, p99", p99_many, "ms", LOOK_UP_LIMIT_MS, "limit", 1.0),
        Figure("sync", f"{name}, p99 growth", p99_many, "ms", p99_few, f"{few:,} slips", GROWTH_LIMIT),
        Figure("sync", f"{many:,} slips taken in", many / product_s, "1/s", many / bare_s, "parse, validate, insert",
               INGEST_LIMIT, is_at_least=True),
        Figure("sync", f"start with {many:,} slips to the first answer", start_s, "s", START_LIMIT_S, "limit", 1.0),
        Figure("sync", "start with none to the first answer", empty_s, "s", START_LIMIT_S, "limit", 1.0),
    ]  # fmt: skip


async def measure(folder: Path, few: int, many: int, look_ups: int) -> tuple[list[float], list[float], float, float]:
    """Milliseconds of look-ups at both sizes, and seconds that product and bare driver took for all pages."""
    clock = RealClock()
    async with Database(DatabaseSettings(folder / "full/data", reserve_bytes=0)) as database:
        cache = SlipCache(database, clock, check_slip)
        source = CentralSlipSource(database, cache, clock)
        bare = await _Bare.opened(folder / "bare")
        spent = [0.0, 0.0]
        held, few_ms = 0, []
        for count, page in _pages(many, clock.now() + timedelta(days=400), clock.now()):
            for who in (0, 1) if (held // slips.PAGE) % 2 else (1, 0):  # in turn, neither always on a warm cache
                started_s = time.perf_counter()
                if who == 0:
                    await cache.apply_page(read_changes(page))
                else:
                    bare.take(page)
                spent[who] += time.perf_counter() - started_s
            held += count
            if held == few:
                few_ms = await _look_up(source, few, look_ups)
        many_ms = await _look_up(source, many, look_ups)
        bare.close()
    return few_ms, many_ms, spent[0], spent[1]


def _pages(many: int, valid_until: datetime, as_of: datetime) -> Iterator[tuple[int, bytes]]:
    """Pages as the centre sends them; made outside what is measured."""
    for start in range(0, many, slips.PAGE):
        stop = min(start + slips.PAGE, many)
        changes = [{"kind": "slip", "version": 1, "slip": slips.slip(i, valid_until)} for i in range(start, stop)]
        page = {"changes": changes, "cursor": str(stop), "more": stop < many, "as_of": as_of.isoformat()}
        yield stop - start, json.dumps(page, ensure_ascii=False).encode()


async def _look_up(source: CentralSlipSource, held: int, times: int) -> list[float]:
    """Milliseconds of single look-ups of slips all over the copy, one after the other."""
    random = Random(1)  # noqa: S311 - spreads the look-ups, hides nothing
    await asyncio.sleep(1.5)  # the writer's checkpoint is not what is measured
    spans = []
    for number in range(times + times // 10):
        index = random.randrange(held)
        started_s = time.perf_counter()
        answer = await source.find(
            scanned=(slips.slip_no(index),), plate=slips.plate(index), direction="inbound", passage_id="bench"
        )
        span_ms = (time.perf_counter() - started_s) * 1000
        assert answer.slips[0]["slip_no"] == slips.slip_no(index)
        if number >= times // 10:
            spans.append(span_ms)
    return spans


class _Bare:
    """The bare driver on a database of the product's schema, library and PRAGMAs."""

    def __init__(self, folder: Path) -> None:
        self._pooled = SqliteStore(folder / FILE_NAME).writer().raw_connection()
        self._driver: Any = self._pooled.driver_connection
        self._pages = 0

    @classmethod
    async def opened(cls, folder: Path) -> _Bare:
        """Make the schema, then connect."""
        async with Database(DatabaseSettings(folder, reserve_bytes=0)):
            pass
        return cls(folder)

    def take(self, page: bytes) -> None:
        """Parse, validate, insert, commit."""
        found = json.loads(page)
        as_of_us = to_us(datetime.fromisoformat(found["as_of"]))
        rows = []
        for change in found["changes"]:
            slip = change["slip"]
            check_slip(slip)
            document = json.dumps(slip, ensure_ascii=False, separators=(",", ":")).encode()
            vehicle = slip["vehicle"]["plate"]
            rows.append(
                (slip["slip_no"], change["version"], document, as_of_us, vehicle, slip["direction"], slip["status"])
            )
        self._driver.execute("BEGIN IMMEDIATE")
        self._driver.executemany(INSERT, rows)
        self._driver.execute("COMMIT")
        self._pages += 1
        if self._pages % 250 == 0:  # as the product's writer does in its pauses
            self._driver.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchall()

    def close(self) -> None:
        """Close."""
        self._pooled.close()
