"""How a passage ends: its last facts, what the ledgers take, what is told. Pure."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from gate_service.domain.events import Event
from gate_service.domain.passage import Disposition, Outcome, Passage
from gate_service.domain.record import LedgerChange, LedgerKind
from lanes import told
from lanes.settings import LaneSettings


def goes_through(passage: Passage, settings: LaneSettings) -> bool:
    """Whether a vehicle that drove on under the exit boom has passed the gate with its goods.

    Released ones have; those sent to the inspection yard inside have too when they were coming in. A vehicle diverted
    to the U-turn after a refusal has not: its goods did not pass.
    """
    if passage.disposition is Disposition.RELEASE:
        return True
    return passage.disposition is Disposition.YARD_INSIDE and settings.direction == "inbound"


def close_passage(
    passage: Passage, settings: LaneSettings, *, has_crossed: bool, now: datetime
) -> tuple[Passage, tuple[LedgerChange, ...], tuple[Event, ...]]:
    """The closed passage, its ledger changes and its events."""
    disposition = passage.disposition
    if disposition is None and not has_crossed:
        disposition = Disposition.WITHDREW
    through = has_crossed and goes_through(passage, settings)
    outcome = Outcome.CROSSED if through else Outcome.TURNED_BACK
    if disposition is Disposition.WITHDREW:
        outcome = Outcome.WITHDREW
    closed = replace(
        passage, disposition=disposition, outcome=outcome, closed_at=now, crossed_at=now if has_crossed else None
    )
    events = told.crossing(closed, now) if through else told.departure(closed, now)
    return closed, _ledger(closed, settings, through=through), tuple(events)


def _ledger(passage: Passage, settings: LaneSettings, *, through: bool) -> tuple[LedgerChange, ...]:
    kind = LedgerKind.SLIP_USED if through else LedgerKind.SLIP_RETURNED
    changes = [LedgerChange(kind, number, passage.id) for number in passage.slip_nos()]
    if through and passage.plate is not None:
        gross = passage.weighed.gross if passage.weighed else None
        moved = LedgerKind.VEHICLE_IN if settings.direction == "inbound" else LedgerKind.VEHICLE_OUT
        changes.append(LedgerChange(moved, passage.plate, passage.id, gross))
    return tuple(changes)
