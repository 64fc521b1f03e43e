"""Runs one lane: takes what the devices report, asks the table, carries out its commands, in that order, nothing else.

Everything here runs on the event loop; `weight_read`, `inputs_read` and `health_changed` return at once. What must be
on disk first goes through the `Scribe`; booms move only in `_carry_out` and in `lanes.commands`, after their entry.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any, Final, Self
from uuid import UUID

from gate_service.domain.errors import SlipTakenError
from gate_service.domain.events import Event, EventType
from gate_service.domain.passage import Outcome, Passage, Weighed, from_document
from gate_service.domain.reading import Aspect, DeviceHealth, LaneInputs, Reading, Side
from gate_service.domain.record import Entry, LedgerChange
from lanes import told
from lanes.approvals import Approvals
from lanes.booms import Booms
from lanes.closing import close_passage
from lanes.conditions import Situation, true_events
from lanes.deciding import Decider, Judged
from lanes.detectors import forget_crossing, look
from lanes.frames import FrameKeeper
from lanes.interlocks import RaiseReason, forbids_raising
from lanes.knowledge import LaneKnowledge, LanePorts
from lanes.lamps import keep_lights
from lanes.platform import forget_vehicle, stand_whole, weigh
from lanes.scribe import Scribe
from lanes.settings import LaneSettings
from lanes.states import STAYS_PUT, LaneCommand, LaneEvent, LaneState, step
from lanes.zero_watch import ZeroWatch

log = logging.getLogger(__name__)

TICK_S: Final = 0.1
"""How often a lane looks at its clock when nothing is reported; a stale input is seen within this time."""

MOST_STEPS_AT_ONCE: Final = 10
"""A chain of transitions longer than the table has states in a row is a mistake of the table, not of the world."""


class LaneController(LaneKnowledge):
    """One lane. Implements `LaneSink`; `async with` starts it in FAULT until its devices have answered."""

    def __init__(self, settings: LaneSettings, ports: LanePorts) -> None:
        super().__init__(settings, ports)
        self.shown: Mapping[Side, Aspect] = {}
        self.approvals = Approvals(ports.mint_id)
        self.frames = FrameKeeper()
        self.revision = 0
        self.booms = Booms(ports.barriers, self._boom_failed)
        self.scribe = Scribe(ports.journal, ports.clock, lambda: self._lost("entry_lost"))
        self._decider = Decider(
            settings,
            ports.slips,
            ports.claims,
            ports.clock,
            are_devices_safe=self.are_devices_safe,
            clock_error_s=ports.clock_error_s,
            policy_at=ports.policy_at,
            draws=ports.draws,
            redirect=ports.redirect,
        )
        self._deciding: asyncio.Task[None] | None = None
        self._tasks: set[asyncio.Task[Any]] = set()
        self._lights_wanted = asyncio.Event()
        self._zero = ZeroWatch()
        self._doings: Mapping[LaneCommand, Callable[[], None]] = {
            LaneCommand.OPEN_PASSAGE: self._open_passage,
            LaneCommand.DECIDE: self._start_deciding,
            LaneCommand.ADMIT: self._admit,
            LaneCommand.FORGET_LOWERING: self.booms.forget_lowering,
            LaneCommand.START_WEIGHING: self._start_weighing,
            LaneCommand.TAKE_UP: self._take_up,
            LaneCommand.RECORD_CROSSING: lambda: self.end_passage(has_crossed=True),
            LaneCommand.RECORD_DEPARTURE: lambda: self.end_passage(has_crossed=False),
            LaneCommand.ESCALATE: self._escalate,
        }

    async def __aenter__(self) -> Self:
        """Take up an open passage of the record for a person to see, then start watching."""
        for document in await self.ports.journal.open_passages():
            if document.get("lane") == self.settings.id:
                self.passage = replace(from_document(document), note="restart")
                self.is_restored = True
                self.attention = "restart"
        await self.scribe.__aenter__()
        self._spawn(self._tick())
        self._spawn(keep_lights(self, self._lights_wanted))
        return self

    async def __aexit__(self, *exc: object) -> None:
        """Stop watching; nothing moves, nothing queued is lost while the record takes it."""
        tasks = [*self._tasks, *([self._deciding] if self._deciding else [])]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await self.booms.aclose()
        await self.scribe.__aexit__(*exc)

    # What the devices report ------------------------------------------------------------------------------------

    def weight_read(self, reading: Reading) -> None:
        """One valid frame, or NO_DATA."""
        if self.settings.deck is not None:
            self.deck = weigh(self.deck, reading, self.settings.deck)
            self.frames.seen(reading)
            self.update()
            if self.frames.is_due(reading.taken_monotonic_s):
                self._pin_frames()

    def inputs_read(self, inputs: LaneInputs) -> None:
        """One poll of the inputs. After a lost link the driver has turned the lights red: they are shown anew."""
        if inputs.unknown_because is not None:
            self.shown = {}
        if inputs.local_button and not (self.sight.inputs and self.sight.inputs.local_button):
            self.put("local_button", told.button_used(self.state.value, self.boom_positions()))
        self.sight = look(self.sight, inputs)
        self.update()

    def health_changed(self, health: DeviceHealth) -> None:
        """A device fell into or came out of a fault: recorded and told."""
        before = self.health.get(health.device)
        self.health[health.device] = health
        if before is not None and before.fault == health.fault:
            return
        if before is None and health.fault is None:
            return
        self.scribe.put(told.device_entry(health, self.settings.id, self.clock.now(), self.mint_id()))
        self.changed()

    # The automaton ----------------------------------------------------------------------------------------------

    def update(self) -> None:
        """Look at the situation and take every step that is due."""
        now_s = self.clock.monotonic_s()
        situation = self.noted(now_s)
        for _ in range(MOST_STEPS_AT_ONCE):
            if not self._step_once(situation):
                break
            situation = self.situation(now_s)
        self._mind_the_booms(now_s)
        self._lights_wanted.set()

    def fire(self, event: LaneEvent, situation: Situation | None = None) -> bool:
        """Give one event to the table; False if no row expects it. `situation`: where the caller has that of now."""
        outcome = step(self.state, self.view(situation), event)
        if not outcome.handled:
            return False
        if outcome.to is not self.state:
            self.state = outcome.to
            self.since_at, self.state_since_s = self.clock.now(), self.clock.monotonic_s()
            self.is_escalated = False
            if event is LaneEvent.RELEASE_BOOM_UP and self.passage is not None:
                self.passage = replace(self.passage, boom_up_at=self.since_at)
            self.attention = self.why(event, outcome.to)
            is_tampered = any(health.is_tampered for health in self.health.values())  # then a person re-arms the lane
            self.is_fault_of_devices = event is LaneEvent.DEVICE_LOST and not is_tampered
        for command in outcome.commands:
            self._carry_out(command, event)
        self.changed()
        return True

    def _step_once(self, situation: Situation) -> bool:
        before = self.state
        for event in true_events(situation):
            if event in STAYS_PUT.get(before, ()):
                continue
            passage = self.passage
            if self.fire(event, situation) and (self.state is not before or self.passage is not passage):
                return True
        if self.state is LaneState.IDLE and self.is_closing_asked:
            self.is_closing_asked = False
            return self.fire(LaneEvent.CLOSE_ASKED)
        return False

    # Commands of the table --------------------------------------------------------------------------------------

    def _carry_out(self, command: LaneCommand, event: LaneEvent) -> None:
        match command:
            case LaneCommand.RAISE_RELEASE_BOOM | LaneCommand.RAISE_TO_DIVERT:
                self.sight = forget_crossing(self.sight)
                self.booms.raise_boom(self.release_side())
            case LaneCommand.RAISE_TO_RETURN:
                self.sight = forget_crossing(self.sight)
                self.booms.raise_boom(Side.ENTRY)
            case LaneCommand.LOWER_ENTRY_BOOM:
                self.booms.intend_lowering(Side.ENTRY)
            case LaneCommand.LOWER_EXIT_BOOM:
                self.booms.intend_lowering(Side.EXIT)
            case LaneCommand.RECORD_UNEXPLAINED:
                self._record_unexplained(event)
            case _:
                self._doings[command]()

    def emergency_raise(self, side: Side) -> None:
        """Raise at once for an emergency vehicle, after its entry is on disk; a person re-arms the lane afterwards.

        The boom is held open meanwhile where its barrier takes that: a convoy is longer than the controller's patience.
        """
        self.booms.raise_boom(side, is_held=True)
        self.fire(LaneEvent.EMERGENCY_RAISED)
        self.update()

    def mint_id(self) -> UUID:
        """An id for what has none of its own: a passage, a fact without a passage."""
        return self.ports.mint_id()

    def _open_passage(self) -> None:
        now = self.clock.now()
        self.passage_since_s = self.clock.monotonic_s()
        self.weighing_since_s = None
        self.sight = forget_crossing(self.sight)
        self.passage = Passage(
            id=str(self.mint_id()), lane=self.settings.id, direction=self.settings.direction, opened_at=now,
            state=LaneState.APPROACH.value,
        )  # fmt: skip
        self.put("passage_opened", {}, events=(told.arrived(self.passage, now),))

    def _admit(self) -> None:
        passage = self.passage
        if passage is None:
            return
        on_disk = self.put("boom_raise", {"side": Side.ENTRY.value, "reason": RaiseReason.ADMIT.value})

        def admit(done: asyncio.Future[int]) -> None:
            still = self.state is LaneState.ADMITTING and self.passage is not None and self.passage.id == passage.id
            if not still or done.cancelled() or done.exception() is not None:
                return
            if forbids_raising(RaiseReason.ADMIT, self.surroundings(self.clock.monotonic_s())) is None:
                self.booms.raise_boom(Side.ENTRY)
            else:
                self.fire(LaneEvent.ADMITTANCE_LOST)

        on_disk.add_done_callback(admit)

    def _take_up(self) -> None:
        self.is_restored = False
        if self.passage is not None:  # it stands where it came: what was decided for it is void
            self.passage = replace(self.passage, disposition=None, disposed_by=None)

    def _start_weighing(self) -> None:
        self.is_restored = False
        self.weighing_since_s = self.clock.monotonic_s()
        self.deck = stand_whole(self.deck, is_whole=False, now_s=0.0)
        if self.passage is not None:
            self._decider.look_ahead(self.passage)

    def _escalate(self) -> None:
        self.is_escalated = True

    def _start_deciding(self) -> None:
        if self.passage is None:
            return
        before = self.passage.weighed
        self.passage = replace(self.with_weight(self.passage), state=self.state.value)
        self._note_settling(before)
        if self._deciding is not None and self._deciding is not asyncio.current_task():
            self._deciding.cancel()
        self._deciding = asyncio.get_running_loop().create_task(self._decide(self.passage), name="decide")
        self._deciding.add_done_callback(self._decided)

    def _note_settling(self, before: Weighed | None) -> None:
        """A new weight: the frames around it are pinned to the passage as soon as those after it were seen."""
        passage, reading = self.passage, self.deck.reading
        if passage is None or passage.weighed is None or passage.weighed is before or reading is None:
            return
        self._pin_frames()
        self.frames.settled(passage.id, passage.weighed.at, reading.taken_monotonic_s)

    def _pin_frames(self) -> None:
        """Record the frames around the last settling; on the way of no decision."""
        pinned = self.frames.take()
        if pinned is not None:
            lane, now = self.settings.id, self.clock.now()
            self.scribe.put(Entry("weighing_frames", now, "service", pinned.facts, lane, pinned.passage_id))

    def _decided(self, task: asyncio.Task[None]) -> None:
        """A decision that failed through our own fault goes to a person; it is never silence."""
        error = None if task.cancelled() else task.exception()
        if error is not None:
            log.error("lane %s: a decision failed", self.settings.id, exc_info=error)
            self.fire(LaneEvent.PERSON_NEEDED)

    def _lost(self, why: str) -> None:
        """Part of the record is lost: the lane closes and says so."""
        self.fire(LaneEvent.RECORD_LOST)
        self.attention = why

    async def _decide(self, passage: Passage) -> None:
        judged: Judged = await self._decider.decide(passage)
        if not self._is_current(passage):
            return
        try:
            await self.scribe.put(judged.entry)
        except SlipTakenError:
            # Another lane of this site took the slip between the look-up and the commit: the rules see it now.
            self._start_deciding()
            return
        if not self._is_current(passage):
            return
        self.passage = judged.passage
        verdict = judged.passage.verdict
        forbidden = forbids_raising(RaiseReason.RELEASE, self.surroundings(self.clock.monotonic_s()))
        if verdict == "release" and forbidden is None and not self.is_restored:  # after a restart a person finishes
            self.fire(LaneEvent.RELEASE_DECIDED)
            return  # the boom first; everything else that is due comes with the next poll
        if verdict == "detain":
            self.fire(LaneEvent.DETAIN_DECIDED)
        else:
            self.fire(LaneEvent.PERSON_NEEDED)
        self.update()

    def _is_current(self, passage: Passage) -> bool:
        now = self.passage
        return now is not None and now.id == passage.id and now.facts_version == passage.facts_version

    def end_passage(self, *, has_crossed: bool) -> None:
        """Close the passage: ledgers, events and the last document in one entry."""
        if self.passage is None:
            return
        closed, ledger, events = close_passage(
            self.passage, self.settings, has_crossed=has_crossed, now=self.clock.now()
        )
        self.passage = closed
        self._pin_frames()
        self.put("crossing" if has_crossed else "departure", {"outcome": closed.outcome}, ledger=ledger, events=events)
        if closed.outcome is not Outcome.CROSSED:
            self.ports.claims.give_back(closed.id)
        self.passage, self.is_restored, self.weighing_since_s = None, False, None
        self.sight = forget_crossing(self.sight)
        self.deck = forget_vehicle(self.deck)

    def _record_unexplained(self, event: LaneEvent) -> None:
        now = self.clock.now()
        data = told.unexplained(self.settings.id, event.value, self.passage, self.boom_positions())
        self.sight = forget_crossing(self.sight)  # told once: else the lane would fall into its fault for ever
        self.put("motion_unexplained", data, events=(Event(self.mint_id(), EventType.MOTION_UNEXPLAINED, now, data),))

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

    # Booms, lights, time ----------------------------------------------------------------------------------------

    def _mind_the_booms(self, now_s: float) -> None:
        surroundings = self.surroundings(now_s)

        def forbids(side: Side) -> str | None:
            return self.ports.lowering_rule(side, surroundings)

        for side in self.booms.stop_if_forbidden(forbids):
            self.booms.raise_boom(side)  # reopen: goes first, is recorded after (RULES 8)
            self.put("boom_raise", {"side": side.value, "reason": RaiseReason.REOPEN.value})
            self.booms.intend_lowering(side)
        self.booms.lower_where_allowed(self.boom_positions(), forbids)

    def _boom_failed(self, side: Side, message: str) -> None:
        self.put("boom_failed", {"side": side.value, "message": message})
        self.fire(LaneEvent.BOOM_FAILED)

    async def _tick(self) -> None:
        while True:
            await self.clock.sleep(TICK_S)
            self.update()
            self._watch_zero()
            if self.state is LaneState.FAULT and self.attention == "starting" and self.devices_good_since_s is None:
                self.attention = self.situation(self.clock.monotonic_s()).lost_because()

    def _watch_zero(self) -> None:
        deck, now_s = self.settings.deck, self.clock.monotonic_s()
        if deck is None or not self._zero.look(self.state, self.deck, deck, now_s):
            return
        self.attention = self._zero.fault
        self.health_changed(DeviceHealth(f"{self.settings.id} platform", "platform", self._zero.fault, now_s))

    def changed(self) -> None:
        """Tell whoever shows this lane that it looks different."""
        self.revision += 1
        self.ports.on_changed(self.settings.id)

    def _spawn(self, work: Any) -> None:
        task: asyncio.Task[Any] = asyncio.get_running_loop().create_task(work)
        task.add_done_callback(self._ended)
        self._tasks.add(task)

    def _ended(self, task: asyncio.Task[Any]) -> None:
        """A task of the lane that ended through our own fault closes the lane: it is never silence."""
        error = None if task.cancelled() else task.exception()
        if error is not None:
            log.error("lane %s: a task failed", self.settings.id, exc_info=error)
            self._lost("service_fault")
