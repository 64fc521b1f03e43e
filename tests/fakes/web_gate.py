"""A site without devices, for tests of the web face: the snapshots of `docs/architecture.md`, moved by hand."""

from __future__ import annotations

import asyncio
import copy
from collections.abc import AsyncIterator, Collection, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from time import monotonic
from typing import Any

from gate_service.domain.commands import Actor, Command, CommandRequest, PlateRead
from gate_service.domain.errors import (
    CommandRefusedError,
    InputError,
    NotFoundError,
    NotPermittedError,
    PassageChangedError,
)


class FakeClock:
    """Wall time that a test moves; sleeping really waits, but never long."""

    def __init__(self) -> None:
        self.offset = timedelta(0)

    def now(self) -> datetime:
        return datetime.now(UTC) + self.offset

    def monotonic_s(self) -> float:
        return monotonic() + self.offset.total_seconds()

    async def sleep(self, duration_s: float) -> None:
        await asyncio.sleep(min(duration_s, 0.05))


STATE_TEXTS = {
    "idle": ("空闲", "Idle"),
    "approach": ("车辆到达", "Vehicle waiting"),
    "weighing": ("称重", "Weighing"),
    "review": ("待人工处理", "Needs a person"),
    "detained": ("扣留", "Detained"),
    "leaving": ("放行", "Leaving"),
    "returning": ("退回中", "Backing out"),
    "closed": ("关闭", "Closed"),
    "fault": ("故障", "Fault"),
}


def iso(seconds_ago: float = 0.0) -> str:
    return (datetime.now(UTC) - timedelta(seconds=seconds_ago)).isoformat()


def snapshot(lane_id: str, zh: str, en: str, **changes: Any) -> dict[str, Any]:
    """An idle lane with everything fresh."""
    base: dict[str, Any] = {
        "id": lane_id,
        "name": {"zh": zh, "en": en},
        "kind": "declared",
        "direction": "inbound",
        "hazmat": True,
        "state": "idle",
        "since_at": iso(40),
        "revision": 1,
        "weight": {"value_kg": 0, "status": "ok", "stable": True, "age_ms": 80},
        "booms": {"entry": "down", "exit": "down"},
        "detectors": dict.fromkeys(("approach", "entry_loop", "entry_beam", "exit_beam", "exit_loop"), "clear"),
        "lights": {"entry": "red", "exit": "red"},
        "fire": False,
        "inputs_age_ms": 40,
        "devices": [
            {"device": f"io-{lane_id}", "kind": "io_module", "fault": None, "age_ms": 40, "rejects": {}},
            {"device": f"wb-{lane_id}", "kind": "weighbridge", "fault": None, "age_ms": 80, "rejects": {"checksum": 3}},
        ],
        "attention": None,
        "passage": None,
        "driver": {"zh": "请驶入", "en": "Drive up"},
        "commands": ["close_lane", "raise_boom", "lower_boom", "emergency_raise"],
        "approval": None,
        "ways": [],
        "attests": [],
    }
    base.update(changes)
    zh_text, en_text = STATE_TEXTS.get(base["state"], (base["state"], base["state"]))
    base["state_text"] = {"zh": zh_text, "en": en_text}
    return base


