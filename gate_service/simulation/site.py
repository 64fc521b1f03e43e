"""The simulated site: a yard, a record, two parties outside, and the service that is started and killed among them.

Everything of the service is the real thing but its threads and sockets: controllers, policy, drivers of the I/O module,
journal, slip copy, claims, outbox and feed.
"""

from __future__ import annotations

import asyncio
import contextvars
from collections.abc import Coroutine, Mapping
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Any, Final
from uuid import UUID

from devices.barrier.barrier import IoBarrier
from devices.signals.lane_io import LaneIo
from devices.signals.lights import IoSignals
from devices.signals.module import IoModule, ModuleSettings
from devices.simulator.demo.draws import secret_for
from devices.simulator.yard import Yard
from gate_service.bootstrap.settings import check_slip
from gate_service.domain.reading import DeviceHealth, LaneInputs, Reading, Side
from gate_service.simulation.disk import Disk, SimDatabase
from gate_service.simulation.injects import InjectedJournal
from gate_service.simulation.lanes import BARRIER, INTERVAL_KG, MAX_CAPACITY_KG, SITE_ID, SimLane
from gate_service.simulation.parties import Authority, Centre
from gate_service.simulation.virtual_loop import Life, SimClock, VirtualLoop, within
from gate_service.simulation.watch import Watch
from gate_service.simulation.wires import IndicatorWorld, ModuleWorld, SimBus, indicate
from lanes.commands import LaneCommands
from lanes.controller import LaneController
from lanes.interlocks import forbids_lowering
from lanes.knowledge import LanePorts
from sync.day_secrets import DaySecrets
from sync.settings import AuthoritySettings, CentralSettings, SyncSettings
from sync.worker import SyncWorker, Transports

POLL_MS: Final = 100
CENTRE_URL: Final = "http://centre.simulated"
AUTHORITY_URL: Final = "http://127.0.0.1:9/events"


class _Sink:
    """Between a lane's drivers and the lane: every report is a step, looked at before and after."""

    def __init__(self, watch: Watch, lane_id: str) -> None:
        self._watch = watch
        self._id = lane_id
        self.lane: LaneController | None = None

    def weight_read(self, reading: Reading) -> None:
        """One frame."""
        assert self.lane is not None
        self.lane.weight_read(reading)
        self._watch.stepped(self._id, self.lane.state.value)

    def inputs_read(self, inputs: LaneInputs) -> None:
        """One poll."""
        assert self.lane is not None
        self._watch.delivered(self._id, inputs)
        self.lane.inputs_read(inputs)
        self._watch.stepped(self._id, self.lane.state.value)

    def health_changed(self, health: DeviceHealth) -> None:
        """A device's fault."""
        assert self.lane is not None
        self.lane.health_changed(health)
        self._watch.stepped(self._id, self.lane.state.value)


@dataclass(slots=True)
class Running:
    """One run of the service."""

    life: Life
    context: contextvars.Context
    lanes: dict[str, LaneCommands]


