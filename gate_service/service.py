"""The running site: starts and stops everything in order and answers what the pages ask. Constructed in `bootstrap`."""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator, Collection, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, AsyncExitStack
from dataclasses import asdict, dataclass
from datetime import datetime
from types import TracebackType
from typing import TYPE_CHECKING, Any, Final, Protocol, Self

from gate_service.domain.commands import Actor, CommandRequest, PlateRead
from gate_service.domain.corrections import Correction
from gate_service.domain.errors import InputError, NotFoundError
from gate_service.domain.events import JsonObject
from gate_service.domain.passage import from_document
from gate_service.domain.ports import Clock
from gate_service.duty_desk import DutyDesk
from gate_service.hazmat_desk import HazmatDesk
from gate_service.keeping import Keeper
from gate_service.live import Watchers
from gate_service.paper_desk import PaperDesk
from gate_service.photo_desk import PhotoDesk, Receive
from gate_service.policy_desk import PolicyDesk
from gate_service.register_desk import RegisterDesk
from gate_service.report_desk import ReportDesk
from gate_service.routing_desk import RoutingDesk
from gate_service.sync_desk import SyncDesk
from gate_service.together import Together
from lanes.commands import LaneCommands
from lanes.controller import LaneController
from lanes.snapshot import lane_snapshot, passage_snapshot
from lanes.states import LaneState
from sync.erasure import erase_passage
from sync.journal import SqlJournal
from sync.motion_queries import MotionLedger
from sync.record_queries import PassageFilter
from sync.retention import Retention
from sync.worker import SyncWorker

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

LARGEST_CURSOR: Final = 2**62  # far beyond any record's number, and a number that every database takes

log = logging.getLogger(__name__)


def read_cursor(before: str | None) -> int | None:
    """The record's number in a cursor of `passages`. Raises InputError for anything else."""
    if before is None:
        return None
    if not (before.isascii() and before.isdigit() and int(before) <= LARGEST_CURSOR):
        raise InputError(f"before: a cursor of this address expected, found {before!r}"[:120])
    return int(before)


class Device(Protocol):
    """A driver as the service sees it: entered and left, and looked at for the device page."""

    async def __aenter__(self) -> Any:
        """Open."""
        ...

    async def __aexit__(
        self, kind: type[BaseException] | None, exc: BaseException | None, trace: TracebackType | None, /
    ) -> None:
        """Close."""
        ...

    def snapshot(self) -> JsonObject:
        """Last bytes, counters, age of the last good answer."""
        ...


@dataclass(frozen=True, slots=True)
class Lane:
    """One lane: its controller and the door to its commands."""

    controller: LaneController
    commands: LaneCommands


@dataclass(frozen=True, slots=True)
class Parts:
    """Everything the service runs, in the order in which it starts."""

    record: Sequence[AbstractAsyncContextManager[Any]]  # database, journal, retention
    duty: DutyDesk
    paper: PaperDesk
    worker: SyncWorker
    lanes: Mapping[str, Lane]
    buses: Sequence[AbstractAsyncContextManager[Any]]  # lines that several modules share
    modules: Sequence[Device]
    drivers: Sequence[Device]
    barriers: Sequence[AbstractAsyncContextManager[Any]]  # left first: a pulse under way ends, no output stays on
    journal: SqlJournal
    policies: PolicyDesk
    hazmat: HazmatDesk
    retention: Retention
    photos: PhotoDesk
    clock: Clock
    keeper: Keeper
    routing: RoutingDesk
    registers: RegisterDesk
    reports: ReportDesk
    motion: MotionLedger
    lines: SyncDesk