def overweight_passage() -> dict[str, Any]:
    """A passage that waits for a person: heavier than declared."""
    return {
        "id": "0192f0c4-0000-7000-8000-000000000001",
        "lane": "in-d1",
        "facts_version": 7,
        "opened_at": iso(95),
        "plate": "浙B12345",
        "trailer_plate": None,
        "scanned": ["Z3311I261122000000000001"],
        "slips": [
            {
                "slip_no": "Z3311I261122000000000001",
                "type": "3",
                "bind": "1",
                "direction": "inbound",
                "status": "approved",
                "valid_until_at": "2026-11-25T00:00:00+08:00",
                "vehicle": {"plate": "浙B12345", "tare_kg": 13000, "trailer_plate": None, "trailer_tare_kg": None},
                "containers": [{"number": "CSQU3054383", "type": "22G1", "tare_kg": 2200}],
                "seals": ["E0001"],
                "goods_gross_kg": 16245.335,
                "total_kg": 31445.335,
                "goods": [{"line": 1, "name": "集成电路", "hs_code": "8542319000", "gross_kg": 200, "hazmat": None}],
                "enterprise": {"name": "示例企业", "credit": "advanced"},
                "driver": {"name": "示例司机"},
            }
        ],
        "gross_kg": 33240,
        "stability_from": "computed",
        "verdict": "review",
        "tier": "standard",
        "checks": [
            {
                "reason_code": "weight_mismatch",
                "verdict": "review",
                "expected": 31445.335,
                "found": 33240,
                "allowed": 1572.267,
                "cause": "goods",
                "text": {
                    "zh": "实测 33240 kg，申报 31445.335 kg，差 1794.665 kg，允许 1572.267 kg",
                    "en": "measured 33240 kg, declared 31445.335 kg, off by 1794.665 kg, 1572.267 kg allowed",
                },
            },
            {
                "reason_code": "plate_mismatch",
                "verdict": "review",
                "expected": "浙B12346",
                "found": "浙B12345",
                "allowed": None,
                "cause": None,
                "text": {"zh": "车牌 浙B12345，单上 浙B12346", "en": "plate 浙B12345, the slip says 浙B12346"},
            },
        ],
        "warnings": [],
        "source": "central",
        "as_of": iso(96),
        "explanation": {"zh": "货物比申报重", "en": "The goods are heavier than declared"},
        "disposition": None,
    }


def site_lanes() -> list[dict[str, Any]]:
    """Six lanes in six situations."""
    waiting = ["resolve", "release", "hold", "inspect", "refuse", "turn_back", "reweigh"]
    booms = ["close_lane", "raise_boom", "lower_boom", "emergency_raise"]
    unread = overweight_passage() | {
        "id": "0192f0c4-0000-7000-8000-000000000002",
        "facts_version": 3,
        "opened_at": iso(31),
        "plate": None,
        "scanned": [],
        "slips": [],
        "gross_kg": 28460,
        "checks": [
            {
                "reason_code": "plate_unread",
                "verdict": "review",
                "expected": "plate",
                "found": None,
                "allowed": None,
                "cause": None,
                "text": {"zh": "未读到车牌", "en": "no plate was read"},
            }
        ],
        "source": "local",
        "as_of": iso(1800),
        "explanation": {"zh": "未读到车牌", "en": "No plate was read"},
    }
    held = overweight_passage() | {
        "id": "0192f0c4-0000-7000-8000-000000000003",
        "verdict": "inspect",
        "opened_at": iso(300),
        "plate": "浙B77777",
        "explanation": {"zh": "布控：查验", "en": "A hold asks for inspection"},
    }
    return [
        snapshot(
            "in-d1",
            "进区报关 1",
            "Inbound declared 1",
            state="review",
            since_at=iso(42),
            weight={"value_kg": 33240, "status": "ok", "stable": True, "age_ms": 80},
            detectors={
                "approach": "occupied",
                "entry_loop": "clear",
                "entry_beam": "clear",
                "exit_beam": "clear",
                "exit_loop": "clear",
            },
            attention={"code": "review", "since_at": iso(42), "escalated": False},
            passage=overweight_passage(),
            driver={"zh": "请等候工作人员", "en": "Wait for the officer"},
            commands=waiting + booms,
        ),
        snapshot(
            "in-d2",
            "进区报关 2",
            "Inbound declared 2",
            state="weighing",
            since_at=iso(4),
            weight={"value_kg": 21840, "status": "ok", "stable": False, "age_ms": 60},
            driver={"zh": "正在称重，请停稳", "en": "Weighing, stand still"},
        ),
        snapshot(
            "in-n1",
            "进区非报关 1",
            "Inbound non-declared 1",
            kind="non_declared",
            state="review",
            since_at=iso(9),
            hazmat=False,
            weight={"value_kg": 28460, "status": "ok", "stable": True, "age_ms": 90},
            attention={"code": "review", "since_at": iso(9), "escalated": False},
            passage=unread,
            driver={"zh": "请等候工作人员", "en": "Wait for the officer"},
            commands=waiting + booms,
        ),
        snapshot("out-d1", "出区报关 1", "Outbound declared 1", direction="outbound"),
        snapshot(
            "out-d2",
            "出区报关 2",
            "Outbound declared 2",
            direction="outbound",
            state="review",
            since_at=iso(260),
            attention={"code": "review", "since_at": iso(260), "escalated": True},
            passage=held,
            driver={"zh": "请等候工作人员", "en": "Wait for the officer"},
            commands=waiting + booms,
        ),
        snapshot(
            "out-n1",
            "出区非报关 1",
            "Outbound non-declared 1",
            kind="non_declared",
            direction="outbound",
            state="fault",
            since_at=iso(75),
            weight=None,
            hazmat=False,
            booms={"exit": "unknown"},
            detectors={"approach": "unknown", "exit_loop": "unknown"},
            lights={"entry": "red", "exit": "red"},
            inputs_age_ms=75_000,
            fire=None,
            devices=[
                {
                    "device": "io-out-n1",
                    "kind": "io_module",
                    "fault": "no answer for 75 s",
                    "age_ms": 75_000,
                    "rejects": {},
                }
            ],
            attention={"code": "link_lost", "since_at": iso(75), "escalated": False},
            driver={"zh": "设备故障，请等候", "en": "Fault, please wait"},
            commands=["clear_fault", "close_lane", "emergency_raise"],
        ),
    ]


