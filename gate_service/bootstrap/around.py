"""The composition root's second file: what stands around the judging (registers, reports, routing, draws)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta

from config.loader import LoadedSite
from gate_service.domain.ports import Clock, PolicyAt
from gate_service.keeping import Keeper
from gate_service.preassessing import PreassessedSite, Preassessor
from gate_service.register_desk import RegisterDesk, RegisterSite
from gate_service.report_desk import ReportDesk
from gate_service.routing_desk import RoutingDesk, RoutingPoint
from lanes.controller import LaneController
from sync.database import Database
from sync.day_secrets import DaySecrets
from sync.journal import SqlJournal
from sync.passage_times import PassageTimes
from sync.register_changes import RegisterChanges
from sync.report_queries import ReportQueries
from sync.report_rows import ReportRows
from sync.worker import SyncWorker


@dataclass(frozen=True, slots=True)
class Around:
    """Ready parts; `keeper` is entered with the service."""

    draws: DaySecrets
    routing: RoutingDesk
    registers: RegisterDesk
    reports: ReportDesk
    keeper: Keeper


def build_around(
    site: LoadedSite,
    clock: Clock,
    record: tuple[Database, SqlJournal],
    worker: SyncWorker,
    *,
    lanes: Mapping[str, LaneController],
    policy_at: PolicyAt,
) -> Around:
    """Construct; `lanes` may fill up later."""
    database, journal = record
    file = site.file
    master = None if site.secret is None else bytes.fromhex(site.secret)
    draws = DaySecrets(database, journal, clock, master=master, is_rehearsed=file.site.demo)
    routing = RoutingDesk(
        lanes=lanes,
        slips=worker.slip_source,
        draws=draws,
        times=PassageTimes(database, clock),
        clock=clock,
        policy_at=policy_at,
        points=[RoutingPoint(point.id, point.name.model_dump(), point.direction) for point in file.points],
    )
    within = timedelta(minutes=file.site.other_gate_within_min)
    registers = RegisterDesk(
        journal,
        RegisterChanges(database, journal, clock),
        clock,
        RegisterSite(file.site.id, file.site.gate, within, policy_at),
    )
    rows = ReportRows(database, {lane.id: lane.kind for lane in file.lanes})
    preassessor = Preassessor(journal, worker, clock, PreassessedSite(file.site.id, file.site.gate, policy_at))
    keeper = Keeper(
        clock,
        {
            "day secrets": draws.keep,
            "preassessment": preassessor.step,
            "report rows": rows.step,
            "passage times": routing.refresh,
            "between gates": registers.alarm_between_gates,
        },
    )
    return Around(draws, routing, registers, ReportDesk(ReportQueries(database, rows), draws, clock), keeper)
