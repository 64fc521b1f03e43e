"""The lanes of a site: the drivers, settings and controller of each. Part of the composition root."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any, Protocol

from config.loader import LoadedSite, load
from config.schema import Lane as LaneShape
from config.schema import Weighbridge as WeighbridgeShape
from devices.barrier.barrier import BarrierSettings, IoBarrier
from devices.links.modbus import ModbusBus
from devices.registry import make_modules, make_weighbridge, shared_buses
from devices.signals.lane_io import BarrierWiring, LaneIo, LaneIoSettings, LightWiring
from devices.signals.lights import IoSignals
from devices.signals.module import IoModule, ModuleSettings
from devices.weighbridge.settings import WeighbridgeSettings
from gate_service.bootstrap.around import Around
from gate_service.domain.errors import ConfigError
from gate_service.domain.mass import Mass
from gate_service.domain.ports import Clock, Journal
from gate_service.domain.reading import Detector, DeviceHealth, Side
from gate_service.duty_desk import DutyDesk
from gate_service.live import Eye, Watchers
from gate_service.service import Device
from lanes.controller import LaneController
from lanes.guards import Layout
from lanes.interlocks import forbids_lowering
from lanes.knowledge import LanePorts, LoweringRule
from lanes.platform import DeckSettings
from lanes.settings import LaneSettings
from sync.policies import PolicyBook
from sync.worker import SyncWorker

ZERO_BAND_INTERVALS = 2
"""A zero within two intervals is a zero unless the site says otherwise: zero-tracking keeps a good one within half."""


class _Sink:
    """Stands between drivers and their lane while both are being constructed; passes everything on."""

    target: LaneController
    eye: Eye

    def weight_read(self, reading: Any) -> None:
        self.target.weight_read(reading)
        self.eye.weight_read(reading)

    def inputs_read(self, inputs: Any) -> None:
        self.target.inputs_read(inputs)
        self.eye.inputs_read(inputs)

    def health_changed(self, health: Any) -> None:
        self.target.health_changed(health)


class LaneDevice(Device, Protocol):
    """A driver of one lane."""

    def health(self) -> DeviceHealth:
        """As its lane hears of it."""
        ...


class _LaneDevices:
    """The drivers of one lane."""

    def __init__(self, shape: LaneShape, module: IoModule, clock: Clock) -> None:
        self.sink = _Sink()
        io = LaneIo(module, _wiring(shape), self.sink)
        booms = shape.barriers
        barrier_settings = BarrierSettings(
            pulse_ms=booms.pulse_ms, counts_pulses=booms.counts_pulses, holds_open=booms.holds_open
        )
        self.barriers: dict[Side, IoBarrier] = {
            side: IoBarrier(io, side, barrier_settings, clock) for side in io.settings.barriers
        }
        self.signals = IoSignals(io)
        self.io = io
        self.drivers: list[LaneDevice] = []

    def healths(self) -> list[DeviceHealth]:
        """Every device of the lane as its driver sees it now."""
        return [self.io.module.health(), *self.io.healths(), *(driver.health() for driver in self.drivers)]


def _wiring(shape: LaneShape) -> LaneIoSettings:
    inputs, outputs = shape.inputs, shape.outputs
    numbered = {detector: getattr(inputs, detector.value) for detector in Detector}
    barriers: dict[Side, BarrierWiring] = {}
    for side, up, down, by_hand, raising, lowering in (
        (
            Side.ENTRY, inputs.entry_up, inputs.entry_down, inputs.entry_by_hand,
            outputs.entry_raise, outputs.entry_lower,
        ),
        (Side.EXIT, inputs.exit_up, inputs.exit_down, inputs.exit_by_hand, outputs.exit_raise, outputs.exit_lower),
    ):  # fmt: skip
        if up is not None and down is not None and raising is not None:
            barriers[side] = BarrierWiring(up, down, raising, lowering, shape.barriers.travel_s, by_hand)
    return LaneIoSettings(
        lane=shape.id,
        detectors={detector: bit for detector, bit in numbered.items() if bit is not None},
        barriers=barriers,
        lights={
            Side.ENTRY: LightWiring(outputs.entry_red, outputs.entry_green, outputs.back_out),
            Side.EXIT: LightWiring(outputs.exit_red, outputs.exit_green, outputs.far_back_out),
        },
        fire=inputs.fire,
        power_ok=inputs.power_ok,
        local_button=inputs.local_button,
        power_fail=inputs.power_fail,
        normally_closed=frozenset(bit for name in shape.normally_closed if (bit := getattr(inputs, name)) is not None),
        second_contacts={
            detector: bit
            for detector in Detector
            if (bit := getattr(shape.second_contacts, detector.value)) is not None
        },
        far_approach=inputs.far_approach,
        queue=tuple(inputs.queue),
    )


def _weighbridge_settings(lane_id: str, bridge: WeighbridgeShape) -> WeighbridgeSettings:
    return WeighbridgeSettings(
        name=f"{lane_id} weighbridge",
        protocol=bridge.protocol,
        port=bridge.port,
        unit=bridge.unit,
        decimals=bridge.decimals,
        interval=Mass.from_kg(bridge.interval_kg),
        options=bridge.options,
    )


def _lane_settings(shape: LaneShape, site: LoadedSite) -> LaneSettings:
    bridge = shape.weighbridge
    deck = None
    if bridge is not None:
        interval = Mass.from_kg(bridge.interval_kg)
        zero_band = Mass(interval.grams * ZERO_BAND_INTERVALS)
        if bridge.zero_band_kg is not None:
            zero_band = Mass.from_kg(bridge.zero_band_kg)
        deck = DeckSettings(interval, Mass.from_kg(bridge.max_capacity_kg), zero_band)
    return LaneSettings(
        id=shape.id,
        site_id=site.file.site.id,
        name=shape.name.model_dump(),
        kind=shape.kind,
        direction=shape.direction,
        allows_hazmat=shape.hazmat,
        layout=Layout(
            has_weighbridge=bridge is not None,
            has_entry_barrier=shape.outputs.entry_raise is not None,
            has_exit_barrier=shape.outputs.exit_raise is not None,
            is_reversible=shape.reversible,
        ),
        deck=deck,
        verified_until_at=bridge.verified_until_at if bridge else None,
        is_closing_ours=shape.barriers.closing == "service",
        is_pair=shape.barriers.interlocked,
        refuse_way=shape.refuse_way,
        refuse_ways=tuple(shape.refuse_ways),
        inspect_way=shape.inspect_way,
        inspect_ways=tuple(shape.inspect_ways),
        readers=shape.readers,
        policy=site.policy,
        gate=site.file.site.gate,
        is_safe_state_accepted=shape.accept_unconfirmed_safe_state,
        **shape.timing.model_dump(),
    )


WIRED = ("module", "inputs", "outputs", "barriers", "weighbridge", "reversible")
"""What of a lane belongs to its devices: changed only with a restart, since the others go on meanwhile."""


def _fresh_settings(shape: LaneShape, site: LoadedSite) -> Callable[[], LaneSettings] | None:
    """Reads the site file again for one lane: everything but its wires. Raises ConfigError."""
    path = site.path
    if path is None:
        return None

    def fresh() -> LaneSettings:
        again = load(path)
        found = next((lane for lane in again.file.lanes if lane.id == shape.id), None)
        if found is None:
            raise ConfigError([f"lanes: {shape.id} expected, it is not in {path.name} any more"])
        wired = [name for name in WIRED if _wires(found, name) != _wires(shape, name)]
        if wired:
            raise ConfigError([f"lanes ({shape.id}): {name}: changed; that needs a restart" for name in wired])
        # Rules and draws are the whole site's: one lane never judges by others than its neighbours.
        return replace(_lane_settings(found, again), policy=site.policy)

    return fresh


def _wires(shape: LaneShape, name: str) -> Any:
    """What one part of a lane says of its devices; a new certificate or zero band of the weighbridge is none of it."""
    part = getattr(shape, name)
    if name == "weighbridge" and part is not None:
        return part.model_copy(update={"verified_until_at": None, "zero_band_kg": None})
    return part


def _lowering_rule(site: LoadedSite) -> LoweringRule:
    """The interlock, always; a demo site may leave it out to show what it is for (the loader refuses others)."""
    if site.file.site.demo and site.file.demo.inject == "skip-interlock":
        return lambda *_: None
    return forbids_lowering


def _module_settings(module: Any) -> ModuleSettings:
    return ModuleSettings(module.name, module.url, module.profile, module.poll_ms)


@dataclass(frozen=True, slots=True)
class LaneSurroundings:
    """What every lane of a site shares."""

    journal: Journal
    worker: SyncWorker
    watchers: Watchers
    duty: DutyDesk
    policies: PolicyBook
    around: Around


@dataclass(slots=True)
class BuiltLanes:
    """Everything that the lanes' wires need, in the order in which it starts."""

    buses: list[ModbusBus]
    modules: tuple[IoModule, ...]
    drivers: list[Device] = field(default_factory=list)
    barriers: list[IoBarrier] = field(default_factory=list)


