"""What the site keeps around the judging: its registers as lists and their changes by people. Part of the service."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from typing import Any, Final
from uuid import UUID, uuid5

from sqlalchemy import Connection

from gate_service.domain.commands import Actor
from gate_service.domain.errors import InputError, NotFoundError
from gate_service.domain.events import Event, EventType
from gate_service.domain.mass import Mass
from gate_service.domain.ports import Clock, PolicyAt
from gate_service.domain.record import Entry
from gate_service.gate_form import GoodsForm, read_form
from lanes.policy.facts import median_grams
from lanes.policy.policy import Policy
from lanes.policy.policy_reading import read_policy
from sync import register_lists, risk_lists
from sync.journal import SqlJournal
from sync.record_queries import events_known
from sync.register_changes import RegisterChanges, ServiceVehicle
from sync.register_lists import JsonRow, Question

NAMESPACE: Final = UUID("b6a1a5b8-3e0b-5a6f-9a55-1b6f1b7f0d11")
ALARM_EVERY_S: Final = 30.0
LEAST_TARES: Final = 3  # RULES 4, tare_drift: at least three
List = Callable[[Connection, Question], list[JsonRow]]


@dataclass(frozen=True, slots=True)
class RegisterSite:
    """What the registers need to know of their site."""

    id: str
    gate: str
    other_gate_within: timedelta
    policy_at: PolicyAt


class RegisterDesk:
    """Implements `web.gate_api.RegistersApi`; works while the record is open."""

    def __init__(self, journal: SqlJournal, changes: RegisterChanges, clock: Clock, site: RegisterSite) -> None:
        self._journal = journal
        self._changes = changes
        self._clock = clock
        self._site = site
        within_us = site.other_gate_within // timedelta(microseconds=1)
        self._lists: dict[str, List] = {
            "vehicles": register_lists.vehicles,
            "goods": register_lists.goods,
            "inside": register_lists.inside,
            "tares": register_lists.tares,
            "temporary_exits": register_lists.temporary_exits,
            "declarations": risk_lists.declarations,
            "preassessed": risk_lists.preassessed,
            "inspections": risk_lists.inspections,
            "between_gates": partial(risk_lists.between_gates, gate=site.gate, within_us=within_us),
        }

    async def rows(self, register: str, text: str, limit: int) -> dict[str, Any]:
        """One register: `{"register", "as_of", "rows"}`. Raises NotFoundError for one that is none."""
        found = self._lists.get(register)
        if found is None:
            raise NotFoundError(f"register: one of {', '.join(sorted(self._lists))} expected, found {register!r}"[:300])
        asked = Question(text, limit, self._clock.now())
        rows = await self._journal.read(lambda connection: found(connection, asked))
        judge = {"tares": with_drift, "declarations": with_state}.get(register)
        if judge is not None:
            policy = read_policy(self._site.policy_at(asked.now))
            rows = [judge(row, policy) for row in rows]
        return {"register": register, "as_of": asked.now.isoformat(), "gate": self._site.gate, "rows": rows}

    async def put_vehicle(self, vehicle: ServiceVehicle, actor: Actor) -> dict[str, Any]:
        """Register a service vehicle, or change its line."""
        return await self._changes.put_vehicle(vehicle, actor.label)

    async def end_vehicle(self, plate: str, reason: str, actor: Actor) -> dict[str, Any]:
        """End a line of the site's own."""
        return await self._changes.end_vehicle(plate, reason, actor.label)

    async def register_goods(self, form: GoodsForm, actor: Actor) -> dict[str, Any]:
        """The form of Announcement 200: a slip of type 5 with a number of its own, judged like any other."""
        slip = read_form(form, self._clock.now())
        made = await self._changes.make_slip(slip, actor.label)
        return {"slip": made}

    async def void_goods(self, slip_no: str, reason: str, actor: Actor) -> dict[str, Any]:
        """Void a slip of the form that no vehicle has used."""
        return await self._changes.void_slip(slip_no, reason, actor.label)

    async def set_inside(self, plate: str, is_inside: bool, reason: str, actor: Actor) -> dict[str, Any]:
        """Put the ledger of vehicles inside right."""
        return await self._changes.set_inside(plate, is_inside, reason, actor.label)

    async def returned(self, slip_no: str, passage_id: str, reason: str, actor: Actor) -> dict[str, Any]:
        """A temporary exit came back."""
        return await self._changes.returned(slip_no, passage_id, reason, actor.label)

    async def inspected(self, passage_id: str, is_hit: bool, what: str, actor: Actor) -> dict[str, Any]:
        """The result of an inspection."""
        if is_hit and not what.strip():
            raise InputError("what: what was found expected")
        return await self._changes.inspected(passage_id, is_hit, what.strip(), actor.label)

    async def alarm_between_gates(self) -> float:
        """Tell, once each, of slips that were not seen at the other gate in time. Seconds until the next look."""
        if self._site.gate == "single":
            return 3600.0
        now = self._clock.now()
        late = [row for row in (await self.rows("between_gates", "", 1000))["rows"] if row["is_late"]]
        events = [self._missing(row, now) for row in late]
        known = await self._journal.read(lambda connection: events_known(connection, [str(e.id) for e in events]))
        for event in events:
            if str(event.id) not in known:
                await self._journal.write(Entry("second_gate_missing", now, "service", event.data, events=(event,)))
        return ALARM_EVERY_S

    def _missing(self, row: Mapping[str, Any], now: datetime) -> Event:
        data = {
            "slip_no": row["slip_no"],
            "plate": row["plate"],
            "gate": self._site.gate,
            "passed_first_at": row["passed_first_at"],
            "within_min": self._site.other_gate_within // timedelta(minutes=1),
        }
        event_id = uuid5(NAMESPACE, f"{self._site.id}/{row['slip_no']}/{row['passed_first_at']}")
        return Event(event_id, EventType.SLIP_SECOND_GATE_MISSING, now, data)


