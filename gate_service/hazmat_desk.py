"""What the zone authority sees and does at this site: entries, inventory, corrections, holds. Part of the service."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import timedelta
from typing import Any, Final
from uuid import uuid4

from gate_service.domain.corrections import Correction
from gate_service.domain.errors import NotFoundError
from gate_service.domain.events import Event, EventType, JsonObject
from gate_service.domain.ports import Clock
from gate_service.domain.record import Entry
from lanes.commands import LaneCommands
from lanes.controller import LaneController
from lanes.states import LaneState
from sync.columns import to_us
from sync.feed_queries import FeedQueries
from sync.journal import SqlJournal
from sync.site_holds import SiteHold, SiteHolds, is_touched
from sync.stock_queries import StockQueries

WAITING: Final = frozenset({LaneState.DECIDING, LaneState.REVIEW})
"""Where a lifted hold is looked at again. A detained vehicle was detained by a person or the police: they let it go."""


class HazmatDesk:
    """Constructed in `bootstrap`; works while the record is open."""

    def __init__(
        self,
        *,
        journal: SqlJournal,
        feed: FeedQueries,
        stock: StockQueries,
        holds: SiteHolds,
        clock: Clock,
        zone: JsonObject,
        edition: str,
    ) -> None:
        self._journal = journal
        self._feed = feed
        self._stock = stock
        self._holds = holds
        self._clock = clock
        self._zone = zone
        self._edition = edition

    async def entries(self, after: str | None, limit: int) -> dict[str, Any]:
        """Hazardous entries and exits as the authority is told, after a cursor."""
        return await self._feed.entries(after, limit)

    async def newest(self, limit: int) -> dict[str, Any]:
        """The newest of them, and the cursor to go on from."""
        return await self._feed.newest(limit)

    async def inventory(self) -> dict[str, Any]:
        """What is in the zone now by this gate, with S and R, and the zone as configured."""
        found = await self._stock.inventory()
        return {"as_of": self._clock.now().isoformat(), "zone": dict(self._zone), **found}

    async def history(self, days: int) -> dict[str, Any]:
        """S of each storage unit over the last days."""
        now = self._clock.now()
        return await self._stock.history(now - timedelta(days=days), now)

    async def deliveries(self, state: str | None, limit: int) -> dict[str, Any]:
        """How far events were told to the authority, newest first, with its answers."""
        return {"deliveries": await self._feed.deliveries(state, limit)}

    async def tell_again(self, event_id: str, by: str) -> dict[str, Any]:
        """Tell one event once more, by hand: recorded, then due at once. NotFoundError where nothing can be."""
        found = await self._feed.is_told(event_id)
        if not found:
            raise NotFoundError(f"event {event_id!r}: a delivered or parked event of the feed expected"[:160])
        now = self._clock.now()
        record = await self._journal.write(Entry("feed_told_again", now, by, {"event_id": event_id}))
        await self._feed.tell_again(event_id, to_us(now))
        return {"event_id": event_id, "record": record}

    async def correct(self, correction: Correction, by: str) -> dict[str, Any]:
        """Record opening stock or a mistake and tell it, in one transaction."""
        now = self._clock.now()
        event = Event(uuid4(), EventType.HAZMAT_CORRECTED, now, correction.told(by, self._edition))
        facts = {"event_id": str(event.id), **correction.facts()}
        record = await self._journal.write(Entry("hazmat_corrected", now, by, facts, events=(event,)))
        return {"event_id": str(event.id), "record": record}

    async def holds(self) -> dict[str, Any]:
        """Safety holds placed at this site, standing first."""
        return {"holds": [hold.document() for hold in await self._holds.all()]}

    async def place_hold(
        self, target: Mapping[str, str], reason: str, by: str, lanes: Sequence[LaneCommands]
    ) -> dict[str, Any]:
        """Place a hold; a vehicle that it means and that stands in a lane is judged again at once."""
        hold = await self._holds.place(target["type"], target["id"], reason, by)
        return {**hold.document(), "judged_again": await _judge_again(hold, by, lanes, {*WAITING, LaneState.DETAINED})}

    async def lift_hold(self, hold_id: str, reason: str, by: str, lanes: Sequence[LaneCommands]) -> dict[str, Any]:
        """Lift a hold; a vehicle that waits for it is judged again at once."""
        hold = await self._holds.lift(hold_id, reason, by)
        return {**hold.document(), "judged_again": await _judge_again(hold, by, lanes, WAITING)}


async def _judge_again(
    hold: SiteHold, by: str, lanes: Sequence[LaneCommands], states: Collection[LaneState]
) -> list[str]:
    """Lanes whose vehicle was judged again."""
    meant = [lane for lane in lanes if _means(hold, lane.lane)]
    return [lane.lane.settings.id for lane in meant if await lane.judge_again(hold.id, by, states)]


def _means(hold: SiteHold, lane: LaneController) -> bool:
    passage = lane.passage
    if passage is None:
        return False
    if lane.state is LaneState.DECIDING:
        return True  # its slips are being looked up, perhaps just before the hold
    slips = [slip for slip in (passage.case or {}).get("slips", ()) if isinstance(slip, Mapping)]
    return is_touched(hold, passage.scanned, passage.plate, slips)
