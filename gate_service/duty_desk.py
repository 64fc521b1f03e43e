"""Who is on duty and what is in force at this site: shifts with their hand-over, and the emergency regime of RULES 6.

Implements `ports.Duty` for the lanes: what they ask stands in memory, read from the record at the start.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from types import TracebackType
from typing import Any, Final, Self
from uuid import uuid4

from gate_service.domain.commands import Actor, Role, request_number
from gate_service.domain.errors import CommandRefusedError, GateError, NotPermittedError, RecordError
from gate_service.domain.events import JsonObject
from gate_service.domain.ports import Clock
from gate_service.domain.regime import Regime, RegimeTerms
from lanes.approvals import APPROVERS, VALID_S
from sync.regimes import Regimes
from sync.shifts import Shift, Shifts

log = logging.getLogger(__name__)

LOOK_EVERY_S: Final = 1.0  # how soon a regime whose time or passages are up is closed in the record
FEW: Final = 20  # shifts and regimes on a page


@dataclass(frozen=True, slots=True)
class PendingRegime:
    """An opening that waits for its second person."""

    id: str
    terms: RegimeTerms
    asked_by: Actor
    asked_monotonic_s: float

    @property
    def number(self) -> str:
        """What a one-time code for it is made for."""
        return request_number(self.id, self.terms.document())

    def shown(self, now_s: float) -> dict[str, Any]:
        """As pages see it."""
        left_s = max(0, round(VALID_S - (now_s - self.asked_monotonic_s)))
        asked = {"id": self.id, "by": self.asked_by.label, "request_no": self.number, "seconds_left": left_s}
        return {**asked, **self.terms.document()}


class DutyDesk:
    """`async with` reads what is in force from the record, and keeps closing regimes that are over."""

    def __init__(
        self,
        shifts: Shifts,
        regimes: Regimes,
        clock: Clock,
        *,
        lanes: Callable[[], Sequence[JsonObject]],
        parked: Callable[[], Awaitable[int]],
        on_changed: Callable[[], None],
    ) -> None:
        self._shifts = shifts
        self._regimes = regimes
        self._clock = clock
        self._lanes = lanes
        self._parked = parked
        self._on_changed = on_changed
        self._shift: Shift | None = None
        self._overrides: Counter[str] = Counter()
        self._regime: Regime | None = None
        self._pending: PendingRegime | None = None
        self._watch: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Self:
        self._regime = await self._regimes.current()
        self._shift = await self._shifts.newest()
        if self._shift is None:
            with contextlib.suppress(RecordError):  # a record that cannot be written closes the lanes by itself
                self._shift = await self._shifts.begin(1, "service", {"first": True})
        else:
            self._overrides.update(await self._shifts.overrides(self._shift.number))
        self._watch = asyncio.create_task(self._close_when_over(), name="regime")
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._watch is not None:
            self._watch.cancel()
            await asyncio.gather(self._watch, return_exceptions=True)

    # ports.Duty ---------------------------------------------------------------------------------------------------

    def shift(self) -> str:
        """The shift's number, 0 before the first."""
        return "0" if self._shift is None else str(self._shift.number)

    def overrides(self) -> Mapping[str, int]:
        """Passages released against each reason in this shift."""
        return self._overrides

    def regime(self) -> Regime | None:
        """The regime that is open now."""
        return self._regime if self._regime is not None and self._regime.is_open(self._clock.now()) else None

    def released(self, reasons: Sequence[str], regime_id: str | None) -> None:
        """Count what the record holds already."""
        self._overrides.update(reasons)
        if regime_id is not None and self._regime is not None and self._regime.id == regime_id:
            self._regime = replace(self._regime, used=self._regime.used + 1)
        self._on_changed()

    # Shifts -------------------------------------------------------------------------------------------------------

    async def shift_now(self) -> dict[str, Any]:
        """The shift, what is open, and the overrides so far."""
        shift = self._shift
        return {
            "shift": None if shift is None else shift.document(),
            "overrides": dict(self._overrides),
            "matters": await self.matters(),
            "earlier": [one.document() for one in (await self._shifts.several(FEW))[1:]],
        }

    async def matters(self) -> list[dict[str, Any]]:
        """Everything that the next shift must know of, each with what it is about."""
        found = [matter for lane in self._lanes() for matter in _matters_of(lane)]
        found += [{**one, "subject": f"record:{one['record']}"} for one in await self._shifts.unsettled()]
        if regime := self.regime():
            found.append({"kind": "regime_open", "subject": f"regime:{regime.id}", "at": regime.opened_at.isoformat()})
        for regime_id, count in (await self._regimes.unreconciled()).items():
            found.append({"kind": "not_reconciled", "subject": f"regime:{regime_id}", "count": count})
        if parked := await self._parked():
            found.append({"kind": "parked", "subject": "outbox", "count": parked})
        return found

    async def hand_over(self, note: str | None, actor: Actor) -> dict[str, Any]:
        """Write down what is open now, for the next shift to accept."""
        shift = self._on_duty()
        matters = [_plain(matter) for matter in await self.matters()]
        await self._shifts.hand_over(shift.number, actor.label, note, matters)
        self._shift = await self._shifts.newest()
        return await self.shift_now()

    async def accept(self, note: str | None, actor: Actor) -> dict[str, Any]:
        """Begin the next shift. Without a hand-over only a supervisor may, with a word why."""
        shift = self._on_duty()
        if shift.handed_by is None and (actor.role is not Role.SUPERVISOR or not note):
            raise NotPermittedError("the shift is not handed over: a supervisor takes it over, and says why")
        if shift.handed_by == actor.label:
            raise NotPermittedError("nobody accepts their own hand-over")
        facts = {"from": shift.number, "handed_by": shift.handed_by, "note": note}
        self._shift = await self._shifts.begin(shift.number + 1, actor.label, facts)
        self._overrides.clear()
        self._on_changed()
        return await self.shift_now()

    async def log(self, number: int, after: int, limit: int) -> dict[str, Any]:
        """What was done in a shift."""
        found = await self._shifts.log(number, after, limit)
        return {"records": found, "after": found[-1]["record"] if found else after}

    async def settle(self, record: int, outcome: str, note: str | None, actor: Actor) -> dict[str, Any]:
        """Explain a motion, or review an emergency raise; not one's own."""
        matter = await self._shifts.matter(record)
        if matter["kind"] == "emergency_raise":
            if matter["by"] == actor.label:
                raise NotPermittedError("an emergency raise is reviewed by somebody else")
            if actor.role is not Role.SUPERVISOR:
                raise NotPermittedError("a supervisor reviews an emergency raise")
        settled = await self._shifts.settle(f"record:{record}", actor.label, outcome, note, matter)
        return {"record": record, "settled_record": settled}

    def _on_duty(self) -> Shift:
        if self._shift is None:
            raise RecordError("shift: one on duty expected; the record cannot be written")
        return self._shift

    # The emergency regime -----------------------------------------------------------------------------------------

    async def regimes(self) -> dict[str, Any]:
        """The one that is open, the one that waits for its second person, and earlier ones."""
        pending = self._waiting()
        unreconciled = await self._regimes.unreconciled()
        earlier = [
            {**_shown(one), "not_reconciled": unreconciled.get(one.id, 0)} for one in await self._regimes.several(FEW)
        ]
        return {
            "open": None if (regime := self.regime()) is None else _shown(regime),
            "pending": None if pending is None else pending.shown(self._clock.monotonic_s()),
            "regimes": earlier,
            "now_at": self._clock.now().isoformat(),
        }

    def ask_regime(self, terms: RegimeTerms, actor: Actor) -> dict[str, Any]:
        """The first person asks. Raises InputError, CommandRefusedError while one is open."""
        if self.regime() is not None:
            raise CommandRefusedError("a regime is open already: close it first")
        terms = terms.checked(self._clock.now())
        self._pending = PendingRegime(f"regime-{uuid4()}", terms, actor, self._clock.monotonic_s())
        return {"pending": self._pending.shown(self._clock.monotonic_s())}

    def request_number(self, regime_id: str) -> str | None:
        """What a one-time code for the waiting opening is made for."""
        pending = self._waiting()
        return pending.number if pending is not None and pending.id == regime_id else None

    async def open_regime(self, regime_id: str, actor: Actor, approved_with: str) -> dict[str, Any]:
        """The second person opens it. Raises as `lanes.approvals`."""
        pending = self._waiting()
        if pending is None or pending.id != regime_id:
            raise CommandRefusedError("no opening of this id waits; it ends five minutes after it was asked for")
        if actor.role not in APPROVERS:
            raise NotPermittedError("a supervisor must be the second person")
        if actor.name == pending.asked_by.name:
            raise NotPermittedError("nobody approves their own request")
        now = self._clock.now()
        regime = Regime(pending.id, pending.terms.checked(now), now, pending.asked_by.label, actor.label)
        self._pending = None
        await self._regimes.open(regime, approved_with)
        self._regime = regime
        self._on_changed()
        return _shown(regime)

    def standing(self) -> dict[str, Any]:
        """For every terminal: the open regime, the opening that waits, who handed the shift over; each or None."""
        regime, pending, shift = self.regime(), self._waiting(), self._shift
        return {
            "regime": {
                "open": None if regime is None else _shown(regime),
                "pending": None if pending is None else pending.shown(self._clock.monotonic_s()),
            },
            "handed_by": None if shift is None else shift.handed_by,
        }

    async def close_regime(self, regime_id: str, reason: str, actor: Actor) -> dict[str, Any]:
        """Anybody who works the lanes closes it: that is the stricter side."""
        if self._regime is None or self._regime.id != regime_id:
            await self._regimes.one(regime_id)
            raise CommandRefusedError(f"regime {regime_id}: closed already")
        return await self._close(self._regime, actor.label, reason)

    async def _close(self, regime: Regime, by: str, reason: str) -> dict[str, Any]:
        closed = await self._regimes.close(regime, by, reason)
        self._regime = None
        self._on_changed()
        return _shown(closed)

    def _waiting(self) -> PendingRegime | None:
        pending = self._pending
        is_over = pending is not None and self._clock.monotonic_s() - pending.asked_monotonic_s > VALID_S
        return None if is_over else pending

    async def _close_when_over(self) -> None:
        """Task root: what is over by time or count lets nothing go from that moment; here it is also written down."""
        while True:
            await self._clock.sleep(LOOK_EVERY_S)
            regime = self._regime
            if regime is None or regime.is_open(self._clock.now()):
                continue
            reason = "passages" if regime.used >= regime.terms.passages else "time"
            try:
                await self._close(regime, "service", reason)
            except GateError as error:  # the record is not writable: it stays over, and is closed when it can be
                log.warning("regime %s: its end could not be recorded: %s", regime.id, error)


