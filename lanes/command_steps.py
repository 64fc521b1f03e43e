"""Steps of every command of a person: is it expected, do the interlocks allow it, is it on disk, is it still so."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any, Final

from gate_service.domain.commands import Actor
from gate_service.domain.errors import (
    CommandRefusedError,
    InterlockError,
    LedgerRefusedError,
    NotPermittedError,
    PassageChangedError,
    RecordError,
)
from gate_service.domain.events import Event
from gate_service.domain.passage import Passage
from gate_service.domain.record import LedgerChange
from lanes.controller import LaneController
from lanes.interlocks import RaiseReason, forbids_raising
from lanes.states import LaneEvent, step

RECORD_WITHIN_S: Final = 5.0
"""How long a person waits for the record. The entry stays queued; it then says what was asked, and nothing was done."""


class CommandSteps:
    """One lane and the steps of its commands. Each raises CommandRefusedError with the reason, or RecordError."""

    def __init__(self, lane: LaneController) -> None:
        self._lane = lane

    @property
    def lane(self) -> LaneController:
        """The lane."""
        return self._lane

    def _check_expected(self, event: LaneEvent) -> None:
        lane = self._lane
        if not step(lane.state, lane.view(), event).handled:
            raise CommandRefusedError(f"lane {lane.settings.id}: not possible in state {lane.state}")

    def _check_interlock(self, reason: RaiseReason) -> None:
        lane = self._lane
        forbidden = forbids_raising(reason, lane.surroundings(lane.clock.monotonic_s()))
        if forbidden is not None:
            raise InterlockError(f"boom is not raised for {reason.value}: {forbidden}")

    async def _record(
        self,
        facts: Mapping[str, Any],
        actor: Actor,
        passage: Passage | None,
        *,
        events: tuple[Event, ...] = (),
        ledger: tuple[LedgerChange, ...] = (),
        kind: str = "command",
    ) -> None:
        entry = self._lane.put_about(passage, kind, facts, actor=actor.label, events=events, ledger=ledger)
        try:
            async with asyncio.timeout(RECORD_WITHIN_S):  # wait_for loses a cancellation in Python 3.11
                await asyncio.shield(entry)
        except TimeoutError:
            raise RecordError(
                f"the record did not take the command within {RECORD_WITHIN_S:g} s; nothing was done"
            ) from None
        except LedgerRefusedError as error:
            raise NotPermittedError(str(error)) from error  # nothing releases a used slip (RULES 7)

    def _still(self, passage: Passage) -> None:
        now = self._lane.passage
        if now is None or (now.id, now.facts_version) != (passage.id, passage.facts_version):
            raise PassageChangedError(
                "the vehicle or its facts changed while the command was recorded; nothing was done"
            )

    def _fire(self, event: LaneEvent) -> None:
        if not self._lane.fire(event):
            raise CommandRefusedError("the lane changed while the command was recorded; nothing was done")
        self._lane.update()