def line(word: str = "up", **changes: Any) -> dict[str, Any]:
    """One line as `sync.line` tells it."""
    fine = {"line": word, "last_answer_at": iso(2), "last_answer_age_s": 2.0, "down_since_at": None, "reason": None}
    return fine | changes


def sync_status() -> dict[str, Any]:
    """`GET /api/v1/sync` of a site that is well."""
    backlog = {"due": 0, "oldest_due_at": None, "parked": 0, "alarm": False}
    return {
        "record": {"records": 812, "outbox": {"due": 0, "delivered": 3100, "parked": 0}},
        "writable": True,
        "clock": {"error_bound_s": 1, "offset_ms": 210},
        "central": line(),
        "copy": {
            "cursor": "c1", "as_of": iso(3), "as_of_age_s": 3.1, "is_resyncing": False, "applied": 5120, "rejected": 0,
        },
        "outbox": {**backlog, **line(), "held": 0, "last_ack_at": iso(4), "unacknowledged_s": None, "batch_limit": 500},
        "claims": {"granted": 2, "expired": 0},
        "conflicts": {"open": 0},
        "slip_keys": {"kids": ["2026-a"], "problem": None},
        "room": {"free_mb": 40_960, "reserve_mb": 256, "fill_mb_per_h": 3.5, "hours_left": 11_630, "measured": True},
        "authority": {**backlog, **line("idle", last_answer_at=None, last_answer_age_s=None)},
        "rejected": [],
        "faults": {},
    }  # fmt: skip


