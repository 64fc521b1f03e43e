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

from gate_service.domain.errors import SlipTakenError
from gate_service.domain.passage import Passage, Weighed, from_document
from gate_service.domain.reading import DeviceHealth, LaneInputs, Reading, Side
from lanes.approvals import Approvals, was_asked
from lanes.conditions import Situation, true_events
from lanes.curve import follow
from lanes.deciding import REHEARSED_FOR_S, Decider, Judged
from lanes.detectors import look
from lanes.guards import View
from lanes.interlocks import RaiseReason, forbids_raising
from lanes.knowledge import LanePorts
from lanes.lamps import keep_lights
from lanes.motion import LaneMotion
from lanes.orientation import turned_inputs
from lanes.platform import stand_whole, weigh
from lanes.settings import LaneSettings
from lanes.states import LaneCommand, LaneEvent, LaneState, is_guarded, step
from lanes.verification import verification_state
from lanes.waiting_line import queue_length
from lanes.zero_watch import ZeroWatch

log = logging.getLogger(__name__)

TICK_S: Final = 0.1
"""How often a lane looks at its clock when nothing is reported; a stale input is seen within this time."""

REHEARSE_EVERY_S: Final = REHEARSED_FOR_S / 2
"""How often a vehicle that rocks is judged by what is shown: each time before the last opinion has grown old."""

UNSEEN: Final = View()
"""What no guard asks for."""

MOST_STEPS_AT_ONCE: Final = 10
"""A chain of transitions longer than the table has states in a row is a mistake of the table, not of the world."""


