"""Entries as the lanes write them, made from a number: the same number, the same entry (but for its ids)."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid5

from gate_service.domain.events import Event, EventType, JsonObject
from gate_service.domain.mass import Mass
from gate_service.domain.record import Entry, LedgerChange, LedgerKind

START = datetime(2026, 11, 1, 8, 0, tzinfo=UTC)
NAMES = UUID("00000000-0000-5000-8000-000000000000")


def passage_id(i: int) -> str:
    return str(uuid5(NAMES, f"passage {i}"))


def passage(i: int, state: str = "deciding", *, closed: bool = False) -> JsonObject:
    opened_at = START + timedelta(seconds=i)
    return {
        "id": passage_id(i),
        "lane": "in-d1" if i % 2 else "out-n1",
        "direction": "inbound" if i % 2 else "outbound",
        "state": state,
        "opened_at": opened_at.isoformat(),
        "closed_at": (opened_at + timedelta(minutes=1)).isoformat() if closed else None,
        "plate": f"浙B{i:05}",
        "verdict": "release",
        "case": {"weight": {"gross_kg": 16245.335}, "slips": [slip_no(i)]},
    }


def slip_no(i: int) -> str:
    return f"Z{i:021}"


def event(i: int, kind: EventType, word: str = "") -> Event:
    data = {"gross_kg": 16245.335, "plate": f"浙B{i:05}"}
    return Event(uuid5(NAMES, f"{kind} {i} {word}"), kind, START + timedelta(seconds=i), data, passage_id(i))


def decision(i: int, *, limit: int = 1, slip: str | None = None) -> Entry:
    return Entry(
        kind="decision",
        at=START + timedelta(seconds=i),
        actor="service",
        facts={"verdict": "release", "gross_g": 16_245_335, "reasons": [{"code": "ok", "n": i}]},
        lane="in-d1",
        passage_id=passage_id(i),
        passage=passage(i),
        ledger=(LedgerChange(LedgerKind.SLIP_RESERVED, slip or slip_no(i), passage_id(i), limit=limit),),
        events=(event(i, EventType.PASSAGE_DECIDED), event(i, EventType.PASSAGE_RELEASED)),
    )


def crossing(i: int, *, slip: str | None = None) -> Entry:
    pid = passage_id(i)
    return Entry(
        kind="crossing",
        at=START + timedelta(seconds=i, milliseconds=500),
        actor="service",
        facts={"beams": ["clear", "clear"]},
        lane="in-d1",
        passage_id=pid,
        passage=passage(i, "idle", closed=True),
        ledger=(
            LedgerChange(LedgerKind.SLIP_USED, slip or slip_no(i), pid),
            LedgerChange(LedgerKind.VEHICLE_IN, f"浙B{i:05}", pid, Mass(16_245_335)),
            LedgerChange(LedgerKind.TARE_SEEN, f"浙B{i:05}", pid, Mass(13_000_000)),
            LedgerChange(LedgerKind.DECLARATION_PASSED, "331120261000000001", pid, Mass(200_000)),
        ),
        events=(event(i, EventType.SLIP_USED), event(i, EventType.HAZMAT_ENTERED), event(i, EventType.PASSAGE_CLEARED)),
    )


def note(i: int, facts: JsonObject | None = None) -> Entry:
    return Entry("state", START + timedelta(seconds=i), "user:operator", facts if facts is not None else {"n": i})
