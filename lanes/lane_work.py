"""What a person asks of a lane and its booms, not of a vehicle: open, close, re-arm, move a boom, emergencies."""

from __future__ import annotations

import asyncio
from dataclasses import fields, replace
from typing import Any, Final

from gate_service.domain.commands import Actor, Command, CommandRequest
from gate_service.domain.errors import CommandRefusedError, InterlockError, PassageChangedError
from gate_service.domain.events import Event, EventType
from gate_service.domain.reading import Side
from lanes.command_steps import CommandSteps
from lanes.interlocks import RaiseReason, forbids_zeroing
from lanes.request_fields import facts_of, read_direction, read_hold_s, read_side
from lanes.settings import LaneSettings
from lanes.states import LaneEvent, LaneState, step

LANE_EVENTS: Final = {
    Command.OPEN_LANE: LaneEvent.OPEN_ASKED,
    Command.CLOSE_LANE: LaneEvent.CLOSE_ASKED,
    Command.CLEAR_FAULT: LaneEvent.CLEAR_ASKED,
}
TOLD_AS: Final = {Command.OPEN_LANE: EventType.LANE_OPENED, Command.CLOSE_LANE: EventType.LANE_CLOSED}

EMERGENCY_KIND: Final = "emergency_raise"
"""Its own kind in the record: each is reviewed later by somebody else (RULES 8)."""


