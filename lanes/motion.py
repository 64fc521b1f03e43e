"""How a lane moves its booms: what is recorded first, what waits, what is turned back. Every movement begins here."""

from __future__ import annotations

import asyncio
from abc import abstractmethod
from collections.abc import Callable, Iterable
from dataclasses import replace

from gate_service.domain.reading import Side
from lanes.booms import Booms
from lanes.detectors import Sight, forget_crossing, look
from lanes.holding import Holding
from lanes.interlocks import RaiseReason, forbids_raising, forbids_turning, waits_for_other
from lanes.knowledge import LanePorts
from lanes.orientation import turned_inputs, turned_sides
from lanes.post import LanePost
from lanes.settings import LaneSettings
from lanes.states import LaneEvent, LaneState


class LaneMotion(LanePost):
    """A lane that can move. What the movements mean is the controller's: `fire` gives events to the table."""

    def __init__(self, settings: LaneSettings, ports: LanePorts, on_lost: Callable[[], None]) -> None:
        super().__init__(settings, ports, on_lost)
        self.booms = Booms(ports.barriers, self._boom_failed)
        self.holding = Holding()
        self._lower_later: set[Side] = set()  # once the lease that keeps it open has ended
        self._waiting: Side | None = None  # a boom that may rise once the other one of the pair is down

    @abstractmethod
    def fire(self, event: LaneEvent) -> bool:
        """Give one event to the table."""

    @abstractmethod
    def update(self) -> None:
        """Take every step that is due."""

    def held_open(self, now_s: float) -> frozenset[Side]:
        """Booms under a lease."""
        return self.holding.held(now_s)

    def raise_recorded(self, side: Side) -> None:
        """Raise a boom whose reason is on disk; in an interlocked pair once the other boom is seen down."""
        if self._waits_for_other(side):
            self._waiting = side
        else:
            self._waiting = None
            self._lower_later.discard(side)
            self.booms.raise_boom(side)

    def hold_open(self, side: Side, by: str, hold_s: int) -> None:
        """Raise for the reason in force, and keep it up as a lease: by a held contact where the barrier has one."""
        self.holding.hold(side, by, self.clock.monotonic_s() + hold_s)
        if self._waits_for_other(side):
            self._waiting = side
        else:
            self.booms.raise_boom(side, is_held=True)

    def _waits_for_other(self, side: Side) -> bool:
        if not self.settings.is_pair:
            return False
        return waits_for_other(side, self.surroundings(self.clock.monotonic_s())) is not None

    def lower(self, side: Side) -> None:
        """Lower as soon as the interlocks allow; a boom under a lease once that has ended."""
        if side in self.held_open(self.clock.monotonic_s()):
            self._lower_later.add(side)
        else:
            self.booms.intend_lowering(side)

    def forget_lowering(self) -> None:
        """Take back every intention to lower and stop a lowering under way."""
        self._lower_later.clear()
        self.booms.forget_lowering()

    def raise_to_let_go(self, side: Side) -> None:
        """The same for a vehicle that leaves: what is seen of it from now on is its crossing."""
        self.sight = forget_crossing(self.sight)
        self.raise_recorded(side)

    def emergency_raise(self, sides: Iterable[Side]) -> None:
        """Raise at once for an emergency vehicle, after its entry is on disk; a person re-arms the lane afterwards.

        Never waits: neither for the other boom of a pair nor for any interlock.
        """
        self._waiting = None
        for side in sides:
            self.booms.raise_boom(side, is_held=True)  # a convoy is longer than the barrier controller's patience
        self.fire(LaneEvent.EMERGENCY_RAISED)
        self.update()

    def admit(self) -> None:
        """Raise the entry boom once its reason is on disk, if what let the vehicle in still holds then."""
        passage = self.passage
        if passage is None:
            return
        on_disk = self.put("boom_raise", {"side": Side.ENTRY.value, "reason": RaiseReason.ADMIT.value})

        def then(done: asyncio.Future[int]) -> None:
            still = self.state is LaneState.ADMITTING and self.passage is not None and self.passage.id == passage.id
            if not still or done.cancelled() or done.exception() is not None:
                return
            if forbids_raising(RaiseReason.ADMIT, self.surroundings(self.clock.monotonic_s())) is None:
                self.raise_recorded(Side.ENTRY)
            else:
                self.fire(LaneEvent.ADMITTANCE_LOST)

        on_disk.add_done_callback(then)

    def mind_the_booms(self, now_s: float) -> None:
        """Turn back what may not fall any more, lower what may, raise what waited for the other boom."""
        for side in sorted(self._lower_later - self.held_open(now_s)):
            self._lower_later.discard(side)
            self.booms.intend_lowering(side)

        for side in self.booms.stop_if_forbidden(self.forbids_lowering):
            self.booms.raise_boom(side)  # reopen: goes first, is recorded after (RULES 8)
            self.put("boom_raise", {"side": side.value, "reason": RaiseReason.REOPEN.value})
            self.booms.intend_lowering(side)
        self.booms.lower_where_allowed(self.boom_positions(), self.forbids_lowering)
        if self._waiting is not None:
            self._mind_the_pair(self._waiting)

    def forbids_lowering(self, side: Side) -> str | None:
        """Why this boom must not begin to fall, or fall on, by what is seen now; None where it may."""
        return self.ports.lowering_rule(side, self.surroundings(self.clock.monotonic_s()))

    def _mind_the_pair(self, side: Side) -> None:
        reason = self.reason_in_force(side)
        if reason is None:
            self._waiting = None  # what it was to rise for is over
            return
        surroundings = self.surroundings(self.clock.monotonic_s())
        waits = waits_for_other(side, surroundings)
        if waits is None and forbids_raising(reason, surroundings) is None:
            self._waiting = None
            self.booms.raise_boom(side)
        elif waits is not None:
            self.attention = waits

    def _boom_failed(self, side: Side, message: str) -> None:
        self.put("boom_failed", {"side": side.value, "message": message})
        self.fire(LaneEvent.BOOM_FAILED)

    # A reversible lane ------------------------------------------------------------------------------------------

    def turning_forbidden(self) -> str | None:
        """Why this lane may not be turned round now, or None."""
        return forbids_turning(self.surroundings(self.clock.monotonic_s()))

    def turn(self, direction: str) -> None:
        """Take the other direction: what was the exit is the entry now. Only where `turning_forbidden` says nothing."""
        self.drop_reads("lane_turned")
        self.settings = replace(self.settings, direction=direction)
        self.is_turned = not self.is_turned
        self.booms = Booms(
            turned_sides(self.ports.barriers) if self.is_turned else self.ports.barriers, self._boom_failed
        )
        self.shown = turned_sides(self.shown)
        inputs = self.sight.inputs
        self.sight = Sight() if inputs is None else look(Sight(), turned_inputs(inputs))
