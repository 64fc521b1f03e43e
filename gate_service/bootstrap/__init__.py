"""The composition root: a checked site file in, a ready service out. Only this package constructs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from fastapi import FastAPI

from config.loader import LoadedSite
from gate_service.bootstrap.around import build_around
from gate_service.bootstrap.lanes import LaneSurroundings, build_lanes
from gate_service.bootstrap.settings import (
    account_record,
    check_policy,
    check_slip,
    exposed,
    provider,
    sync_settings,
    web_settings,
)
from gate_service.clock import RealClock
from gate_service.domain.ports import Clock
from gate_service.duty_desk import DutyDesk
from gate_service.hazmat_desk import HazmatDesk
from gate_service.live import Watchers
from gate_service.paper_desk import PaperDesk
from gate_service.photo_desk import PhotoDesk
from gate_service.policy_desk import PolicyDesk
from gate_service.service import GateService, Lane, Parts
from gate_service.sync_desk import SyncDesk
from gate_service.web.app import create_app
from gate_service.web.settings import WebSettings
from lanes.commands import LaneCommands
from lanes.controller import LaneController
from lanes.policy.stock_tables import STOCK_EDITION, stock_tables
from lanes.snapshot import lane_snapshot
from sync.accounts import Accounts
from sync.database import Database, DatabaseSettings
from sync.feed_queries import FeedQueries
from sync.files import FileStore
from sync.journal import SqlJournal
from sync.kernel_time import kernel_mark
from sync.motion_queries import MotionLedger
from sync.policies import PolicyBook
from sync.regimes import Regimes
from sync.retention import Retention
from sync.shifts import Shifts
from sync.site_holds import SiteHolds
from sync.stock_queries import StockQueries
from sync.time_mark import best_of
from sync.worker import SyncWorker


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
        sync_settings(site),
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
    shared = LaneSurroundings(journal, worker, watchers, duty, policies, around)
    built = build_lanes(site, clock, shared, controllers)
    lanes = {lane_id: Lane(controller, LaneCommands(controller)) for lane_id, controller in controllers.items()}
    settings = {lane_id: controller.settings for lane_id, controller in controllers.items()}
    parts = Parts(
        record=(database, journal, retention, policies),
        retention=retention,
        photos=PhotoDesk(files, journal, clock),
        clock=clock,
        duty=duty,
        paper=PaperDesk(journal, regimes, shifts, worker.slip_source, clock, lanes=settings),
        worker=worker,
        lanes=lanes,
        buses=built.buses,
        modules=built.modules,
        drivers=built.drivers,
        barriers=built.barriers,
        journal=journal,
        policies=PolicyDesk(policies, journal, clock),
        keeper=around.keeper,
        routing=around.routing,
        registers=around.registers,
        reports=around.reports,
        hazmat=_hazmat(site, database, journal, clock, worker),
        motion=MotionLedger(database),
        lines=SyncDesk(worker, journal, clock),
    )
    described = {"id": file.site.id, "name": file.site.name.model_dump(), "demo": file.site.demo}
    service = GateService(described, parts, watchers)
    web = web_settings(site)
    accounts = Accounts(database, clock, account_record(journal, clock))
    app = create_app(service, accounts, web, clock, provider(site, clock))
    return Built(service, app, web, controllers)


def _hazmat(site: LoadedSite, database: Database, journal: SqlJournal, clock: Clock, worker: SyncWorker) -> HazmatDesk:
    """What the zone authority sees and does at this site."""
    return HazmatDesk(
        journal=journal,
        feed=FeedQueries(database, site.file.site.id),
        stock=StockQueries(database, stock_tables(), exposed(site)),
        holds=SiteHolds(database, journal, clock, worker.cache.changed.set),
        clock=clock,
        zone=site.file.zone.model_dump(mode="json"),
        edition=STOCK_EDITION,
    )


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
