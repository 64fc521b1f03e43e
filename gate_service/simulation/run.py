"""One seed from its first step to its last, and what is found at the end; then the next."""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from random import Random
from typing import Any, Final

from gate_service.domain.errors import SimulationError
from gate_service.simulation.disk import Disk
from gate_service.simulation.faults import Faults
from gate_service.simulation.findings import examine
from gate_service.simulation.lanes import SimLane, lanes_for
from gate_service.simulation.people import Desk, Posts
from gate_service.simulation.site import SimSite
from gate_service.simulation.traffic import Traffic
from gate_service.simulation.virtual_loop import VirtualLoop

YARD_STEP_S: Final = 0.05
LONGEST_DRAIN_S: Final = 1800.0
CALM_S: Final = 5.0
"""Nothing left in any lane for so long, and everything told: the site is empty."""


@dataclass(slots=True)
class SeedReport:
    """What became of one seed."""

    seed: int
    steps: int = 0
    simulated_s: float = 0.0
    restarts: int = 0
    trucks: int = 0
    crossings: int = 0
    faults: int = 0
    records: int = 0
    digest: str = ""
    lanes: list[str] = field(default_factory=list)
    violations: list[dict[str, Any]] = field(default_factory=list)

    def to_json(self) -> dict[str, Any]:
        """One line of the output."""
        return {
            "seed": self.seed,
            "steps": self.steps,
            "simulated_hours": round(self.simulated_s / 3600, 3),
            "lanes": self.lanes,
            "trucks": self.trucks,
            "crossings": self.crossings,
            "restarts": self.restarts,
            "faults": self.faults,
            "records": self.records,
            "digest": self.digest,
            "violations": [{"seed": self.seed, **violation} for violation in self.violations],
        }


@cache
def _template() -> Disk:
    """An empty record at this version's schema; every seed begins with a copy of it."""
    return Disk(Path(), Random(0))  # noqa: S311 - draws nothing


def simulate(
    seed: int, hours: float, inject: str | None = None, trace: Callable[[str], None] | None = None
) -> SeedReport:
    """Play one seed."""
    loop = VirtualLoop()
    asyncio.set_event_loop(loop)
    try:
        with tempfile.TemporaryDirectory(prefix="gate-simulate-") as folder:
            return loop.run_until_complete(_play(loop, seed, hours, inject=inject, trace=trace, folder=Path(folder)))
    finally:
        asyncio.set_event_loop(None)
        loop.close()


def simulate_all(seeds: range, hours: float, inject: str | None = None) -> Iterator[SeedReport]:
    """Play one seed after the other."""
    for seed in seeds:
        yield simulate(seed, hours, inject)


async def _play(
    loop: VirtualLoop,
    seed: int,
    hours: float,
    *,
    inject: str | None,
    trace: Callable[[str], None] | None,
    folder: Path,
) -> SeedReport:
    def rng(part: str) -> Random:
        return Random(f"{seed}:{part}")  # noqa: S311 - repeatable on purpose

    lanes = lanes_for(rng("lanes"))
    site = SimSite(loop, lanes, folder=folder, seed=seed, inject=inject, template=_template())
    site.watch.trace = trace
    traffic = Traffic(rng("traffic"))
    Posts(site, rng("posts"))
    desk, faults = Desk(site, rng("desk")), Faults(site, rng("faults"))
    report = SeedReport(seed, lanes=[lane.id for lane in lanes])
    tasks = [asyncio.create_task(_time_passes(site)), *(asyncio.create_task(desk.work(lane.id)) for lane in lanes)]
    coming = [asyncio.create_task(_trucks_come(site, lane, traffic)) for lane in lanes]
    raging = asyncio.create_task(faults.rage())
    site.yard.open()
    site.start()
    try:
        await asyncio.sleep(hours * 3600)
        for task in (*coming, raging):
            task.cancel()
        await asyncio.gather(*coming, raging, return_exceptions=True)
        faults.heal()
        desk.is_diligent = True
        if not await _drained(site):
            _say_what_is_left(site)
        examine(site)
    except SimulationError as error:
        site.watch.violate("stuck", None, found=str(error))
    finally:
        site.kill()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
    _fill(report, site, loop, faults)
    site.disk.close()
    return report


def _fill(report: SeedReport, site: SimSite, loop: VirtualLoop, faults: Faults) -> None:
    report.steps, report.simulated_s = site.watch.steps, loop.time()
    report.restarts, report.trucks = site.starts - 1, site.yard.expected
    report.crossings, report.faults = len(site.yard.judge.crossings), sum(faults.counts.values())
    report.records, report.digest = sum(site.watch.kinds.values()), site.watch.digest
    report.violations = site.watch.violations


async def _time_passes(site: SimSite) -> None:
    """Task: the yard's physics."""
    while True:
        await asyncio.sleep(YARD_STEP_S)
        site.yard.step(YARD_STEP_S)
        for module in site.modules.values():
            module.watch(site.clock.monotonic_s())


async def _trucks_come(site: SimSite, lane: SimLane, traffic: Traffic) -> None:
    """Task: one truck waits behind the lane, never more: what it meets decides when the next one comes."""
    while True:
        if not site.yard.lanes[lane.id].queue:
            comer = traffic.next_for(lane, site.clock.true_now())
            if comer.slip is not None:
                site.centre.add_slip(comer.slip)
            site.yard.add_truck(comer.truck)
        await asyncio.sleep(1.0)


async def _drained(site: SimSite) -> bool:
    """Wait until everything is out, at rest and told; False where it does not come to that."""
    calm_s = 0.0
    for _ in range(int(LONGEST_DRAIN_S)):
        await asyncio.sleep(1.0)
        calm_s = calm_s + 1.0 if _is_empty(site) else 0.0
        if calm_s >= CALM_S:
            return True
    return False


def _is_empty(site: SimSite) -> bool:
    for lane in site.lanes:
        controller, yard_lane = site.lane(lane.id), site.yard.lanes[lane.id]
        if controller is None or yard_lane.queue or yard_lane.drivers:
            return False
        if controller.state.value != "idle" or controller.passage is not None:
            return False
    waiting = (
        "SELECT (SELECT COUNT(*) FROM outbox WHERE state = 'due') + (SELECT COUNT(*) FROM feed WHERE state = 'due')"
    )
    return bool(site.disk.read(lambda connection: connection.exec_driver_sql(waiting).scalar()) == 0)


def _say_what_is_left(site: SimSite) -> None:
    for lane in site.lanes:
        controller, yard_lane = site.lane(lane.id), site.yard.lanes[lane.id]
        state = None if controller is None else controller.state.value
        if yard_lane.drivers or yard_lane.queue or state != "idle" or (controller and controller.passage):
            trucks = [
                f"{d.truck.id} {d.phase.value} {d.truck.story} {d.vehicle.rear_m:.1f}..{d.vehicle.x_m:.1f} m"
                for d in yard_lane.drivers
            ]
            passage = None if controller is None or controller.passage is None else controller.passage.id
            attention = None if controller is None else controller.attention
            site.watch.violate(
                "trapped", lane.id, state=state, attention=attention, passage=passage, trucks=trucks,
                booms={side: round(boom.angle_deg) for side, boom in yard_lane.booms.items()},
            )  # fmt: skip
    if not site.watch.violations:
        site.watch.violate("untold", None, found="events are still due after half an hour with good lines")
