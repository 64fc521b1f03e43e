"""The ways out of a lane (RULES 8): what each asks of the table, which boom rises and why, and which are usable now.

A way that is named here is one a site can have; `LaneSettings` says which of them a lane has. Whether one can be taken
this moment is asked of the table (state, layout) and of the interlocks (approach, lights), never assumed.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final

from gate_service.domain.commands import Command
from gate_service.domain.errors import CommandRefusedError, InputError
from gate_service.domain.passage import Disposition
from lanes.interlocks import RaiseReason, forbids_raising
from lanes.settings import LaneSettings, way_named
from lanes.states import LaneCommand, LaneEvent, step

if TYPE_CHECKING:
    from lanes.knowledge import LaneKnowledge

RAISING: Final = frozenset({LaneCommand.RAISE_RELEASE_BOOM, LaneCommand.RAISE_TO_DIVERT, LaneCommand.RAISE_TO_RETURN})
"""Commands of the table that raise a boom for a vehicle that goes."""


@dataclass(frozen=True, slots=True)
class Way:
    """One way out: the event it is for the table, the recorded reason of its raise, how the passage is disposed of."""

    event: LaneEvent
    reason: RaiseReason
    disposition: Disposition


REFUSED: Final[Mapping[str, Way]] = {
    "back_out": Way(LaneEvent.RETURN_ASKED, RaiseReason.RETURN, Disposition.BACK_OUT),
    "turn_back": Way(LaneEvent.DIVERT_ASKED, RaiseReason.DIVERT, Disposition.TURN_BACK),  # forward, and round
    "divert": Way(LaneEvent.DIVERT_ASKED, RaiseReason.DIVERT, Disposition.DIVERT),  # forward, to a place of the site
    "escort": Way(LaneEvent.DIVERT_ASKED, RaiseReason.DIVERT, Disposition.ESCORT),  # forward, behind a person
}
"""Ways of a vehicle whose goods do not pass."""

INSPECTED: Final[Mapping[str, Way]] = {
    "yard_inside": Way(LaneEvent.DIVERT_ASKED, RaiseReason.DIVERT, Disposition.YARD_INSIDE),
    "at_premises": Way(LaneEvent.RELEASE_ASKED, RaiseReason.RELEASE, Disposition.AT_PREMISES),  # let on into the zone
}
"""Inspections beyond the exit boom. `yard_before` leaves as a refused vehicle does, by one of those ways."""

YARD_BEFORE: Final = "yard_before"


def asked_way(command: Command, fields: Mapping[str, Any], settings: LaneSettings) -> Way:
    """The way that a person asks for, the site's own where none is named. Raises InputError for one it has not."""
    is_inspection = command is Command.INSPECT
    own = settings.inspect_way if is_inspection else settings.refuse_way
    chosen = str(fields.get("way") or (fields.get("place") if is_inspection else None) or own)
    name = way_named(chosen)
    allowed = [*(settings.inspections() if is_inspection else ()), *settings.ways_out()]
    if name not in allowed:
        raise InputError(f"way: one of {sorted(allowed)} expected in this lane, found {chosen!r}"[:200])
    if name == "at_premises" and settings.direction != "inbound":
        raise CommandRefusedError(f"lane {settings.id}: premises are inside, this lane leads out")
    if name in INSPECTED:
        return INSPECTED[name]
    way = REFUSED[settings.ways_out()[0] if name == YARD_BEFORE else name]
    if way.disposition is Disposition.ESCORT and not str(fields.get("escort") or "").strip():
        raise InputError("escort: the person who leads the vehicle expected")
    return replace(way, disposition=Disposition.YARD_BEFORE) if is_inspection else way


def raises(lane: LaneKnowledge, event: LaneEvent) -> bool:
    """Whether the table would raise a boom for this event now: where none is in its way, nothing is to be proven."""
    return not RAISING.isdisjoint(step(lane.state, lane.view(), event).commands)


def blocked_because(lane: LaneKnowledge, way: Way) -> str | None:
    """Why this way cannot be taken now, or None."""
    if not step(lane.state, lane.view(), way.event).handled:
        return "not_in_this_state"
    if not raises(lane, way.event):
        return None
    return forbids_raising(way.reason, lane.surroundings(lane.clock.monotonic_s()))


def ways_now(lane: LaneKnowledge) -> dict[str, str | None]:
    """Every way this lane has for the vehicle in it, the site's own choice first, with what blocks it now (or None)."""
    if lane.passage is None:
        return {}
    settings = lane.settings
    refused = {name: blocked_because(lane, REFUSED[name]) for name in settings.ways_out()}
    inspected = {
        name: blocked_because(lane, INSPECTED[name]) if name in INSPECTED else _before(refused)
        for name in settings.inspections()
    }
    return refused | inspected


def _before(refused: Mapping[str, str | None]) -> str | None:
    """The yard before the gate is reached by any way of a refused vehicle that is usable."""
    return None if None in refused.values() else next(iter(refused.values()))
