"""What the web face asks of the service. `gate_service.service` implements it; tests bring a fake of their own."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Sequence
from contextlib import AbstractAsyncContextManager
from datetime import datetime
from typing import Any, Protocol

from gate_service.domain.commands import Actor, CommandRequest, PlateRead
from gate_service.domain.corrections import Correction
from gate_service.domain.events import JsonObject
from gate_service.duty_desk import DutyDesk
from gate_service.gate_form import GoodsForm
from gate_service.paper_desk import PaperDesk
from sync.register_changes import ServiceVehicle
from sync.report_queries import By

Snapshot = JsonObject
"""One lane as `docs/architecture.md` shapes it."""


class PolicyApi(Protocol):
    """The policy workbench. Unknown versions raise NotFoundError, unsound policies PolicyError."""

    def policies(self) -> dict[str, Any]:
        """`{"in_force": {"version", "origin", "since_at", "policy"}, "policies": [...]}`, newest first."""
        ...

    def policy(self, version: str) -> dict[str, Any]:
        """One stored version with its policy."""
        ...

    def check(self, policy: JsonObject) -> dict[str, Any]:
        """`{"problems": [{"place", "expected", "found"}]}`."""
        ...

    async def compare(self, policy: JsonObject, limit: int) -> dict[str, Any]:
        """What the newest passages would have met under it: counts, and a list of those that change."""
        ...

    async def propose(self, policy: JsonObject, from_at: datetime | None, reason: str, by: str) -> dict[str, Any]:
        """Store it for a second person."""
        ...

    async def approve(self, version: str, by: str) -> dict[str, Any]:
        """The second person. NotPermittedError for one's own."""
        ...

    async def withdraw(self, version: str, reason: str, by: str) -> dict[str, Any]:
        """Take back what is not in force yet."""
        ...


class RegistersApi(Protocol):
    """The registers and their changes; refused ones raise InputError or NotFoundError."""

    async def rows(self, register: str, text: str, limit: int) -> dict[str, Any]:
        """One register as a list: `{"register", "as_of", "rows"}`."""
        ...

    async def put_vehicle(self, vehicle: ServiceVehicle, actor: Actor) -> dict[str, Any]:
        """Register a service vehicle."""
        ...

    async def end_vehicle(self, plate: str, reason: str, actor: Actor) -> dict[str, Any]:
        """End its line."""
        ...

    async def register_goods(self, form: GoodsForm, actor: Actor) -> dict[str, Any]:
        """Make a slip of type 5 by the form of Announcement 200: `{"slip"}`."""
        ...

    async def void_goods(self, slip_no: str, reason: str, actor: Actor) -> dict[str, Any]:
        """Void it."""
        ...

    async def set_inside(self, plate: str, is_inside: bool, reason: str, actor: Actor) -> dict[str, Any]:
        """Put the ledger of vehicles inside right."""
        ...

    async def returned(self, slip_no: str, passage_id: str, reason: str, actor: Actor) -> dict[str, Any]:
        """A temporary exit came back."""
        ...

    async def inspected(self, passage_id: str, is_hit: bool, what: str, actor: Actor) -> dict[str, Any]:
        """The result of an inspection."""
        ...


class ReportsApi(Protocol):
    """What is counted over a period."""

    async def risk(self, since: datetime | None, until: datetime | None, by: By) -> dict[str, Any]:
        """Interceptions, inspections and hits."""
        ...

    async def flow(self, since: datetime | None, until: datetime | None) -> dict[str, Any]:
        """Share without interception, median time from arrival to boom."""
        ...

    async def draws(self) -> dict[str, Any]:
        """Commitments, and the secrets and draws of days that are over."""
        ...


