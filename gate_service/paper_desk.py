"""What passed in an emergency regime, reconciled afterwards; and what was written on paper, typed in later (补录).

A paper entry is a passage like others: its slips are used, its crossing and its hazardous goods are told, with the
time it happened and the time it was typed in.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID, uuid5

from gate_service.domain.commands import Actor
from gate_service.domain.errors import CommandRefusedError, InputError, NotFoundError, NotPermittedError
from gate_service.domain.events import Event, JsonObject
from gate_service.domain.mass import Mass
from gate_service.domain.passage import Disposition, Passage, Weighed
from gate_service.domain.ports import Clock, SlipSource
from gate_service.domain.reading import StabilityFrom
from gate_service.domain.record import Entry, LedgerChange, LedgerKind
from gate_service.domain.regime import PAPER
from lanes.closing import close_passage
from lanes.settings import LaneSettings
from sync.journal import SqlJournal
from sync.regimes import Passed, Regimes, subject_of
from sync.shifts import Shifts

NAMESPACE: Final = UUID("5d6b1c38-9d0e-5e43-9a57-4c0a3c5f1b90")
OLDEST: Final = timedelta(days=7)  # site decision: later than that it is a correction of the books, not of the gate
MOVES: Final = frozenset({LedgerKind.VEHICLE_IN, LedgerKind.VEHICLE_OUT})
OUTCOMES: Final = ("confirmed", "discrepancy")


@dataclass(frozen=True, slots=True)
class PaperEntry:
    """One line of the paper list. `paper_no` names the sheet and line; `released_by` is who let the vehicle go."""

    lane: str
    crossed_at: datetime
    plate: str
    slip_nos: tuple[str, ...]
    released_by: str
    reason: str
    paper_no: str
    gross: Mass | None = None
    regime_id: str | None = None


class PaperDesk:
    """Constructed in `bootstrap`; works while the record is open."""

    def __init__(
        self,
        journal: SqlJournal,
        regimes: Regimes,
        shifts: Shifts,
        slips: SlipSource,
        clock: Clock,
        *,
        lanes: Mapping[str, LaneSettings],
    ) -> None:
        self._journal = journal
        self._regimes = regimes
        self._shifts = shifts
        self._slips = slips
        self._clock = clock
        self._lanes = lanes

    async def type_in(self, entry: PaperEntry, actor: Actor) -> dict[str, Any]:
        """Record one line. The same line twice is refused: InputError; so are a time or lane that cannot be."""
        settings = self._lanes.get(entry.lane)
        if settings is None:
            raise NotFoundError(f"lane {entry.lane!r}: one of {sorted(self._lanes)} expected"[:200])
        await self._check_time(entry)
        passage = _passage_of(entry, settings)
        if await self._journal.passage(passage.id) is not None:
            raise CommandRefusedError(f"paper entry {entry.paper_no}: typed in already as passage {passage.id}")
        passage = replace(passage, case=await self._case(passage))
        closed, ledger, events = close_passage(passage, settings, has_crossed=True, now=entry.crossed_at)
        if await self._regimes.has_later_passage(entry.plate, entry.crossed_at, closed.id):
            ledger = tuple(change for change in ledger if change.kind not in MOVES)  # where it is now is known better
        now = self._clock.now()
        both = {"paper": True, "paper_no": entry.paper_no, "typed_at": now.isoformat()}
        told = tuple(replace(event, data={**event.data, **both}) for event in events)
        record = await self._journal.write(self._entry(entry, closed, (ledger, told), actor, now))
        return {"passage_id": closed.id, "record": record, "happened_at": entry.crossed_at.isoformat(), **both}

    def _entry(
        self,
        entry: PaperEntry,
        closed: Passage,
        changed: tuple[tuple[LedgerChange, ...], tuple[Event, ...]],
        actor: Actor,
        now: datetime,
    ) -> Entry:
        ledger, events = changed
        facts = {
            "paper_no": entry.paper_no,
            "happened_at": entry.crossed_at.isoformat(),
            "typed_at": now.isoformat(),
            "released_by": entry.released_by,
            "reason": entry.reason,
            "regime": entry.regime_id,
        }
        typed = LedgerChange(LedgerKind.PAPER_TYPED, entry.regime_id or PAPER, closed.id)
        return Entry(
            "paper_typed", now, actor.label, facts, entry.lane, closed.id, closed.document(), (*ledger, typed), events
        )

    async def _check_time(self, entry: PaperEntry) -> None:
        now = self._clock.now()
        earliest, latest = now - OLDEST, now
        if entry.regime_id is not None:
            regime = await self._regimes.one(entry.regime_id)
            earliest, latest = regime.opened_at, min(now, regime.closed_at or now)
        if not earliest <= entry.crossed_at <= latest:
            raise InputError(
                f"crossed_at: a time from {earliest.isoformat()} to {latest.isoformat()} expected, "
                f"found {entry.crossed_at.isoformat()}"
            )

    async def _case(self, passage: Passage) -> JsonObject:
        """The slips as they are known now, each number that is not known by its number alone."""
        found = await self._known(passage)
        slips = [found.get(number, {"slip_no": number}) for number in passage.scanned]
        return {"paper": True, "slips": slips, "source": None, "as_of": None}

    async def _known(self, passage: Passage) -> dict[str, JsonObject]:
        if not passage.scanned:
            return {}
        answer = await self._slips.find(
            scanned=passage.scanned, plate=passage.plate, direction=passage.direction, passage_id=passage.id
        )
        return {str(slip.get("slip_no")): slip for slip in answer.slips}

    # Reconciliation -----------------------------------------------------------------------------------------------

    async def passed(self, regime_id: str) -> dict[str, Any]:
        """Every passage of a regime with its tick, or `paper` for those outside any."""
        return {"regime": regime_id, "passages": [_shown(one) for one in await self._regimes.passed(regime_id)]}

    async def look_up(self, regime_id: str, passage_id: str) -> dict[str, Any]:
        """One of them, and what centre and copy say of its slips now."""
        one = await self._one(regime_id, passage_id)
        answer = await self._slips.find(
            scanned=one.passage.slip_nos(), plate=one.passage.plate, direction=one.passage.direction,
            passage_id=passage_id,
        )  # fmt: skip
        known = {str(slip.get("slip_no")): slip for slip in answer.slips}
        used, revoked = answer.known.get("used", {}), answer.known.get("revoked", ())
        slips = [
            {
                "slip_no": number,
                "is_known": number in known,
                "status": known.get(number, {}).get("status"),
                "is_revoked": number in revoked,
                "other_uses": used.get(number, 0),
                "holds": [hold.get("kind") for hold in known.get(number, {}).get("holds", ())],
            }
            for number in one.passage.slip_nos()
        ]
        as_of = None if answer.as_of is None else answer.as_of.isoformat()
        return {**_shown(one), "slips_now": slips, "source": answer.source.value, "as_of": as_of}

    async def tick(
        self, regime_id: str, passage_id: str, outcome: str, note: str | None, actor: Actor
    ) -> dict[str, Any]:
        """Tick one off, with what was found then; not one's own release. A discrepancy needs a word."""
        if outcome not in OUTCOMES:
            raise InputError(f"outcome: one of {', '.join(OUTCOMES)} expected, found {outcome!r}")
        if outcome == "discrepancy" and not note:
            raise InputError("note: what differs expected with a discrepancy")
        found = await self.look_up(regime_id, passage_id)
        if found["released_by"] == actor.label:
            raise NotPermittedError("a release is reconciled by somebody else than who gave it")
        facts = {"regime": regime_id, "passage_id": passage_id, "slips_now": found["slips_now"]}
        await self._shifts.settle(subject_of(regime_id, passage_id), actor.label, outcome, note, facts)
        return _shown(await self._one(regime_id, passage_id))

    async def _one(self, regime_id: str, passage_id: str) -> Passed:
        for one in await self._regimes.passed(regime_id):
            if one.passage.id == passage_id:
                return one
        raise NotFoundError(f"regime {regime_id}: no passage {passage_id!r} in it"[:200])