class SimSite:
    """The world of one seed. `start` and `kill` concern the service alone."""

    def __init__(
        self,
        loop: VirtualLoop,
        lanes: tuple[SimLane, ...],
        *,
        folder: Path,
        seed: int,
        inject: str | None,
        template: Disk,
    ) -> None:
        self.loop = loop
        self.lanes = lanes
        self.inject = inject
        self.seed = seed
        self.clock = SimClock(loop)
        self.yard = Yard([lane.spec for lane in lanes], seed=seed)
        self.watch = Watch(self.yard, self.clock.monotonic_s)
        self.disk = Disk(folder, self._rng("disk"), template)
        self.disk.on_commit = self.watch.committed
        self.centre = Centre(self.clock, self._rng("centre"))
        self.centre.changes_ids = inject == "new-ids"
        self.authority = Authority(self.clock, self._rng("authority"))
        self.modules = {
            lane.id: ModuleWorld(lane.id, self.yard, self._rng(f"module {lane.id}"), self.watch.edge) for lane in lanes
        }
        for module in self.modules.values():
            module.are_zeros_believed = inject == "believe-zeros"
        self.indicators = {
            lane.id: IndicatorWorld(lane.id, self.yard, INTERVAL_KG, MAX_CAPACITY_KG)
            for lane in lanes
            if lane.has_weighbridge
        }
        self.running: Running | None = None
        self.starts = 0
        self._ids = self._rng("ids")
        (folder / "token").write_text("placeholder", encoding="ascii")
        (folder / "secret").write_text("whsec_" + "A" * 32, encoding="ascii")

    def _rng(self, part: str) -> Random:
        return Random(f"{self.seed}:{part}")  # noqa: S311 - repeatable on purpose

    def mint_id(self) -> UUID:
        """Ids from the seed."""
        return UUID(int=self._ids.getrandbits(128), version=4)

    def start(self) -> None:
        """Start the service on what is on disk."""
        life, context = self.loop.start_life()
        self.starts += 1
        self.watch.note(f"start {self.starts}")
        self.watch.restarted()
        self.running = Running(life, context, {})
        self.loop.create_task(self._serve(self.running), context=context, name="service")

    def kill(self) -> None:
        """End the service where it stands."""
        running, self.running = self.running, None
        if running is not None:
            self.watch.note("kill")
            self.loop.kill(running.life)

    async def ask(self, lane_id: str, work: Any) -> Any:
        """Have something done by a lane's commands, from outside. Raises GateError, ConnectionError with no service."""
        running = self.running
        commands = None if running is None else running.lanes.get(lane_id)
        if running is None or commands is None:
            raise ConnectionError("no service")
        doing: Coroutine[Any, Any, Any] = work(commands)
        try:
            return await within(running.life, running.context, doing)
        finally:
            self.watch.stepped(lane_id, commands.lane.state.value)

    def lane(self, lane_id: str) -> LaneController | None:
        """A lane's controller, while the service runs."""
        commands = None if self.running is None else self.running.lanes.get(lane_id)
        return None if commands is None else commands.lane

    async def _serve(self, running: Running) -> None:
        """Task: as `GateService`, record first and devices last. Never left: it ends by a kill."""
        database = SimDatabase(self.disk)
        journal = InjectedJournal(database, SITE_ID, self.clock, mint_id=self.mint_id)
        journal.inject = self.inject
        worker = self._worker(database, journal)
        master = bytes.fromhex(secret_for(self.seed))
        draws = DaySecrets(database, journal, self.clock, master=master, is_rehearsed=True)
        built = [self._lane(lane, journal, worker, draws) for lane in self.lanes]
        await _enter(database, journal, worker)
        for commands, module, _ in built:
            await _enter(commands.lane, module)
        for commands, _, barriers in built:
            await _enter(*barriers.values())
            running.lanes[commands.lane.settings.id] = commands
            self._move_at_restart(commands.lane)

    def _worker(self, database: SimDatabase, journal: InjectedJournal) -> SyncWorker:
        folder = self.disk.folder
        settings = SyncSettings(
            SITE_ID,
            CentralSettings(CENTRE_URL, folder / "token"),
            AuthoritySettings(AUTHORITY_URL, folder / "secret", ("127.0.0.1:9",), delays_s=(0.0,) + (5.0,) * 1000),
        )
        return SyncWorker(
            settings,
            database,
            journal,
            self.clock,
            rng=self._rng(f"sync {self.starts}"),
            check_slip=check_slip,
            resolver=_resolve,
            transports=Transports(self.centre, self.authority),
        )

    def _lane(
        self, lane: SimLane, journal: InjectedJournal, worker: SyncWorker, draws: DaySecrets
    ) -> tuple[LaneCommands, IoModule, Mapping[Side, IoBarrier]]:
        sink = _Sink(self.watch, lane.id)
        bus = SimBus(self.modules[lane.id], self.clock)
        settings = ModuleSettings(f"io {lane.id}", "modbus-tcp://127.0.0.1:1502/1", "wago-750", POLL_MS)
        module = IoModule(settings, self.clock, bus)
        lane_io = LaneIo(module, lane.wiring(), sink)
        barriers = {side: IoBarrier(lane_io, side, BARRIER, self.clock) for side in lane_io.settings.barriers}
        ports = LanePorts(
            barriers=barriers,
            signals=IoSignals(lane_io),
            journal=journal,
            slips=worker.slip_source,
            claims=worker.claims,
            clock=self.clock,
            on_changed=lambda _: None,
            clock_error_s=worker.clock_error_s,
            lowering_rule=(lambda *_: None) if self.inject == "skip-interlock" else forbids_lowering,
            draws=draws,
            mint_id=self.mint_id,
        )
        sink.lane = LaneController(lane.settings(), ports)
        indicator = self.indicators.get(lane.id)
        if indicator is not None:
            asyncio.get_running_loop().create_task(indicate(indicator, sink, self.clock), name="indicator")
        return LaneCommands(sink.lane), module, barriers

    def _move_at_restart(self, lane: LaneController) -> None:
        if self.inject == "move-at-restart" and lane.passage is not None:
            loop = asyncio.get_running_loop()
            loop.call_later(3.0, lane.booms.raise_boom, lane.release_side())


async def _enter(*parts: AbstractAsyncContextManager[Any]) -> None:
    for part in parts:
        await part.__aenter__()


async def _resolve(host: str, _port: int) -> list[str]:
    return [host]