class LaneController(LaneMotion):
    """One lane. Implements `LaneSink`; `async with` starts it in FAULT until its devices have answered."""

    def __init__(self, settings: LaneSettings, ports: LanePorts) -> None:
        super().__init__(settings, ports, lambda: self._lost("entry_lost"))
        self.approvals = Approvals(ports.mint_id)
        self.revision = 0
        self._decider = self._make_decider()
        self._deciding: asyncio.Task[None] | None = None
        self._writing: asyncio.Future[int] | None = None  # of the decision on its way to the disk
        self._rehearsed_s = float("-inf")
        self._tasks: set[asyncio.Task[Any]] = set()
        self._lights_wanted = asyncio.Event()
        self._zero = ZeroWatch()
        self._verification: str | None = None
        self._doings: Mapping[LaneCommand, Callable[[], None]] = {
            LaneCommand.DECIDE: self._start_deciding,
            LaneCommand.ADMIT: self.admit,
            LaneCommand.RAISE_TO_RETURN: lambda: self.raise_to_let_go(Side.ENTRY),
            LaneCommand.LOWER_ENTRY_BOOM: lambda: self.lower(Side.ENTRY),
            LaneCommand.LOWER_EXIT_BOOM: lambda: self.lower(Side.EXIT),
            LaneCommand.FORGET_LOWERING: self.forget_lowering,
            LaneCommand.START_WEIGHING: self._start_weighing,
            LaneCommand.TAKE_UP: self._take_up,
            LaneCommand.RECORD_CROSSING: lambda: self.end_passage(has_crossed=True),
            LaneCommand.RECORD_DEPARTURE: lambda: self.end_passage(has_crossed=False),
            LaneCommand.ESCALATE: self._escalate,
        }

    def _make_decider(self) -> Decider:
        ports = self.ports
        return Decider(
            self.settings,
            ports.slips,
            ports.claims,
            ports.clock,
            are_devices_safe=self.are_devices_safe,
            clock_error_s=ports.clock_error_s,
            policy_at=ports.policy_at,
            draws=ports.draws,
            redirect=ports.redirect,
        )

    def turn(self, direction: str) -> None:
        """As `LaneMotion`; vehicles are judged in the new direction."""
        super().turn(direction)
        self._decider = self._make_decider()

    def take_settings(self, settings: LaneSettings) -> None:
        """Work by other settings from now on; for a closed lane with nobody in it. A turned lane stays turned."""
        if self.is_turned:
            settings = replace(settings, direction=self.settings.direction)
        self.drop_reads("lane_reconfigured")
        self.settings = settings
        self._decider = self._make_decider()
        self.update()
        self.changed()

    async def __aenter__(self) -> Self:
        """Take up direction and open passage of the record, the latter for a person to see; then start watching."""
        if self.settings.layout.is_reversible:
            turned = await self.ports.journal.newest("lane_turned", self.settings.id)
            if turned is not None and turned.get("direction") != self.settings.direction:
                self.turn(str(turned["direction"]))
        for document in await self.ports.journal.open_passages():
            if document.get("lane") == self.settings.id:
                self.passage = await self._restored(from_document(document))
                self.photos.restore(self.passage.id, await self.ports.journal.photos(self.passage.id))
                self.is_restored = True
                self.attention = "restart"
        await self.scribe.__aenter__()
        self._spawn(self._tick())
        self._spawn(keep_lights(self, self._lights_wanted))
        return self

    async def _restored(self, passage: Passage) -> Passage:
        """A passage from before the start. Who had asked a second person is told that the request is gone."""
        asked = was_asked(await self.ports.journal.newest("command", self.settings.id), passage)
        return replace(passage, note="restart_asked" if asked else "restart")

    async def __aexit__(self, *exc: object) -> None:
        """Stop watching; nothing moves, nothing queued is lost while the record takes it."""
        tasks = [*self._tasks, *([self._deciding] if self._deciding else [])]
        self._stop_deciding()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await self.booms.aclose()
        await self.scribe.__aexit__(*exc)

    # What the devices report ------------------------------------------------------------------------------------

    def weight_read(self, reading: Reading) -> None:
        """One valid frame, or NO_DATA."""
        deck = self.settings.deck
        if deck is not None:
            self.deck = weigh(self.deck, reading, deck)
            self.frames.seen(reading)
            self.curve = follow(self.curve, reading, zero_band=deck.zero_band, interval=deck.interval)
            self.update()
            self._rehearse_if_due()
            if self.frames.is_due(reading.taken_monotonic_s):
                self.pin_frames()

    def inputs_read(self, inputs: LaneInputs) -> None:
        """One poll of the inputs. After a lost link the driver has turned the lights red: they are shown anew."""
        if self.is_turned:
            inputs = turned_inputs(inputs)
        if inputs.unknown_because is not None:
            self.shown = {}
        if inputs.local_button and not (self.sight.inputs and self.sight.inputs.local_button):
            self.record_button()
        deck, now_s = self.settings.deck, self.clock.monotonic_s()
        is_loaded = deck is not None and self.deck.is_loaded(deck, now_s)
        self.sight = look(self.sight, inputs, is_platform_loaded=is_loaded)
        self.update()

    def health_changed(self, health: DeviceHealth) -> None:
        """A device fell into or came out of a fault: recorded and told."""
        before = self.health.get(health.device)
        self.health[health.device] = health
        if before is not None and before.fault == health.fault:
            return
        if before is None and health.fault is None:
            return
        self.record_health(health)
        self.changed()

    # The automaton ----------------------------------------------------------------------------------------------

    def update(self) -> None:
        """Look at the situation and take every step that is due."""
        now_s = self.clock.monotonic_s()
        situation = self.noted(now_s)
        self.mind_the_post(situation)
        for _ in range(MOST_STEPS_AT_ONCE):
            writing = self._writing
            if not self._step_once(situation):
                break
            if self._writing is not None and self._writing is not writing:
                return  # a decision was just begun: the record first, what else is due comes with the next poll
            situation = self.situation(now_s)
        self.mind_the_booms(now_s)
        self._lights_wanted.set()

    def fire(self, event: LaneEvent, situation: Situation | None = None) -> bool:
        """Give one event to the table; False if no row expects it. `situation`: where the caller has that of now."""
        view = self.view(situation) if is_guarded(self.state, event) else UNSEEN
        outcome = step(self.state, view, event)
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
                self.raise_to_let_go(self.release_side())
            case LaneCommand.OPEN_PASSAGE:
                self.open_passage(event)
            case LaneCommand.RECORD_UNEXPLAINED:
                self.record_unexplained(event)
                self.attention = event.value
            case LaneCommand.NOTE_OBSERVED:
                self.note_observed(event)
                self.attention = event.value
            case _:
                self._doings[command]()

    def _take_up(self) -> None:
        self.is_restored, self.is_vehicle_sure = False, True
        if self.passage is not None:  # it stands where it came: what was decided for it is void
            self.passage = replace(self.passage, disposition=None, disposed_by=None)

    def _start_weighing(self) -> None:
        self.is_restored, self.is_vehicle_sure = False, True
        self.weighing_since_s = self.clock.monotonic_s()
        self.deck = stand_whole(self.deck, is_whole=False, now_s=0.0)
        if self.passage is not None:
            self._decider.look_ahead(self.passage)

    def _rehearse_if_due(self) -> None:
        """While the vehicle rocks: judge it by what is shown, so that little is left to do when it stands still."""
        passage, reading, now_s = self.passage, self.deck.reading, self.clock.monotonic_s()
        if self.state is not LaneState.WEIGHING or passage is None or reading is None or reading.value is None:
            return
        if now_s - self._rehearsed_s >= REHEARSE_EVERY_S:
            self._rehearsed_s = now_s
            self._decider.rehearse(self.with_weight(passage, as_if_settled=True))

    def _escalate(self) -> None:
        self.is_escalated = True

    def _start_deciding(self) -> None:
        if self.passage is None:
            return
        before = self.passage.weighed
        self.passage = passage = self.with_weight(self.passage)
        self._note_settling(before)
        self._stop_deciding()
        judged = self._decider.at_once(passage)
        if judged is not None:
            self._write_decision(passage, judged)
            self.booms.expect_raise(self.release_side())
            return
        self._deciding = asyncio.get_running_loop().create_task(self._decide(passage), name="decide")
        self._deciding.add_done_callback(self._decided)

    def _stop_deciding(self) -> None:
        """Nothing is done any more by the decision under way; what of it is on its way to the disk stands there."""
        self._writing = None
        if self._deciding is not None:
            self._deciding.cancel()
            self._deciding = None

    def _note_settling(self, before: Weighed | None) -> None:
        """A new weight: the frames around it are pinned to the passage as soon as those after it were seen."""
        passage, reading = self.passage, self.deck.reading
        if passage is None or passage.weighed is None or passage.weighed is before or reading is None:
            return
        self.pin_frames()
        self.frames.settled(passage.id, passage.weighed.at, reading.taken_monotonic_s)

    def _decided(self, task: asyncio.Task[None]) -> None:
        error = None if task.cancelled() else task.exception()
        if error is not None:
            self._decision_failed(error)

    def _decision_failed(self, error: BaseException) -> None:
        """A decision that failed through our own fault goes to a person; it is never silence."""
        log.error("lane %s: a decision failed", self.settings.id, exc_info=error)
        self.fire(LaneEvent.PERSON_NEEDED)

    def _lost(self, why: str) -> None:
        """Part of the record is lost: the lane closes and says so."""
        self.fire(LaneEvent.RECORD_LOST)
        self.attention = why

    async def _decide(self, passage: Passage) -> None:
        judged = await self._decider.decide(passage)
        if self._is_current(passage):
            self._write_decision(passage, judged)

    def _write_decision(self, passage: Passage, judged: Judged) -> None:
        self._writing = written = self.scribe.put(judged.entry)
        written.add_done_callback(lambda _: self._decision_written(passage, judged, written))

    def _decision_written(self, passage: Passage, judged: Judged, written: asyncio.Future[int]) -> None:
        """It is on disk, or was refused there. Nothing is done by one that another has taken the place of."""
        if self._writing is not written or written.cancelled():
            return
        self._writing = None
        try:
            if isinstance(written.exception(), SlipTakenError):
                # Another lane of this site took the slip between the look-up and the commit: the rules see it now.
                self._start_deciding()
            elif written.result() and self._is_current(passage):
                self._act_on(judged)
        except Exception as error:  # noqa: BLE001 - root of this callback: logged, and a person is called
            self._decision_failed(error)

    def _act_on(self, judged: Judged) -> None:
        """What is decided and on disk is done."""
        observed, self.passage = self.passage.observed if self.passage else (), judged.passage
        if observed != judged.passage.observed:
            self.passage = replace(judged.passage, observed=observed)
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

    # What pages and routing ask ---------------------------------------------------------------------------------

    @property
    def zero_fault(self) -> str | None:
        """What was last said of the empty platform: `zero_off`, `light_load`, …; None for a good zero."""
        return self._zero.fault

    def queue_length(self) -> int | None:
        """Vehicles that are in or before the lane; None where the detectors do not say."""
        return queue_length(self.sight, self.state, has_passage=self.passage is not None)

    def admitting_waits_for(self) -> str | None:
        """Why the vehicle at the approach is not let on yet; None where none waits or nothing forbids it."""
        if self.state is not LaneState.APPROACH or not self.settings.layout.has_entry_barrier:
            return None
        return forbids_raising(RaiseReason.ADMIT, self.surroundings(self.clock.monotonic_s()))

    # Time -------------------------------------------------------------------------------------------------------

    async def _tick(self) -> None:
        while True:
            await self.clock.sleep(TICK_S)
            self.update()
            self._watch_zero()
            self._watch_verification()
            if self.state is LaneState.FAULT and self.attention == "starting" and self.devices_good_since_s is None:
                self.attention = self.situation(self.clock.monotonic_s()).lost_because()

    def _watch_zero(self) -> None:
        deck, now_s = self.settings.deck, self.clock.monotonic_s()
        if deck is None or not self._zero.look(self.state, self.deck, deck, now_s):
            return
        self.attention = self._zero.fault
        if self._zero.fault == LaneEvent.LIGHT_LOAD:
            self.fire(LaneEvent.LIGHT_LOAD)
        self.health_changed(DeviceHealth(f"{self.settings.id} platform", "platform", self._zero.fault, now_s))

    def _watch_verification(self) -> None:
        """Tell once that the verification of the weighbridge ends soon, and once that it has ended."""
        if self.settings.deck is None:
            return
        found = verification_state(self.settings.verified_until_at, self.clock.now())
        fault = f"verification_{found}" if found in {"ends_soon", "ended"} else None
        if fault != self._verification:
            self._verification = fault
            name = f"{self.settings.id} verification"
            self.health_changed(DeviceHealth(name, "verification", fault, self.clock.monotonic_s()))

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