def build_lanes(
    site: LoadedSite, clock: Clock, shared: LaneSurroundings, controllers: dict[str, LaneController]
) -> BuiltLanes:
    """Construct every lane into `controllers`, which others look into when asked; nothing is opened yet."""
    shapes = site.file.lanes
    module_settings = [_module_settings(module) for module in site.file.modules]
    bridges = {shape.id: _weighbridge_settings(shape.id, shape.weighbridge) for shape in shapes if shape.weighbridge}
    buses = shared_buses(module_settings, list(bridges.values()), clock)
    modules = make_modules(module_settings, clock, buses)
    built = BuiltLanes(list(buses.values()), tuple(modules.values()))
    for shape in shapes:
        lane_devices = _LaneDevices(shape, modules[shape.module], clock)
        zero = None
        if shape.id in bridges:
            weighbridge = make_weighbridge(bridges[shape.id], clock, lane_devices.sink, buses)
            zero = weighbridge.zero if weighbridge.has_zero else None
            lane_devices.drivers.append(weighbridge)
        controller = LaneController(
            _lane_settings(shape, site), _ports(site, shape, clock, shared, lane_devices, zero=zero)
        )
        controllers[shape.id] = controller
        lane_devices.sink.target = controller
        lane_devices.sink.eye = Eye(partial(shared.watchers.changed, shape.id))
        built.drivers += [lane_devices.io, *lane_devices.drivers]
        built.barriers += lane_devices.barriers.values()
    return built


def _ports(
    site: LoadedSite,
    shape: LaneShape,
    clock: Clock,
    shared: LaneSurroundings,
    lane_devices: _LaneDevices,
    *,
    zero: Callable[[], Awaitable[None]] | None,
) -> LanePorts:
    return LanePorts(
        barriers=lane_devices.barriers,
        signals=lane_devices.signals,
        journal=shared.journal,
        slips=shared.worker.slip_source,
        claims=shared.worker.claims,
        clock=clock,
        on_changed=shared.watchers.changed,
        clock_error_s=shared.worker.clock_error_s,
        duty=shared.duty,
        device_healths=lane_devices.healths,
        lowering_rule=_lowering_rule(site),
        policy_at=shared.policies.in_force,
        redirect=shared.around.routing.redirect,
        draws=shared.around.draws,
        zero=zero,
        fresh_settings=_fresh_settings(shape, site),
    )