def _passage_of(entry: PaperEntry, settings: LaneSettings) -> Passage:
    """The passage that the line says; its id comes from the line, so that typing it twice finds the first."""
    name = "/".join((settings.site_id, entry.lane, entry.crossed_at.isoformat(), entry.plate, *entry.slip_nos))
    weighed = None
    if entry.gross is not None:
        weighed = Weighed(
            entry.gross,
            "ok",
            None,
            StabilityFrom.COMPUTED,
            None,
            "",
            entry.crossed_at,
            was_zeroed=False,
            was_whole=False,
        )
    return Passage(
        id=str(uuid5(NAMESPACE, name)),
        lane=entry.lane,
        direction=settings.direction,
        opened_at=entry.crossed_at,
        state="idle",
        plate=entry.plate,
        is_plate_looked_at=True,
        scanned=entry.slip_nos,
        weighed=weighed,
        disposition=Disposition.RELEASE,
        disposed_by=f"paper:{entry.released_by}",
        note="paper",
    )


def _shown(one: Passed) -> dict[str, Any]:
    passage = one.passage
    reasons = [check["reason_code"] for check in (passage.assessment or {}).get("checks", ())]
    return {
        "passage_id": passage.id,
        "lane": passage.lane,
        "direction": passage.direction,
        "plate": passage.plate,
        "slips": list(passage.slip_nos()),
        "state": one.state,
        "at": one.at.isoformat(),
        "crossed_at": None if passage.crossed_at is None else passage.crossed_at.isoformat(),
        "released_by": passage.disposed_by,
        "reasons": reasons,
        "ticked_by": one.ticked_by,
        "ticked_at": None if one.ticked_at is None else one.ticked_at.isoformat(),
        "outcome": one.outcome,
        "note": one.note,
    }