def _shown(regime: Regime) -> dict[str, Any]:
    return {
        **regime.document(),
        "used": regime.used,
        "closed_at": None if regime.closed_at is None else regime.closed_at.isoformat(),
        "closed_by": regime.closed_by,
        "close_reason": regime.close_reason,
    }


def _matters_of(lane: JsonObject) -> list[dict[str, Any]]:
    """What of one lane the next shift must know: a vehicle that waits, a lane that does not work, a second person."""
    attention, passage, approval = lane["attention"], lane["passage"], lane["approval"]
    about = {"lane": lane["id"], "state": lane["state"], "at": lane["since_at"]}
    found = []
    if passage is not None:
        plate = {"plate": passage["plate"], "passage_id": passage["id"]}
        found.append({"kind": "vehicle_in_lane", "subject": f"passage:{passage['id']}", **about, **plate})
    elif attention is not None:
        found.append(
            {"kind": "lane_needs_attention", "subject": f"lane:{lane['id']}", **about, "code": attention["code"]}
        )
    if approval is not None:
        asked = {"by": approval["by"], "command": approval["command"]}
        found.append({"kind": "approval_pending", "subject": f"command:{approval['command_id']}", **about, **asked})
    return found


def _plain(matter: Mapping[str, Any]) -> dict[str, Any]:
    """A matter as it is frozen with the hand-over: without the facts of its record, which stand in the record."""
    return {key: value for key, value in matter.items() if key != "facts"}