class GateService:
    """Implements `web.gate_api.GateApi`."""

    def __init__(self, site: JsonObject, parts: Parts, watchers: Watchers) -> None:
        self._site = site
        self._parts = parts
        self._watchers = watchers
        self._stack = AsyncExitStack()

    async def __aenter__(self) -> Self:
        """Record first, then lines outside, lanes, and devices last: nothing is seen that cannot be recorded."""
        try:
            for part in self._parts.record:
                await self._stack.enter_async_context(part)
            await self._stack.enter_async_context(self._parts.worker)
            await self._stack.enter_async_context(self._parts.duty)
            await self._stack.enter_async_context(self._parts.keeper)
            for lane in self._parts.lanes.values():
                await self._stack.enter_async_context(lane.controller)
            for bus in self._parts.buses:
                await self._stack.enter_async_context(bus)
            await self._stack.enter_async_context(Together(self._parts.modules))
            await self._stack.enter_async_context(Together(self._parts.drivers))
            for barrier in self._parts.barriers:
                await self._stack.enter_async_context(barrier)
        except BaseException:
            await self._stack.aclose()
            raise
        return self

    async def __aexit__(self, *_: object) -> None:
        """Devices first, record last."""
        await self._stack.aclose()

    # What pages ask ---------------------------------------------------------------------------------------------

    def site(self) -> JsonObject:
        """`{"id", "name", "demo"}`."""
        return self._site

    def lanes(self) -> list[dict[str, Any]]:
        """Every lane as it is now."""
        return [lane_snapshot(lane.controller) for lane in self._parts.lanes.values()]

    def lane(self, lane_id: str) -> dict[str, Any]:
        """One lane as it is now."""
        return lane_snapshot(self._lane(lane_id).controller)

    @property
    def policies(self) -> PolicyDesk:
        """The policy workbench."""
        return self._parts.policies

    def standing(self) -> dict[str, Any]:
        """The line to the centre, the emergency regime, a hand-over that waits."""
        line = self._parts.worker.central_line
        return {"central": {"line": "absent"} if line is None else line.status(), **self._parts.duty.standing()}

    def subscribe(self) -> AbstractAsyncContextManager[AsyncIterator[JsonObject]]:
        """Snapshots as they change."""
        return self._watchers.subscribe()

    async def command(self, lane_id: str, request: CommandRequest, actor: Actor) -> dict[str, Any]:
        """Carry out one command of a person."""
        return await self._lane(lane_id).commands.carry_out(request, actor)

    async def approve(
        self, lane_id: str, command_id: str, actor: Actor, approved_with: str = "session"
    ) -> dict[str, Any]:
        """A second person approves a command that waits for one."""
        return await self._lane(lane_id).commands.approve(command_id, actor, approved_with)

    def request_number(self, lane_id: str, command_id: str) -> str | None:
        """What a one-time code for a waiting command is made for."""
        return self._lane(lane_id).commands.request_number(command_id)

    @property
    def duty(self) -> DutyDesk:
        """Shifts and the emergency regime."""
        return self._parts.duty

    @property
    def paper(self) -> PaperDesk:
        """Reconciliation and paper entries."""
        return self._parts.paper

    async def scan(
        self, lane_id: str, code: str, actor: Actor, read_id: str | None, at: datetime | None
    ) -> dict[str, Any]:
        """Take a scanned slip into the passage of the vehicle that showed it."""
        del at
        return await self._lane(lane_id).commands.scan(code, actor, read_id)

    async def plate(self, lane_id: str, read: PlateRead, actor: Actor) -> dict[str, Any]:
        """Take what a camera saw into the passage of the vehicle that it saw."""
        return await self._lane(lane_id).commands.plate(read, actor)

    async def passages(self, limit: int, before: str | None, lanes: Collection[str] | None) -> dict[str, Any]:
        """Newest first, with a cursor."""
        where = PassageFilter(lanes=None if lanes is None else frozenset(lanes))
        views = await self._parts.journal.passages(limit, read_cursor(before), where)
        return {
            "passages": [passage_snapshot(from_document(view.document)) for view in views],
            "before": str(views[-1].opened_record) if len(views) == limit else None,
        }

    async def passage(self, passage_id: str) -> dict[str, Any]:
        """One passage, whole: as shown, its document, and its records."""
        view = await self._parts.journal.passage(passage_id)
        if view is None:
            raise NotFoundError(f"passage {passage_id!r}: no such passage in the record"[:120])
        records = await self._parts.journal.records(passage_id=passage_id, limit=1000)
        shown = passage_snapshot(from_document(view.document))
        return {**shown, "document": view.document, "records": [_plain(record) for record in records]}

    async def slip(self, slip_no: str) -> dict[str, Any]:
        """What is known of one slip, with source and as_of."""
        answer = await self._parts.worker.slip_source.find(
            scanned=[slip_no], plate=None, direction="inbound", passage_id=""
        )
        if not answer.slips:
            raise NotFoundError(f"slip {slip_no!r}: neither the copy nor the centre has it"[:120])
        as_of = None if answer.as_of is None else answer.as_of.isoformat()
        used = dict(answer.known.get("used", {}))
        return {"slip": answer.slips[0], "source": answer.source.value, "as_of": as_of, "used": used}

    async def audit(self, after: int, limit: int) -> dict[str, Any]:
        """Records above a number, oldest first."""
        records = await self._parts.journal.records(after, limit)
        return {
            "records": [_plain(record) for record in records],
            "after": records[-1].number if records else after,
        }

    async def reasons(self) -> dict[str, Any]:
        """How often each reason was given with each command lately."""
        return {"counts": await self._parts.journal.reason_counts()}

    async def motion(
        self, limit: int, before: int | None, *, open_only: bool, lanes: Collection[str] | None
    ) -> dict[str, Any]:
        """The ledger of unexplained motion, newest first, and how many of its lines nobody has explained."""
        return await self._parts.motion.page(limit, before, open_only=open_only, lanes=lanes)

    async def devices(self) -> dict[str, Any]:
        """Every driver with its last bytes, counters and ages."""
        return {"devices": [dict(device.snapshot()) for device in (*self._parts.modules, *self._parts.drivers)]}

    async def photo(self, lane_id: str, receive: Receive, media_type: str, actor: Actor) -> dict[str, Any]:
        """Keep a photo of a vehicle at the lane."""
        return await self._parts.photos.take(self._lane(lane_id).controller, receive, media_type, actor)

    async def file(self, sha256: str) -> tuple[bytes, str]:
        """A file that a record names."""
        return await self._parts.photos.file(sha256)

    async def erase(self, request: JsonObject, by: str) -> dict[str, Any]:
        """Erase the personal data of `{"passage_id", "reason"}` for who asks. Raises NotFoundError, InputError."""
        match request:
            case {"passage_id": str(passage_id), "reason": str(reason)}:
                return await erase_passage(self._parts.journal, self._parts.clock, passage_id, reason, by)
        raise InputError("erase: passage_id and reason expected")

    async def sync_status(self) -> dict[str, Any]:
        """Lines, ages, backlog, parked entries."""
        counts = await self._parts.journal.counts()
        outside = await self._parts.worker.status()
        record = {**_plain(counts), "retention": await self._parts.retention.status()}
        return {"record": record, "writable": self._parts.journal.is_writable(), **outside}

    async def sync_parked(self, queue: str, limit: int) -> dict[str, Any]:
        """Parked events with their reasons."""
        return await self._parts.lines.parked(queue, limit)

    async def sync_send_again(self, queue: str, ids: Sequence[str] | None, actor: Actor) -> dict[str, Any]:
        """Take parked events up again, None for all of the queue."""
        return await self._parts.lines.send_again(queue, ids, actor)

    async def sync_conflicts(self, limit: int) -> dict[str, Any]:
        """What was done here against what the centre says."""
        return await self._parts.lines.conflicts(limit)

    async def sync_close_conflict(self, conflict_id: str, reason: str, actor: Actor) -> dict[str, Any]:
        """A person has dealt with a conflict."""
        return await self._parts.lines.close_conflict(conflict_id, reason, actor)

    async def hazmat_entries(self, after: str | None, limit: int) -> dict[str, Any]:
        """Hazardous entries and exits as the authority is told."""
        return await self._parts.hazmat.entries(after, limit)

    async def hazmat_newest(self, limit: int) -> dict[str, Any]:
        """The newest of them, oldest first, with the cursor to go on from."""
        return await self._parts.hazmat.newest(limit)

    async def hazmat_inventory(self) -> dict[str, Any]:
        """What is in the zone now by this gate's entries and exits."""
        return await self._parts.hazmat.inventory()

    async def hazmat_history(self, days: int) -> dict[str, Any]:
        """S of each storage unit over the last days."""
        return await self._parts.hazmat.history(days)

    async def hazmat_deliveries(self, state: str | None, limit: int) -> dict[str, Any]:
        """How far events were told to the authority, with its answers."""
        return await self._parts.hazmat.deliveries(state, limit)

    async def tell_hazmat_again(self, event_id: str, actor: Actor) -> dict[str, Any]:
        """Tell one event once more, by hand."""
        told = await self._parts.hazmat.tell_again(event_id, actor.label)
        self._parts.worker.nudge()
        return told

    async def correct_hazmat(self, correction: Correction, actor: Actor) -> dict[str, Any]:
        """Opening stock, or a mistake put right."""
        return await self._parts.hazmat.correct(correction, actor.label)

    async def hazmat_holds(self) -> dict[str, Any]:
        """Safety holds of the zone authority at this site."""
        return await self._parts.hazmat.holds()

    async def place_hazmat_hold(self, target: JsonObject, reason: str, actor: Actor) -> dict[str, Any]:
        """Place one; vehicles in the lanes that it means are judged again at once."""
        return await self._parts.hazmat.place_hold(target, reason, actor.label, self._commands())

    async def lift_hazmat_hold(self, hold_id: str, reason: str, actor: Actor) -> dict[str, Any]:
        """Lift one."""
        return await self._parts.hazmat.lift_hold(hold_id, reason, actor.label, self._commands())

    @property
    def registers(self) -> RegisterDesk:
        """What the site keeps around the judging."""
        return self._parts.registers

    @property
    def reports(self) -> ReportDesk:
        """What is counted over a period."""
        return self._parts.reports

    async def route(self, document: JsonObject) -> dict[str, Any]:
        """Which of this site's lanes a vehicle should take: a scan, a plate, or a whole document of `gate route`."""
        return await self._parts.routing.route(document)

    def point(self, point_id: str) -> dict[str, Any]:
        """What the display of a place before the lanes shows now."""
        return self._parts.routing.point(point_id)

    def health(self) -> dict[str, Any]:
        """Ready where the record can be written and at least one lane works."""
        reasons = []
        if not self._parts.journal.is_writable():
            reasons.append(f"record: {self._parts.journal.unwritable_reason()}")
        down = [lane_id for lane_id, lane in self._parts.lanes.items() if lane.controller.state is LaneState.FAULT]
        reasons += [f"lane {lane_id}: {self._parts.lanes[lane_id].controller.attention}" for lane_id in down]
        ready = self._parts.journal.is_writable() and len(down) < len(self._parts.lanes)
        return {"ready": ready, "reasons": reasons}

    def metrics_text(self) -> str:
        """Prometheus text: one gauge line per lane and state, and whether the record can be written."""
        lines = ["# TYPE gate_lane_state gauge"]
        for lane_id, lane in self._parts.lanes.items():
            lines.append(f'gate_lane_state{{lane="{lane_id}",state="{lane.controller.state.value}"}} 1')
        lines += ["# TYPE gate_record_writable gauge", f"gate_record_writable {int(self._parts.journal.is_writable())}"]
        return "\n".join(lines) + "\n"

    # ------------------------------------------------------------------------------------------------------------

    def _lane(self, lane_id: str) -> Lane:
        lane = self._parts.lanes.get(lane_id)
        if lane is None:
            raise NotFoundError(f"lane {lane_id!r}: one of {sorted(self._parts.lanes)} expected"[:200])
        return lane

    def _commands(self) -> list[LaneCommands]:
        return [lane.commands for lane in self._parts.lanes.values()]


def _plain(view: DataclassInstance) -> dict[str, Any]:
    """A view of the record as a JSON object: times in RFC 3339."""

    def plain(value: Any) -> Any:
        if isinstance(value, dict):
            return {key: plain(item) for key, item in value.items()}
        return value.isoformat() if isinstance(value, datetime) else value

    return {key: plain(value) for key, value in asdict(view).items()}
