"""How a passage ends: its last facts, what the ledgers take, what is told. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any, Final

from gate_service.domain.events import Event
from gate_service.domain.passage import Disposition, Outcome, Passage
from gate_service.domain.record import LedgerChange, LedgerKind
from lanes import told
from lanes.settings import LaneSettings
from lanes.shares import declaration_changes, temporary_exits

INSPECTED_INSIDE: Final = frozenset({Disposition.YARD_INSIDE, Disposition.AT_PREMISES})


def goes_through(passage: Passage, settings: LaneSettings) -> bool:
    """Whether a vehicle that drove on under the exit boom has passed the gate with its goods.

    Released ones have; those to be inspected inside (yard or premises) have too when they were coming in. A vehicle
    diverted, turned round or led out after a refusal has not: its goods did not pass.
    """
    if passage.disposition is Disposition.RELEASE:
        return True
    return passage.disposition in INSPECTED_INSIDE and settings.direction == "inbound"


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
    slips = [slip for slip in (passage.case or {}).get("slips", ()) if isinstance(slip, Mapping)]
    share = LedgerKind.DECLARATION_PASSED if through else LedgerKind.DECLARATION_RETURNED
    changes += declaration_changes(slips, passage.id, share)
    if not through:
        return tuple(changes)
    gross = passage.weighed.gross if passage.weighed else None
    if passage.plate is not None:
        moved = LedgerKind.VEHICLE_IN if settings.direction == "inbound" else LedgerKind.VEHICLE_OUT
        changes.append(LedgerChange(moved, passage.plate, passage.id, gross))
    if passage.plate is not None and gross is not None and _is_bare_vehicle(slips):
        changes.append(LedgerChange(LedgerKind.TARE_SEEN, passage.plate, passage.id, gross))
    if settings.direction == "outbound":
        changes += temporary_exits(slips, passage.id)
    return tuple(changes)


def _is_bare_vehicle(slips: list[Mapping[str, Any]]) -> bool:
    """An empty vehicle (type 6) without trailer or containers: what was weighed is its tare."""
    if len(slips) != 1 or slips[0].get("type") != "6":
        return False
    vehicle = slips[0].get("vehicle")
    has_trailer = isinstance(vehicle, Mapping) and vehicle.get("trailer_plate") is not None
    return not has_trailer and not slips[0].get("containers")