class GateApi(Protocol):
    """The running site. Unknown lanes, passages and slips raise NotFoundError; refused commands CommandRefusedError."""

    def site(self) -> JsonObject:
        """`{"id", "name": {"zh", "en"}, "demo"}`."""
        ...

    @property
    def policies(self) -> PolicyApi:
        """The policy workbench."""
        ...

    def lanes(self) -> Sequence[Snapshot]:
        """Every lane as it is now, in the order of the configuration."""
        ...

    def lane(self, lane_id: str) -> Snapshot:
        """One lane as it is now."""
        ...

    def standing(self) -> dict[str, Any]:
        """For all lanes: `{"central": the line as in `sync_status`, "regime": {"open", "pending"}, "handed_by"}`."""
        ...

    def subscribe(self) -> AbstractAsyncContextManager[AsyncIterator[Snapshot]]:
        """Snapshots as they change, latest wins per lane; every lane once at the beginning."""
        ...

    async def command(self, lane_id: str, request: CommandRequest, actor: Actor) -> dict[str, Any]:
        """Carry out one command of a person; returns what was done, or `{"pending": {...}}` for a second person."""
        ...

    async def approve(
        self, lane_id: str, command_id: str, actor: Actor, approved_with: str = "session"
    ) -> dict[str, Any]:
        """Carry out a command that waited for this second person; returns what was done."""
        ...

    def request_number(self, lane_id: str, command_id: str) -> str | None:
        """What a one-time code for a waiting command is made for; None where it does not wait."""
        ...

    @property
    def duty(self) -> DutyDesk:
        """Shifts, what is open at a hand-over, and the emergency regime."""
        ...

    @property
    def paper(self) -> PaperDesk:
        """Reconciliation of a regime, and what was written on paper."""
        ...

    async def scan(
        self, lane_id: str, code: str, actor: Actor, read_id: str | None, at: datetime | None
    ) -> dict[str, Any]:
        """Take a scanned slip into the lane's passage."""
        ...

    async def plate(self, lane_id: str, read: PlateRead, actor: Actor) -> dict[str, Any]:
        """Take what a camera saw into the lane's passage."""
        ...

    async def photo(
        self, lane_id: str, receive: Callable[[], Awaitable[bytes]], media_type: str, actor: Actor
    ) -> dict[str, Any]:
        """Keep a photo of the vehicle that is at the lane now, before `receive` has it whole.

        `{"sha256", "bytes", "record", "passage_id"}`; raises what `receive` raises.
        """
        ...

    async def file(self, sha256: str) -> tuple[bytes, str]:
        """A file that a record names, with its media type. Raises NotFoundError."""
        ...

    async def passages(self, limit: int, before: str | None, lanes: Collection[str] | None) -> dict[str, Any]:
        """Newest first, of these lanes, None for all: `{"passages": [...], "before": cursor or null}`."""
        ...

    async def passage(self, passage_id: str) -> dict[str, Any]:
        """One passage, whole."""
        ...

    async def slip(self, slip_no: str) -> dict[str, Any]:
        """What is known of one slip, with source and as_of."""
        ...

    async def audit(self, after: int, limit: int) -> dict[str, Any]:
        """Records with a number above `after`, oldest first: `{"records": [...], "after": number}`."""
        ...

    async def reasons(self) -> dict[str, Any]:
        """`{"counts": {command: {reason_code: times}}}` of late."""
        ...

    async def motion(
        self, limit: int, before: int | None, *, open_only: bool, lanes: Collection[str] | None
    ) -> dict[str, Any]:
        """Newest first, of these lanes, None for all.

        `{"motions": [...], "open": how many nobody has explained, "before": cursor or null}`
        """
        ...

    async def devices(self) -> dict[str, Any]:
        """`{"devices": [...]}` as in the snapshots, over all lanes."""
        ...

    async def sync_status(self) -> dict[str, Any]:
        """Lines, outbox, feed, slip copy, claims, disk: ages, counts, alarms."""
        ...

    async def sync_parked(self, queue: str, limit: int) -> dict[str, Any]:
        """`{"queue", "parked": [{"id", "seq", "type", "passage_id", "at", "attempts", "reason"}]}`, newest first."""
        ...

    async def sync_send_again(self, queue: str, ids: Sequence[str] | None, actor: Actor) -> dict[str, Any]:
        """Take parked events up again, None for all: `{"taken": number}`."""
        ...

    async def sync_conflicts(self, limit: int) -> dict[str, Any]:
        """`{"conflicts": [{"id", "kind", "slip_no", "passage_id", "found_at", "here", "centre", "closed_by", …}]}`."""
        ...

    async def sync_close_conflict(self, conflict_id: str, reason: str, actor: Actor) -> dict[str, Any]:
        """Close it with what was done. NotFoundError where it is not open."""
        ...

    async def hazmat_entries(self, after: str | None, limit: int) -> dict[str, Any]:
        """`{"entries": [CloudEvents], "after": cursor, "more": bool}`. `after` None starts at the beginning."""
        ...

    async def hazmat_inventory(self) -> dict[str, Any]:
        """What is in the zone now, with S and R per storage unit and enterprise."""
        ...

    async def hazmat_newest(self, limit: int) -> dict[str, Any]:
        """As `hazmat_entries`, the newest ones, oldest of them first."""
        ...

    async def hazmat_history(self, days: int) -> dict[str, Any]:
        """`{"since_at", "until_at", "units": [{"storage_unit", "step", "points": [{"at", "s", "s_highest"}]}]}`."""
        ...

    async def hazmat_deliveries(self, state: str | None, limit: int) -> dict[str, Any]:
        """`{"deliveries": [{"id", "type", "state", "attempts", "reason", "delivered_at", "receipts", …}]}`."""
        ...

    async def tell_hazmat_again(self, event_id: str, actor: Actor) -> dict[str, Any]:
        """Tell one event once more. NotFoundError where none was delivered or parked."""
        ...

    async def correct_hazmat(self, correction: Correction, actor: Actor) -> dict[str, Any]:
        """Record and tell opening stock or a mistake: `{"event_id", "record"}`."""
        ...

    async def hazmat_holds(self) -> dict[str, Any]:
        """`{"holds": [{"id", "kind", "target", "reason", "placed_by", "placed_at", "lifted_at", …}]}`."""
        ...

    async def place_hazmat_hold(self, target: JsonObject, reason: str, actor: Actor) -> dict[str, Any]:
        """Place a safety hold; the gate obeys at once."""
        ...

    async def lift_hazmat_hold(self, hold_id: str, reason: str, actor: Actor) -> dict[str, Any]:
        """Lift it. NotFoundError where it does not stand."""
        ...

    async def route(self, document: JsonObject) -> dict[str, Any]:
        """Which lane a vehicle should take: a bare `scan` or `plate`, or the shapes of `gate route`."""
        ...

    def point(self, point_id: str) -> dict[str, Any]:
        """What the display of a place before the lanes shows now."""
        ...

    @property
    def registers(self) -> RegistersApi:
        """What the site keeps around the judging."""
        ...

    @property
    def reports(self) -> ReportsApi:
        """What is counted over a period."""
        ...

    def health(self) -> dict[str, Any]:
        """`{"ready": bool, "reasons": [...]}`."""
        ...

    def metrics_text(self) -> str:
        """Prometheus text format."""
        ...
