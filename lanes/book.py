"""What a lane writes into the record about itself and its vehicle, in order through its `Scribe`. Moves nothing."""

from __future__ import annotations

import asyncio
from abc import abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any, Final
from uuid import UUID

from gate_service.domain.events import Event, EventType
from gate_service.domain.passage import Outcome, Passage
from gate_service.domain.reading import DeviceHealth
from gate_service.domain.record import Entry, LedgerChange
from lanes import told
from lanes.closing import close_passage
from lanes.curve import Curve
from lanes.detectors import Followed, forget_crossing, let_on, take_up
from lanes.frames import FrameKeeper
from lanes.knowledge import LaneKnowledge, LanePorts
from lanes.pair import Seen
from lanes.platform import forget_vehicle
from lanes.scribe import Scribe
from lanes.settings import LaneSettings
from lanes.states import LaneEvent, LaneState

BY_HAND_S: Final = 10.0
"""A boom that moves within this time of the local button was moved with it: the longest travel and a second look."""

TAKES_UP: Final[Mapping[LaneEvent, Seen | Followed]] = {
    LaneEvent.FOLLOWED_IN: Followed.IN,
    LaneEvent.TAILGATED: Followed.OUT,
    LaneEvent.WRONG_WAY: Seen.WRONG_WAY,
}


class LaneBook(LaneKnowledge):
    """A lane that can write. `on_lost` is called when an entry could not be written through our own fault."""

    def __init__(self, settings: LaneSettings, ports: LanePorts, on_lost: Callable[[], None]) -> None:
        super().__init__(settings, ports)
        self.scribe = Scribe(ports.journal, ports.clock, on_lost)
        self.frames = FrameKeeper()
        self._button_s = float("-inf")

    @abstractmethod
    def changed(self) -> None:
        """Tell whoever shows this lane that it looks different."""

    def mint_id(self) -> UUID:
        """An id for what has none of its own: a passage, a fact without a passage."""
        return self.ports.mint_id()

    def put(
        self,
        kind: str,
        facts: Mapping[str, Any],
        *,
        actor: str = "service",
        ledger: tuple[LedgerChange, ...] = (),
        events: tuple[Event, ...] = (),
    ) -> asyncio.Future[int]:
        """Queue one entry about this lane and its passage as they are now."""
        return self.put_about(self.passage, kind, facts, actor=actor, ledger=ledger, events=events)

    def put_about(
        self,
        passage: Passage | None,
        kind: str,
        facts: Mapping[str, Any],
        *,
        actor: str = "service",
        ledger: tuple[LedgerChange, ...] = (),
        events: tuple[Event, ...] = (),
    ) -> asyncio.Future[int]:
        """Queue one entry about a passage as it will be once the entry is on disk."""
        if passage is not None:
            passage = replace(passage, state=self.state.value)
        return self.scribe.put(
            Entry(
                kind, self.clock.now(), actor, facts, self.settings.id, passage.id if passage else None,
                passage.document() if passage else None, ledger, events,
            )
        )  # fmt: skip

    def open_passage(self) -> None:
        """A vehicle has come: its passage begins."""
        now = self.clock.now()
        self.passage_since_s = self.clock.monotonic_s()
        self.weighing_since_s = None
        self.is_vehicle_sure = True
        self.sight = let_on(self.sight)
        self.passage = Passage(
            id=str(self.mint_id()), lane=self.settings.id, direction=self.settings.direction, opened_at=now,
            state=LaneState.APPROACH.value,
        )  # fmt: skip
        self.put("passage_opened", {}, events=(told.arrived(self.passage, now),))

    def end_passage(self, *, has_crossed: bool) -> None:
        """Close the passage: ledgers, events and the last document in one entry."""
        if self.passage is None:
            return
        closed, ledger, events = close_passage(
            self.passage, self.settings, has_crossed=has_crossed, now=self.clock.now()
        )
        self.passage = closed
        self.pin_frames()
        self.put("crossing" if has_crossed else "departure", {"outcome": closed.outcome}, ledger=ledger, events=events)
        if closed.outcome is not Outcome.CROSSED:
            self.ports.claims.give_back(closed.id)
        self.passage, self.is_restored, self.weighing_since_s = None, False, None
        self.sight = forget_crossing(self.sight)
        self.deck, self.curve = forget_vehicle(self.deck), Curve()

    def pin_frames(self) -> None:
        """Record the frames around the last settling; on the way of no decision."""
        pinned = self.frames.take()
        if pinned is not None:
            lane, now = self.settings.id, self.clock.now()
            self.scribe.put(Entry("weighing_frames", now, "service", pinned.facts, lane, pinned.passage_id))

    def record_button(self) -> None:
        """Somebody in sight of a boom uses its button: on the way to disk before what it moves is seen."""
        self._button_s = self.clock.monotonic_s()
        self.put("local_button", told.button_used(self.state.value, self.boom_positions()))

    def record_unexplained(self, event: LaneEvent) -> None:
        """One line for the ledger of unexplained motion, told once."""
        now = self.clock.now()
        is_by_hand = self.clock.monotonic_s() - self._button_s <= BY_HAND_S
        data = told.unexplained(
            self.settings.id, event.value, self.passage, self.boom_positions(), is_by_hand=is_by_hand
        )
        if event in TAKES_UP:
            self.sight = take_up(self.sight, TAKES_UP[event])
        else:
            self.sight = forget_crossing(self.sight)  # else the lane would fall into its fault for ever
        self.put("motion_unexplained", data, events=(Event(self.mint_id(), EventType.MOTION_UNEXPLAINED, now, data),))

    def note_observed(self, event: LaneEvent) -> None:
        """Keep with the passage what its vehicle was seen to be or do."""
        if self.passage is not None and event.value not in self.passage.observed:
            self.passage = replace(self.passage, observed=(*self.passage.observed, event.value))
            self.put("observed", {"what": event.value})

    def record_health(self, health: DeviceHealth) -> None:
        """A device fell into or came out of a fault."""
        self.scribe.put(told.device_entry(health, self.settings.id, self.clock.now(), self.mint_id()))
