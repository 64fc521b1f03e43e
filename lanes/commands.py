"""What a person or a reader asks of a lane: checked against passage, facts, rights and interlocks, recorded, then done.

Nothing here decides whether a role may use an address (that is the web's table); it decides what the facts allow.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import replace
from typing import Any, Final

from gate_service.domain.commands import Actor, Command, CommandRequest, PlateRead
from gate_service.domain.errors import (
    CommandRefusedError,
    PassageChangedError,
)
from gate_service.domain.events import Event, EventType
from gate_service.domain.passage import Disposition, Passage
from gate_service.domain.record import LedgerChange
from lanes import told
from lanes.approvals import WAITS_FOR
from lanes.closing import INSPECTED_INSIDE, goes_through
from lanes.command_steps import CommandSteps
from lanes.controller import LaneController
from lanes.deciding import reservations
from lanes.interlocks import RaiseReason
from lanes.lane_work import LaneWork
from lanes.reads import Read, Whose, learned, plate_decided, plate_facts, scan_facts
from lanes.request_fields import facts_of, resolved_facts
from lanes.rights import Right, right_to_release
from lanes.states import LaneEvent, LaneState
from lanes.ways import asked_way, raises

TOLD_AS: Final[Mapping[Command, EventType]] = {
    Command.RESOLVE: EventType.PASSAGE_RESOLVED,
    Command.HOLD: EventType.PASSAGE_HELD,
    Command.INSPECT: EventType.PASSAGE_HELD,
    Command.REFUSE: EventType.PASSAGE_REFUSED,
    Command.TURN_BACK: EventType.PASSAGE_REFUSED,
}


class LaneCommands(CommandSteps):
    """Carries out requests on one lane, one at a time."""

    def __init__(self, lane: LaneController) -> None:
        super().__init__(lane)
        self._work = LaneWork(lane)

    async def carry_out(self, request: CommandRequest, actor: Actor) -> dict[str, Any]:
        """Do what was asked or raise CommandRefusedError with the reason; the answer names what was done."""
        passage = self._checked_passage(request)
        match request.command:
            case Command.RESOLVE:
                return await self._resolve(request, actor, passage)
            case Command.RAISE_BOOM | Command.LOWER_BOOM | Command.EMERGENCY_RAISE:
                return await self._work.on_boom(request, actor)
            case Command.OPEN_LANE | Command.CLOSE_LANE | Command.CLEAR_FAULT:
                return await self._work.on_lane(request, actor)
            case Command.ZERO:
                return await self._work.zero(request, actor)
            case Command.TURN_LANE:
                return await self._work.turn(request, actor)
            case Command.RECONFIGURE_LANE:
                return await self._work.reconfigure(request, actor)
            case _:
                return await self._dispose(request, actor, passage)

    # On the vehicle ---------------------------------------------------------------------------------------------

    def _checked_passage(self, request: CommandRequest) -> Passage | None:
        passage = self._lane.passage
        if not request.command.acts_on_vehicle:
            return passage
        if passage is None:
            raise PassageChangedError(f"lane {self._lane.settings.id}: no vehicle is in the lane now")
        if request.passage_id != passage.id:
            raise PassageChangedError(
                f"lane {self._lane.settings.id}: passage {passage.id} is in the lane now, the command names "
                f"{request.passage_id}"
            )
        if request.facts_version != passage.facts_version:
            raise PassageChangedError(
                f"passage {passage.id}: facts are at version {passage.facts_version}, the command was given on "
                f"version {request.facts_version}"
            )
        return passage

    async def approve(self, command_id: str, actor: Actor, approved_with: str = "session") -> dict[str, Any]:
        """A second person approves a waiting command: it is carried out for the one who asked, both recorded.

        `approved_with` says how they proved who they are: session, password, or code.
        """
        lane = self._lane
        pending = lane.approvals.approve(command_id, actor, lane.passage, lane.clock.monotonic_s())
        return await self._dispose(
            pending.request, pending.asked_by, lane.passage, approved_by=actor, approved_with=approved_with
        )

    def request_number(self, command_id: str) -> str | None:
        """The number that a one-time code for this waiting command is made for; None where it does not wait."""
        pending = self._lane.approvals.waiting(self._lane.passage, self._lane.clock.monotonic_s())
        return pending.number if pending is not None and pending.id == command_id else None

    async def _ask_second(self, request: CommandRequest, actor: Actor, passage: Passage) -> dict[str, Any]:
        lane = self._lane
        await self._record({**facts_of(request), "waits_for": WAITS_FOR, "passage_id": passage.id}, actor, passage)
        self._still(passage)
        pending = lane.approvals.ask(request, actor, passage, lane.clock.monotonic_s())
        lane.changed()
        return {"pending": pending.shown(lane.clock.monotonic_s())}

    async def _dispose(
        self,
        request: CommandRequest,
        actor: Actor,
        passage: Passage | None,
        *,
        approved_by: Actor | None = None,
        approved_with: str | None = None,
    ) -> dict[str, Any]:
        if passage is None:
            raise PassageChangedError("no vehicle is in the lane now")
        event, reason, disposition = self._way(request)
        right = self._right(passage, actor) if self._lets_on(request, disposition, passage) else Right()
        self._check_expected(event)
        if reason is not None and not raises(self._lane, event):
            reason = None  # no boom stands in its way: nothing to prove before it goes
        if reason is not None:
            self._check_interlock(reason)
        if right.needs_second and approved_by is None:
            return await self._ask_second(request, actor, passage)
        disposed = passage  # taking over (hold, reweigh) decides no way out: who let it go before stays named
        if disposition is not None:
            disposed = replace(passage, disposition=disposition, disposed_by=actor.label)
        facts = {**facts_of(request), "raise": None if reason is None else reason.value, **right.facts()}
        if approved_by is not None:
            facts |= {"approved_by": approved_by.label, "approved_with": approved_with}
        events, ledger = self._told(request, disposed, actor)
        counted = right.ledger(passage.id, self._lane.ports.duty.shift())
        await self._record(facts, actor, disposed, events=events, ledger=(*ledger, *counted))
        if right.reasons:
            regime_id = None if right.regime is None else right.regime.id
            self._lane.ports.duty.released(right.reasons, regime_id)
        self._still(passage)
        self._lane.passage = disposed
        self._fire(event)
        return {"done": request.command.value, "disposition": disposed.disposition}

    def _way(self, request: CommandRequest) -> tuple[LaneEvent, RaiseReason | None, Disposition | None]:
        match request.command:
            case Command.RELEASE:
                return LaneEvent.RELEASE_ASKED, RaiseReason.RELEASE, Disposition.RELEASE
            case Command.HOLD:
                return LaneEvent.HOLD_ASKED, None, None
            case Command.REWEIGH:
                return LaneEvent.REWEIGH_ASKED, None, None
        way = asked_way(request.command, request.fields, self._lane.settings)
        return way.event, way.reason, way.disposition

    def _lets_on(self, request: CommandRequest, disposition: Disposition | None, passage: Passage) -> bool:
        """Whether this is milder than the verdict may be: a release, or an inspection inside of what is refused."""
        if request.command is Command.RELEASE:
            return True
        inside = disposition in INSPECTED_INSIDE and self._lane.settings.direction == "inbound"
        return inside and passage.verdict in {"refuse", "detain"}

    def _right(self, passage: Passage, actor: Actor) -> Right:
        """Milder than the verdict is an override: who may is policy per reason, with firm minimums (RULES 7)."""
        lane = self._lane
        return right_to_release(passage, actor, lane.ground())

    def _told(
        self, request: CommandRequest, passage: Passage, actor: Actor
    ) -> tuple[tuple[Event, ...], tuple[LedgerChange, ...]]:
        now = self._lane.clock.now()
        if request.command is not Command.RELEASE:
            kind = TOLD_AS.get(request.command)
            events = () if kind is None else (told.acted(passage, kind, now, actor.label, request.reason_code),)
            if request.command is not Command.INSPECT:
                return events, ()
            # Sent to the yard inside, the goods pass the gate: their slips are taken as with a release (RULES 2).
            passes = passage.disposition in INSPECTED_INSIDE and goes_through(passage, self._lane.settings)
            ordered, order = told.inspection_ordered(passage, now, actor.label)
            return (*events, ordered), (*(reservations(passage) if passes else ()), order)
        released = told.acted(passage, EventType.PASSAGE_RELEASED, now, actor.label, request.reason_code)
        if passage.verdict == "release":
            return (released,), reservations(passage)
        overridden = told.acted(passage, EventType.PASSAGE_OVERRIDDEN, now, actor.label, request.reason_code)
        return (overridden, released), reservations(passage)

    async def _resolve(self, request: CommandRequest, actor: Actor, passage: Passage | None) -> dict[str, Any]:
        if passage is None:
            raise PassageChangedError("no vehicle is in the lane now")
        if "crossed" in request.fields:
            event = LaneEvent.CROSSING_ATTESTED if request.fields["crossed"] else LaneEvent.DEPARTURE_ATTESTED
            self._check_expected(event)
            await self._record(facts_of(request), actor, passage)
            self._still(passage)
            self._fire(event)
            return {"done": "resolve"}
        facts = resolved_facts(request.fields)
        if "plate" in facts:
            facts |= plate_decided(passage, facts["plate"])
        resolved = passage.with_facts(**facts)
        now = self._lane.clock.now()
        told_as = told.acted(resolved, EventType.PASSAGE_RESOLVED, now, actor.label, request.reason_code)
        await self._record(facts_of(request), actor, resolved, events=(told_as,))
        self._still(passage)
        self._lane.passage = resolved
        self._lane.is_restored = False  # a person has taken the vehicle up
        self._fire(LaneEvent.FACTS_CHANGED)
        return {"done": "resolve", "facts_version": resolved.facts_version}

    async def judge_again(self, cause: str, by: str, states: Collection[LaneState]) -> bool:
        """Judge the vehicle anew because what is known of it changed (a hold); only while the lane is in `states`."""
        passage = self._lane.passage
        if passage is None or self._lane.state not in states:
            return False
        newer = passage.with_facts()
        facts = {"cause": cause, "facts_version": newer.facts_version}
        await self._lane.put_about(newer, "judged_again", facts, actor=by)
        if self._lane.passage is not passage or self._lane.state not in states:
            return False
        self._lane.passage = newer
        self._fire(LaneEvent.FACTS_CHANGED)
        return True

    # Readers ----------------------------------------------------------------------------------------------------

    async def scan(self, code: str, actor: Actor, read_id: str | None = None) -> dict[str, Any]:
        """A slip was scanned. The same code again for the same vehicle changes nothing."""
        return self._take(Read(scan_facts(code), read_id, self._lane.clock.now(), actor.label))

    async def plate(self, read: PlateRead, actor: Actor) -> dict[str, Any]:
        """A camera looked at a vehicle."""
        return self._take(Read(plate_facts(read), read.read_id, self._lane.clock.now(), actor.label))

    def _take(self, read: Read) -> dict[str, Any]:
        """Give a read to the vehicle that it is of; a repeat under the same `read_id` is answered as before."""
        lane = self._lane
        before = lane.answered(read)
        if before is not None:
            return before
        owner = lane.whose_read(read)
        if owner is Whose.NEXT:
            return lane.keep_for_next(read)
        passage = self._vehicle()
        if owner is Whose.UNSURE:
            return lane.ask_whose(read)
        newer = learned(passage, read.facts)
        if newer is not passage:
            self._learn(newer, read)
        return lane.answer(read, {"passage_id": newer.id, "facts_version": newer.facts_version})

    def _vehicle(self) -> Passage:
        passage = self._lane.passage
        if passage is None or passage.disposition is not None:
            raise CommandRefusedError(f"lane {self._lane.settings.id}: no vehicle waits to be identified")
        return passage

    def _learn(self, passage: Passage, read: Read) -> None:
        """Facts count from the moment they are seen; their entry goes into the lane's queue before any decision's."""
        self._lane.passage = passage
        self._lane.put("identified", read.facts, actor=read.by)
        self._lane.fire(LaneEvent.FACTS_CHANGED)
        self._lane.update()