class LaneWork(CommandSteps):
    """Commands on one lane and its booms."""

    async def on_lane(self, request: CommandRequest, actor: Actor) -> dict[str, Any]:
        """Open, close (after the present vehicle), or re-arm after a fault or fire."""
        lane = self._lane
        event = LANE_EVENTS[request.command]
        later = request.command is Command.CLOSE_LANE and not step(lane.state, lane.view(), event).handled
        if not later:
            self._check_expected(event)
        now = lane.clock.now()
        data = {"lane": lane.settings.id, "by": actor.label, "reason_code": request.reason_code}
        kind = TOLD_AS.get(request.command)
        events = () if kind is None else (Event(lane.mint_id(), kind, now, data),)
        await self._record(facts_of(request), actor, lane.passage, events=events)
        if later:
            lane.is_closing_asked = True
            return {"done": "close_lane", "when": "after this vehicle"}
        self._fire(event)
        return {"done": request.command.value}

    async def zero(self, request: CommandRequest, actor: Actor) -> dict[str, Any]:
        """Zero the indicator of an empty platform: recorded with what it showed, then sent once."""
        lane = self._lane
        if lane.ports.zero is None:
            raise CommandRefusedError(f"lane {lane.settings.id}: its indicator is not zeroed from here")
        forbidden = forbids_zeroing(lane.surroundings(lane.clock.monotonic_s()))
        if forbidden is not None:
            raise InterlockError(f"the indicator is not zeroed: {forbidden}")
        reading = lane.deck.reading
        shown = {"displayed": None if reading is None else reading.displayed}
        await self._record({**facts_of(request), **shown}, actor, None)
        if forbids_zeroing(lane.surroundings(lane.clock.monotonic_s())) is not None:
            raise PassageChangedError("the lane changed while the command was recorded; nothing was done")
        await lane.ports.zero()
        return {"done": "zero", **shown}

    async def turn(self, request: CommandRequest, actor: Actor) -> dict[str, Any]:
        """Turn a reversible lane to the direction named. Looked at twice: when asked, and once it is on disk."""
        lane, direction = self._lane, read_direction(request.fields)
        if not lane.settings.layout.is_reversible:
            raise CommandRefusedError(f"lane {lane.settings.id}: not a reversible lane")
        if lane.settings.direction == direction:
            return {"done": "turn_lane", "direction": direction}
        self._check_turning()
        await self._record({**facts_of(request), "direction": direction}, actor, None)
        self._check_turning()
        lane.turn(direction)
        lane.put("lane_turned", {"direction": direction}, actor=actor.label)
        self._fire(LaneEvent.TURN_ASKED)
        return {"done": "turn_lane", "direction": direction}

    def _check_turning(self) -> None:
        self._check_expected(LaneEvent.TURN_ASKED)
        forbidden = self._lane.turning_forbidden()
        if forbidden is not None:
            raise InterlockError(f"lane {self._lane.settings.id} is not turned: {forbidden}")

    async def reconfigure(self, request: CommandRequest, actor: Actor) -> dict[str, Any]:
        """Work by what the site file says of this lane now; the others are not touched. Raises ConfigError."""
        lane = self._lane
        fresh = lane.ports.fresh_settings
        if fresh is None:
            raise CommandRefusedError(f"lane {lane.settings.id}: no site file to read again")
        self._check_shut()
        before, now = lane.settings, await asyncio.to_thread(fresh)
        changed = {
            field.name: [str(getattr(before, field.name)), str(getattr(now, field.name))]
            for field in fields(LaneSettings)
            if getattr(before, field.name) != getattr(now, field.name)
        }
        await self._record({**facts_of(request), "changed": changed}, actor, None, kind="lane_reconfigured")
        self._check_shut()
        lane.take_settings(now)
        return {"done": "reconfigure_lane", "changed": sorted(changed)}

    def _check_shut(self) -> None:
        lane = self._lane
        if lane.state is not LaneState.CLOSED or lane.passage is not None:
            raise CommandRefusedError(f"lane {lane.settings.id}: close it first; nobody may be in it")

    async def on_boom(self, request: CommandRequest, actor: Actor) -> dict[str, Any]:
        """Raise a boom again for the reason in force, hold it open, lower it, or raise for an emergency vehicle."""
        if request.command is Command.EMERGENCY_RAISE:
            return await self._emergency(request, actor)
        side = self._side(request)
        if request.command is Command.LOWER_BOOM:
            return await self._lower(side, request, actor)
        lane, hold_s = self._lane, read_hold_s(request.fields)
        reason = lane.reason_in_force(side)
        if reason is None:
            raise CommandRefusedError(
                f"{side.value} boom: nothing recorded lets it rise in state {lane.state}; "
                "release, divert or return first"
            )
        self._check_interlock(reason)
        facts = {**facts_of(request), "side": side.value, "raise": reason.value}
        await self._record(facts, actor, lane.passage)
        if lane.reason_in_force(side) is not reason:
            raise CommandRefusedError("the lane changed while the command was recorded; nothing was done")
        if hold_s is None:
            lane.raise_recorded(side)
        else:
            lane.hold_open(side, actor.label, hold_s)
        lane.changed()
        return {"done": "raise_boom", "hold_s": hold_s}

    def _side(self, request: CommandRequest) -> Side:
        side = read_side(request.fields)
        if side not in self._lane.ports.barriers:
            raise CommandRefusedError(f"lane {self._lane.settings.id} has no {side.value} barrier")
        return side

    async def _lower(self, side: Side, request: CommandRequest, actor: Actor) -> dict[str, Any]:
        lane = self._lane
        seen = lane.surroundings(lane.clock.monotonic_s())
        seen = replace(seen, held_open=seen.held_open - {side})  # whoever asks for it to come down ends its lease
        forbidden = lane.ports.lowering_rule(side, seen)
        if forbidden is not None:
            raise InterlockError(f"{side.value} boom is not lowered: {forbidden}")
        await self._record({**facts_of(request), "side": side.value}, actor, lane.passage)
        lane.holding.end(side)
        lane.booms.intend_lowering(side)
        lane.update()
        return {"done": "lower_boom"}

    async def _emergency(self, request: CommandRequest, actor: Actor) -> dict[str, Any]:
        """A fire engine needs the whole lane: without a side every boom of it rises."""
        lane = self._lane
        sides = [self._side(request)] if "side" in request.fields else sorted(lane.ports.barriers)
        facts = {
            **facts_of(request),
            "sides": [side.value for side in sides],
            "raise": RaiseReason.EMERGENCY.value,
        }
        await self._record(facts, actor, lane.passage, kind=EMERGENCY_KIND)
        lane.emergency_raise(sides)
        return {"done": "emergency_raise", "sides": facts["sides"]}
