"""The composition root: a checked site file in, a ready service out. Only this file constructs."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, Protocol
from uuid import uuid4

from fastapi import FastAPI

from config.loader import LoadedSite, load
from config.schema import Lane as LaneShape
from config.schema import Weighbridge as WeighbridgeShape
from devices.barrier.barrier import BarrierSettings, IoBarrier
from devices.registry import make_modules, make_weighbridge, shared_buses
from devices.signals.lane_io import BarrierWiring, LaneIo, LaneIoSettings, LightWiring
from devices.signals.lights import IoSignals
from devices.signals.module import IoModule, ModuleSettings
from devices.weighbridge.settings import WeighbridgeSettings
from gate_service.bootstrap_around import build_around
from gate_service.clock import RealClock
from gate_service.domain.commands import Role
from gate_service.domain.errors import ConfigError
from gate_service.domain.events import Event, EventType
from gate_service.domain.inventory import ExposedPeople
from gate_service.domain.mass import Mass
from gate_service.domain.ports import Clock, Journal
from gate_service.domain.reading import Detector, DeviceHealth, Side
from gate_service.domain.record import Entry
from gate_service.duty_desk import DutyDesk
from gate_service.hazmat_desk import HazmatDesk
from gate_service.live import Eye, Watchers
from gate_service.paper_desk import PaperDesk
from gate_service.policy_desk import PolicyDesk
from gate_service.service import Device, GateService, Lane, Parts
from gate_service.sync_desk import SyncDesk
from gate_service.web.app import create_app
from gate_service.web.settings import WebSettings
from lanes.commands import LaneCommands
from lanes.controller import LaneController
from lanes.guards import Layout
from lanes.interlocks import forbids_lowering
from lanes.knowledge import LanePorts, LoweringRule
from lanes.platform import DeckSettings
from lanes.policy.fields import Fields
from lanes.policy.policy_reading import read_policy
from lanes.policy.slip_reading import read_slip
from lanes.policy.stock_tables import STOCK_EDITION, stock_tables
from lanes.settings import LaneSettings
from lanes.snapshot import lane_snapshot
from sync.accounts import Accounts
from sync.database import Database, DatabaseSettings
from sync.feed_queries import FeedQueries
from sync.files import FileStore
from sync.journal import SqlJournal
from sync.kernel_time import kernel_mark
from sync.motion_queries import MotionLedger
from sync.oidc import OidcSettings, OpenIdConnect
from sync.policies import PolicyBook
from sync.regimes import Regimes
from sync.retention import Retention
from sync.settings import AuthoritySettings, CentralSettings, SyncSettings
from sync.shifts import Shifts
from sync.site_holds import SiteHolds
from sync.stock_queries import StockQueries
from sync.time_mark import best_of
from sync.worker import SyncWorker

ZERO_BAND_INTERVALS = 2
"""A zero within two intervals is a zero unless the site says otherwise: zero-tracking keeps a good one within half."""


@dataclass(frozen=True, slots=True)
class Built:
    """What `gate run` enters: the service, then the web server over the application."""

    service: GateService
    app: FastAPI
    web: WebSettings
    controllers: Mapping[str, LaneController]


def build(site: LoadedSite, clock: Clock | None = None) -> Built:
    """Construct everything a site needs; nothing is opened yet."""
    clock = clock or RealClock()
    file = site.file
    database = Database(
        DatabaseSettings(
            site.folder / file.data.dir, url=file.data.url, reserve_bytes=file.data.disk_reserve_mb * 1024 * 1024
        )
    )
    journal = SqlJournal(database, file.site.id, clock, time_marks=lambda: best_of((worker.time_mark(), kernel_mark())))
    worker = SyncWorker(
        _sync_settings(site),
        database,
        journal,
        clock,
        check_slip=check_slip,
        newest_checkpoint=lambda: journal.checkpoint,
    )
    files = FileStore(database.settings.directory)
    retention = Retention(journal, files, clock, file.data.keep_days)
    policies = PolicyBook(database, journal, clock, check_policy, site.policy)
    controllers: dict[str, LaneController] = {}
    watchers = Watchers((lane.id for lane in file.lanes), lambda lane_id: lane_snapshot(controllers[lane_id]))
    duty, regimes, shifts = _duty(database, journal, clock, controllers, watchers)
    around = build_around(site, clock, (database, journal), worker, lanes=controllers, policy_at=policies.in_force)
    module_settings = [_module_settings(module) for module in file.modules]
    bridges = {
        shape.id: _weighbridge_settings(shape.id, shape.weighbridge) for shape in file.lanes if shape.weighbridge
    }
    buses = shared_buses(module_settings, list(bridges.values()), clock)
    modules = make_modules(module_settings, clock, buses)
    devices: list[Device] = []
    barriers: list[IoBarrier] = []
    for shape in file.lanes:
        lane_devices = _LaneDevices(shape, modules[shape.module], clock)
        zero = None
        if shape.id in bridges:
            weighbridge = make_weighbridge(bridges[shape.id], clock, lane_devices.sink, buses)
            zero = weighbridge.zero if weighbridge.has_zero else None
            lane_devices.drivers.append(weighbridge)
        controllers[shape.id] = LaneController(
            _lane_settings(shape, site),
            LanePorts(
                barriers=lane_devices.barriers,
                signals=lane_devices.signals,
                journal=journal,
                slips=worker.slip_source,
                claims=worker.claims,
                clock=clock,
                on_changed=watchers.changed,
                clock_error_s=worker.clock_error_s,
                duty=duty,
                device_healths=lane_devices.healths,
                lowering_rule=_lowering_rule(site),
                policy_at=policies.in_force,
                redirect=around.routing.redirect,
                draws=around.draws,
                zero=zero,
                fresh_settings=_fresh_settings(shape, site),
            ),
        )
        lane_devices.sink.target = controllers[shape.id]
        lane_devices.sink.eye = Eye(partial(watchers.changed, shape.id))
        devices += [lane_devices.io, *lane_devices.drivers]
        barriers += lane_devices.barriers.values()
    lanes = {lane_id: Lane(controller, LaneCommands(controller)) for lane_id, controller in controllers.items()}
    parts = Parts(
        record=(database, journal, retention, policies),
        retention=retention,
        files=files,
        clock=clock,
        duty=duty,
        paper=PaperDesk(
            journal,
            regimes,
            shifts,
            worker.slip_source,
            clock,
            lanes={lane_id: controller.settings for lane_id, controller in controllers.items()},
        ),
        worker=worker,
        lanes=lanes,
        buses=list(buses.values()),
        modules=tuple(modules.values()),
        drivers=devices,
        barriers=barriers,
        journal=journal,
        policies=PolicyDesk(policies, journal, clock),
        keeper=around.keeper,
        routing=around.routing,
        registers=around.registers,
        reports=around.reports,
        hazmat=HazmatDesk(
            journal=journal,
            feed=FeedQueries(database, file.site.id),
            stock=StockQueries(database, stock_tables(), _exposed(site)),
            holds=SiteHolds(database, journal, clock),
            clock=clock,
            zone=file.zone.model_dump(mode="json"),
            edition=STOCK_EDITION,
        ),
        motion=MotionLedger(database),
        lines=SyncDesk(worker, journal, clock),
    )
    described = {"id": file.site.id, "name": file.site.name.model_dump(), "demo": file.site.demo}
    service = GateService(described, parts, watchers)
    web = _web_settings(site)
    accounts = Accounts(database, clock, _account_record(journal, clock))
    app = create_app(service, accounts, web, clock, _provider(site, clock))
    return Built(service, app, web, controllers)


def _duty(
    database: Database,
    journal: SqlJournal,
    clock: Clock,
    controllers: Mapping[str, LaneController],
    watchers: Watchers,
) -> tuple[DutyDesk, Regimes, Shifts]:
    """Who is on duty and what is in force. The lanes are looked at when asked: they are constructed after it."""
    shifts, regimes = Shifts(database, journal, clock), Regimes(database, journal, clock)

    async def parked() -> int:
        counts = await journal.counts()
        return counts.outbox.parked + counts.feed.parked

    desk = DutyDesk(
        shifts,
        regimes,
        clock,
        lanes=lambda: [lane_snapshot(controller) for controller in controllers.values()],
        parked=parked,
        on_changed=watchers.all_changed,
    )
    return desk, regimes, shifts


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
        return replace(_lane_settings(found, again), policy=site.policy, secret=site.secret)

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


def _sync_settings(site: LoadedSite) -> SyncSettings:
    file, folder = site.file, site.folder
    central = authority = None
    if file.central is not None:
        central = CentralSettings(
            file.central.base_url, folder / file.central.token_file, poll_wait_s=file.central.poll_wait_s
        )
    if file.authority is not None:
        authority = AuthoritySettings(
            file.authority.url, folder / file.authority.secret_file, allow=tuple(file.authority.allow)
        )
    keys_file = file.slips.keys_file
    return SyncSettings(
        file.site.id, central, authority,
        keeps_vehicles_inside=file.site.keeps_vehicles_inside,
        is_second_gate=file.site.gate == "second",
        slip_keys_file=None if keys_file is None else folder / keys_file,
    )  # fmt: skip


def check_slip(document: Mapping[str, Any]) -> None:
    """Refuse a slip that the rules could not read (CaseError); the copy keeps it apart with the reason."""
    read_slip(Fields(document, "slip"))


def check_policy(document: Mapping[str, Any]) -> None:
    """Refuse a policy that the rules do not take (PolicyError)."""
    read_policy(document)


def _exposed(site: LoadedSite) -> ExposedPeople:
    zone = site.file.zone
    return ExposedPeople(
        {unit.id: unit.exposed_people for unit in zone.units},
        {one.customs_code: one.exposed_people for one in zone.enterprises},
    )


def _web_settings(site: LoadedSite) -> WebSettings:
    listen = site.file.listen
    certificate, key = listen.tls_certificate_file, listen.tls_key_file
    return WebSettings(
        host=listen.host,
        port=listen.port,
        plain_http_off_loopback=listen.plain_http_off_loopback,
        tls_certificate=None if certificate is None else site.folder / certificate,
        tls_key=None if key is None else site.folder / key,
        lock_after_s=site.file.people.lock_after_s,
        second_factor_roles=frozenset(Role(role) for role in site.file.people.second_factor_roles),
        has_outside_sign_in=site.file.people.oidc is not None,
    )


def _provider(site: LoadedSite, clock: Clock) -> OpenIdConnect | None:
    oidc = site.file.people.oidc
    if oidc is None:
        return None
    roles = {group: Role(role) for group, role in oidc.roles.items()}
    settings = OidcSettings(oidc.issuer, oidc.client_id, site.oidc_secret, oidc.role_claim, roles, tuple(oidc.scopes))
    return OpenIdConnect(settings, clock)


def _account_record(journal: Journal, clock: Clock) -> Any:
    async def record(kind: str, actor: str, facts: Mapping[str, Any]) -> None:
        now = clock.now()
        events: tuple[Event, ...] = ()
        if kind == "security_alarm":
            events = (Event(uuid4(), EventType.SECURITY_ALARM, now, dict(facts)),)
        await journal.write(Entry(kind, now, actor, facts, events=events))

    return record