def with_drift(row: JsonRow, policy: Policy) -> JsonRow:
    """A plate's tares with the newest against the median of the earlier ones, as rule `tare_drift` has it."""
    history = [Mass.from_kg(value) for value in row["history_kg"]]
    newest, earlier = history[-1], history[:-1]
    found: JsonRow = {**row, "count": len(history), "newest_kg": newest.to_json(), "median_kg": None, "drift_kg": None}
    if earlier:
        middle = median_grams(earlier)
        drift = newest.grams - middle
        found |= {"median_kg": round(float(middle) / 1000, 3), "drift_kg": round(float(drift) / 1000, 3)}
        found["is_drifting"] = len(history) >= LEAST_TARES and abs(drift) > policy.strict.allowed(middle)
    return {"is_drifting": False, **found}


def with_state(row: JsonRow, policy: Policy) -> JsonRow:
    """A declaration's progress: what remains, and whether it is open, complete, exceeded or closed short.

    Both with what `strict` allows on the total, as the rules have it.
    """
    if row["total_gross_kg"] is None:
        return {**row, "remaining_kg": None, "allowed_kg": None, "state": "open"}
    total, passed = Mass.from_kg(row["total_gross_kg"]), Mass.from_kg(row["passed_gross_kg"])
    allowed = policy.strict.allowed(total.grams)
    remaining = total.grams - passed.grams
    state = "open"
    if -remaining > allowed:
        state = "exceeded"
    elif row["is_closed"] or row["is_last_passed"]:
        state = "short" if remaining > allowed else "closed"
    elif remaining <= allowed:
        state = "complete"
    numbers = {"remaining_kg": Mass(remaining).to_json(), "allowed_kg": Mass(int(allowed)).to_json()}
    return {**row, **numbers, "state": state}


def names() -> Sequence[str]:
    """The registers, as their addresses name them."""
    return (
        "vehicles", "goods", "inside", "tares", "temporary_exits",
        "declarations", "preassessed", "inspections", "between_gates",
    )  # fmt: skip
