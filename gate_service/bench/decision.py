"""`gate bench decision`: from the settling frame to the raise command's write, beside commit and write alone.

The service is the one `gate run` would build from a site file, on a real disk, a pseudo-terminal and Modbus TCP. Both
spans end in the same stamp of the same server process; pair by pair, so that what else the machine does meets both.
"""

from __future__ import annotations

import asyncio
import os
import tty
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from gate_service.bench.bench_clock import BenchClock
from gate_service.bench.bench_site import LaneLinks, disk_folder, load_site
from gate_service.bench.busy_centre import BusyCentre
from gate_service.bench.figure import Figure, quantile
from gate_service.bench.floor import Floor
from gate_service.bench.loop import run_loop
from gate_service.bench.module_client import ANSWER_S, BenchModule
from gate_service.bench.slips import fill_copy
from gate_service.bench.truck import Trucks, breathe
from gate_service.bootstrap import build
from gate_service.bootstrap.settings import check_slip
from gate_service.runtime import tune
from sync.database import Database, DatabaseSettings
from sync.preassessments import due
from sync.slip_cache import SlipCache

PAIRS: Final = 5000
WARM_UP: Final = 20  # first passages fill caches and import modules; a service that just started meets no truck
P99_LIMIT: Final = 3.0
ASSESSED_WITHIN_S: Final = 120.0  # 5,000 slips take 20 s
LOOK_S: Final = 0.1
VOID_LIMIT: Final = 0.002  # more would be hiding something


@dataclass(slots=True)
class Pairs:
    """Nanoseconds of each decision and of the floor measured right after it."""

    decision_ns: list[int] = field(default_factory=list)
    floor_ns: list[int] = field(default_factory=list)
    void: int = 0
    """Pairs left out: a link was lost while the vehicle settled."""

    def add(self, decision_ns: int | None, floor_ns: int) -> None:
        """Take one pair; void without a decision."""
        if decision_ns is None:
            self.void += 1
            return
        self.decision_ns.append(decision_ns)
        self.floor_ns.append(floor_ns)


def bench_decision(pairs: int = PAIRS, warm_up: int = WARM_UP) -> list[Figure]:
    """Measure and give p50, p99 and the largest, each beside the floor's."""
    with disk_folder() as folder:
        measured = run_loop(measure(folder, pairs, warm_up))
    return figures(measured)


def figures(measured: Pairs) -> list[Figure]:
    """Figures of the pairs."""
    product = [value / 1e6 for value in measured.decision_ns]
    floor = [value / 1e6 for value in measured.floor_ns]
    shares = (("p50", 0.5, None), ("p99", 0.99, P99_LIMIT), ("largest", 1.0, None))
    found = [
        Figure(
            "decision", f"frame to raise command, {name} of {len(product)}", quantile(product, share), "ms",
            quantile(floor, share), "floor", limit,
        )
        for name, share, limit in shares
    ]  # fmt: skip
    every = len(product) + measured.void
    return [*found, Figure("decision", "pairs void, a link was lost", measured.void, "pairs", every, "of", VOID_LIMIT)]


async def measure(folder: Path, pairs: int, warm_up: int) -> Pairs:
    """Send `warm_up` + `pairs` trucks through; the first ones do not count."""
    clock = BenchClock()
    measured = Pairs()
    with pseudo_terminal() as (indicator, port):
        async with BenchModule() as module, BusyCentre(clock) as centre:
            site = load_site(folder, [LaneLinks(module.url, port)], centre_url=centre.url)
            await _fill(folder / "data", clock, warm_up + pairs)
            async with build(site, clock).service as service, Floor(folder / "data", folder / "floor", module) as floor:
                trucks = Trucks(service, clock, module, indicator)
                await asyncio.wait_for(centre.asked.wait(), ANSWER_S)
                await trucks.ready()
                await _assess_ahead(folder / "data")
                tune()  # once the service is built, as `gate run` does
                for index in range(warm_up + pairs):
                    await trucks.drive_on(index)
                    floor.follow()
                    await trucks.stand()
                    decision_ns = await trucks.settle()
                    await trucks.rest()
                    floor.prepare()
                    await breathe()
                    floor_ns = await floor.repeat_decision()
                    if index >= warm_up:
                        measured.add(decision_ns, floor_ns)
                    await trucks.drive_off()
                    floor.tidy()
    return measured


async def _assess_ahead(folder: Path) -> None:
    """Wait until every slip of the copy was assessed, as those of a gate at work are: it goes on beside the lanes."""
    async with Database(DatabaseSettings(folder, exclusive=False)) as beside, asyncio.timeout(ASSESSED_WITHIN_S):
        while await beside.read(lambda connection: due(connection, 1)):  # noqa: ASYNC110 - nobody tells
            await asyncio.sleep(LOOK_S)


async def _fill(folder: Path, clock: BenchClock, count: int) -> None:
    async with Database(DatabaseSettings(folder)) as database:
        await fill_copy(SlipCache(database, clock, check_slip), clock, 0, count)


@contextmanager
def pseudo_terminal() -> Iterator[tuple[int, str]]:
    """Lend the indicator's end of a serial line and the name of the other end."""
    ours, theirs = os.openpty()
    try:
        tty.setraw(theirs)
        yield ours, os.ttyname(theirs)
    finally:
        os.close(ours)
        os.close(theirs)