@dataclass
class FakeGate:
    """Implements GateApi by hand. `given` holds every command that arrived."""

    demo: bool = False
    is_ready: bool = True
    given: list[tuple[str, CommandRequest, Actor]] = field(default_factory=list)
    approved: list[tuple[str, str, Actor]] = field(default_factory=list)
    needs_second: bool = False
    scans: list[tuple[str, str, str | None]] = field(default_factory=list)
    motions: list[dict[str, Any]] = field(default_factory=list)
    read_answer: dict[str, Any] | None = None
    plates: list[tuple[str, PlateRead]] = field(default_factory=list)
    photos: list[tuple[str, bytes, str]] = field(default_factory=list)
    refuse_with: Exception | None = None
    silent_since: dict[str, float] = field(default_factory=dict)
    reason_counts: dict[str, dict[str, int]] = field(default_factory=dict)
    mute: bool = False
    device_facts: list[dict[str, Any]] | None = None  # for the device page; None: those of the lanes
    hazmat_events: list[dict[str, Any]] = field(default_factory=list)
    stock: dict[str, Any] = field(default_factory=lambda: {"balances": [], "units": [], "enterprises": []})
    history: list[dict[str, Any]] = field(default_factory=list)
    deliveries: list[dict[str, Any]] = field(default_factory=list)
    corrections: list[tuple[Any, Actor]] = field(default_factory=list)
    holds: dict[str, dict[str, Any]] = field(default_factory=dict)
    policies: Any = None  # `web_site.serve` puts the real desk here
    registers: Any = None  # the real desk, over the served site's own record
    reports: Any = None
    journal: Any = None
    lines: dict[str, Any] = field(default_factory=sync_status)
    parked: dict[str, list[dict[str, Any]]] = field(default_factory=lambda: {"outbox": [], "feed": []})
    conflicts: list[dict[str, Any]] = field(default_factory=list)
    sent_again: list[tuple[str, Sequence[str] | None, Actor]] = field(default_factory=list)
    sync_fails: Exception | None = None

    duty: Any = None  # the real desks, over the test's own record (`web_site.serve`)
    paper: Any = None
    approved_with: str | None = None

    def __post_init__(self) -> None:
        self.snapshots = {one["id"]: one for one in site_lanes()}
        self._listeners: set[asyncio.Queue[str]] = set()

    def site(self) -> dict[str, Any]:
        return {"id": "K1", "name": {"zh": "示例卡口", "en": "Example gate"}, "demo": self.demo}

    def standing(self) -> dict[str, Any]:
        nothing = {"regime": {"open": None, "pending": None}, "handed_by": None}
        return {"central": self.lines["central"], **(nothing if self.duty is None else self.duty.standing())}

    def lanes(self) -> Sequence[dict[str, Any]]:
        return [self.lane(lane_id) for lane_id in self.snapshots]

    def lane(self, lane_id: str) -> dict[str, Any]:
        if lane_id not in self.snapshots:
            raise NotFoundError(f"lane {lane_id!r}: one of {', '.join(self.snapshots)} expected")
        found = copy.deepcopy(self.snapshots[lane_id])
        if lane_id in self.silent_since:
            found["inputs_age_ms"] = round((monotonic() - self.silent_since[lane_id]) * 1000)
        return found

    def fall_silent(self, lane_id: str) -> None:
        """The lane's module says nothing any more: its inputs grow old."""
        self.silent_since[lane_id] = monotonic()

    def change(self, lane_id: str, **changes: Any) -> None:
        """Move one lane and tell those who listen."""
        lane = self.snapshots[lane_id]
        lane.update(changes)
        if "state" in changes:
            zh, en = STATE_TEXTS[changes["state"]]
            lane["state_text"] = {"zh": zh, "en": en}
        lane["revision"] += 1
        for queue in self._listeners:
            queue.put_nowait(lane_id)

    @asynccontextmanager
    async def subscribe(self) -> AsyncIterator[AsyncIterator[dict[str, Any]]]:
        queue: asyncio.Queue[str] = asyncio.Queue()
        for lane_id in self.snapshots:
            queue.put_nowait(lane_id)
        self._listeners.add(queue)

        async def changes() -> AsyncIterator[dict[str, Any]]:
            while True:
                yield self.lane(await queue.get())

        try:
            yield changes()
        finally:
            self._listeners.discard(queue)

    async def command(self, lane_id: str, request: CommandRequest, actor: Actor) -> dict[str, Any]:
        lane = self.lane(lane_id)
        self.given.append((lane_id, request, actor))
        if self.refuse_with is not None:
            raise self.refuse_with
        passage = lane["passage"]
        if request.command.acts_on_vehicle and (
            passage is None or request.passage_id != passage["id"] or request.facts_version != passage["facts_version"]
        ):
            raise PassageChangedError(f"lane {lane_id}: another vehicle or newer facts are in the lane now")
        if request.command is Command.RELEASE and self.needs_second:
            pending = {
                "command_id": "c-1",
                "request_no": "12345678",
                "command": "release",
                "by": actor.label,
                "reason_code": request.reason_code,
                "reason": request.reason,
                "seconds_left": 300,
            }
            self.change(lane_id, approval=pending)
            return {"pending": pending}
        if request.command is Command.RELEASE:
            self.change(
                lane_id, state="leaving", attention=None, commands=[], passage=passage | {"disposition": "release"}
            )
        if request.command is Command.TURN_BACK:
            self.change(lane_id, state="returning", attention=None, commands=[])
        return {"done": request.command.value}

    def request_number(self, lane_id: str, command_id: str) -> str | None:
        pending = self.lane(lane_id)["approval"]
        return "12345678" if pending is not None and pending["command_id"] == command_id else None

    async def approve(
        self, lane_id: str, command_id: str, actor: Actor, approved_with: str = "session"
    ) -> dict[str, Any]:
        lane = self.lane(lane_id)
        pending = lane["approval"]
        if pending is None or pending["command_id"] != command_id:
            raise CommandRefusedError("no command of this id waits for an approval")
        if actor.label == pending["by"]:
            raise NotPermittedError("nobody approves their own request")
        self.approved.append((lane_id, command_id, actor))
        self.approved_with = approved_with
        self.change(lane_id, state="leaving", attention=None, commands=[], approval=None)
        return {"done": "release", "disposition": "release"}

    async def scan(
        self, lane_id: str, code: str, actor: Actor, read_id: str | None, at: datetime | None
    ) -> dict[str, Any]:
        self.scans.append((lane_id, code, read_id))
        return self.read_answer or {"passage_id": "p", "facts_version": 2}

    async def plate(self, lane_id: str, read: PlateRead, actor: Actor) -> dict[str, Any]:
        self.plates.append((lane_id, read))
        return self.read_answer or {"passage_id": "p", "facts_version": 3}

    async def photo(self, lane_id: str, receive: Any, media_type: str, actor: Actor) -> dict[str, Any]:
        content = await receive()
        self.photos.append((lane_id, content, media_type))
        return {"sha256": "0" * 64, "bytes": len(content), "record": 1, "passage_id": "p"}

    async def file(self, sha256: str) -> tuple[bytes, str]:
        if sha256 != "0" * 64 or not self.photos:
            raise NotFoundError("file: named by a record expected, found none")
        return self.photos[-1][1], self.photos[-1][2]

    async def passages(self, limit: int, before: str | None, lanes: Collection[str] | None) -> dict[str, Any]:
        found = [one for one in [overweight_passage()] if lanes is None or one["lane"] in lanes]
        return {"passages": found[:limit], "before": None}

    async def passage(self, passage_id: str) -> dict[str, Any]:
        if passage_id != overweight_passage()["id"]:
            raise NotFoundError(f"passage {passage_id!r}: no such passage")
        return overweight_passage()

    async def slip(self, slip_no: str) -> dict[str, Any]:
        raise NotFoundError(f"slip {slip_no!r}: neither the copy nor the centre has it")

    async def audit(self, after: int, limit: int) -> dict[str, Any]:
        return {"records": [], "after": after}

    async def reasons(self) -> dict[str, Any]:
        return {"counts": self.reason_counts}

    async def motion(
        self, limit: int, before: int | None, *, open_only: bool, lanes: Collection[str] | None
    ) -> dict[str, Any]:
        found = [one for one in self.motions if lanes is None or one["lane"] in lanes]
        return {"motions": found[:limit], "open": len(found), "before": None}

    async def devices(self) -> dict[str, Any]:
        if self.device_facts is not None:
            return {"devices": self.device_facts}
        return {"devices": [device for lane in self.snapshots.values() for device in lane["devices"]]}

    async def sync_status(self) -> dict[str, Any]:
        if self.sync_fails is not None:
            raise self.sync_fails
        return self.lines

    async def sync_parked(self, queue: str, limit: int) -> dict[str, Any]:
        return {"queue": queue, "parked": self.parked[queue][:limit]}

    async def sync_send_again(self, queue: str, ids: Sequence[str] | None, actor: Actor) -> dict[str, Any]:
        taken = [one for one in self.parked[queue] if ids is None or one["id"] in ids]
        self.parked[queue] = [one for one in self.parked[queue] if one not in taken]
        self.sent_again.append((queue, ids, actor))
        return {"taken": len(taken)}

    async def sync_conflicts(self, limit: int) -> dict[str, Any]:
        return {"conflicts": self.conflicts[:limit]}

    async def sync_close_conflict(self, conflict_id: str, reason: str, actor: Actor) -> dict[str, Any]:
        for one in self.conflicts:
            if one["id"] == conflict_id and one["closed_at"] is None:
                one |= {"closed_by": actor.label, "closed_at": iso(), "close_reason": reason}
                return one
        raise NotFoundError(f"conflict {conflict_id!r}: an open conflict expected")

    async def hazmat_entries(self, after: str | None, limit: int) -> dict[str, Any]:
        start = int(after or 0)
        if self.hazmat_events:
            page = self.hazmat_events[start : start + limit]
            end = start + len(page)
            return {"entries": page, "after": str(end), "more": end < len(self.hazmat_events)}
        if start >= 2:
            return {"entries": [], "after": str(start), "more": False}
        entry = {"specversion": "1.0", "id": f"e{start + 1}", "type": "hazmat.entered", "data": {}}
        return {"entries": [entry], "after": str(start + 1), "more": start == 0}

    async def hazmat_inventory(self) -> dict[str, Any]:
        return self.stock

    async def hazmat_newest(self, limit: int) -> dict[str, Any]:
        return {"entries": self.hazmat_events[-limit:], "after": str(len(self.hazmat_events)), "more": False}

    async def hazmat_history(self, days: int) -> dict[str, Any]:
        return {"since_at": iso(days * 86_400), "until_at": iso(), "units": self.history}

    async def hazmat_deliveries(self, state: str | None, limit: int) -> dict[str, Any]:
        return {"deliveries": [one for one in self.deliveries if state in (None, one["state"])][:limit]}

    async def tell_hazmat_again(self, event_id: str, actor: Actor) -> dict[str, Any]:
        for one in self.deliveries:
            if one["id"] == event_id and one["state"] != "due":
                one.update(state="due", by=actor.label)
                return {"event_id": event_id, "record": 1}
        raise NotFoundError(f"event {event_id!r}: a delivered or parked event of the feed expected")

    async def correct_hazmat(self, correction: Any, actor: Actor) -> dict[str, Any]:
        self.corrections.append((correction, actor))
        return {"event_id": "e9", "record": 9}

    async def hazmat_holds(self) -> dict[str, Any]:
        return {"holds": list(self.holds.values())}

    async def place_hazmat_hold(self, target: Any, reason: str, actor: Actor) -> dict[str, Any]:
        hold = {
            "id": f"safety-{len(self.holds) + 1}",
            "kind": "safety",
            "target": dict(target),
            "reason": reason,
            "placed_by": actor.label,
            "placed_at": iso(),
            "lifted_by": None,
            "lifted_at": None,
            "lift_reason": None,
        }
        self.holds[hold["id"]] = hold
        return {**hold, "judged_again": []}

    async def lift_hazmat_hold(self, hold_id: str, reason: str, actor: Actor) -> dict[str, Any]:
        if hold_id not in self.holds:
            raise NotFoundError(f"hold {hold_id!r}: a standing hold of this site expected")
        self.holds[hold_id] |= {"lifted_by": actor.label, "lifted_at": iso(), "lift_reason": reason}
        return {**self.holds[hold_id], "judged_again": []}

    async def route(self, document: Any) -> dict[str, Any]:
        if "lanes" not in document:
            raise InputError("lanes: a list expected, found nothing")
        return {"lane": None, "refused": {}}

    def point(self, point_id: str) -> dict[str, Any]:
        if point_id != "pre-1":
            raise NotFoundError(f"point {point_id!r}: pre-1 expected")
        name = {"zh": "预检口", "en": "Before the lanes"}
        return {"point": point_id, "name": name, "lane": None, "driver": {"zh": "请出示核放单", "en": "Show your slip"}}

    def health(self) -> dict[str, Any]:
        return {"ready": self.is_ready, "reasons": [] if self.is_ready else ["record_unwritable"]}

    def metrics_text(self) -> str:
        return "gate_lanes 6\n"
