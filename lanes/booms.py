"""Moves a lane's booms: one task per side, raising pre-empts lowering, lowering waits for its interlock.

An intention to lower stands until the interlocks allow it, a raise takes it back, or it is forgotten. Nothing here
decides that a boom may rise: the controller calls `raise_boom` only after the reason is on disk.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping
from functools import partial

from gate_service.domain.errors import DeviceError, NotSentError
from gate_service.domain.ports import Barrier
from gate_service.domain.reading import BoomPosition, Side

log = logging.getLogger(__name__)

Movement = Callable[[], Awaitable[None]]


class Booms:
    """The booms of one lane. `on_failed(side, message)` is called when a movement was not confirmed."""

    def __init__(self, barriers: Mapping[Side, Barrier], on_failed: Callable[[Side, str], None]) -> None:
        self._barriers = barriers
        self._on_failed = on_failed
        self._tasks: dict[Side, asyncio.Task[None]] = {}
        self._raising: set[Side] = set()
        self._lowering: set[Side] = set()
        self._held: set[Side] = set()
        self.to_lower: set[Side] = set()

    def expect_raise(self, side: Side) -> None:
        """The reason for a raise is on its way to the disk."""
        if side in self._barriers:
            self._barriers[side].expect_raise()

    def raise_boom(self, side: Side, *, is_held: bool = False) -> None:
        """Start raising; a lowering intended or under way on this side ends first. `is_held`: and keep it open."""
        barrier = self._barriers.get(side)
        self.to_lower.discard(side)
        if barrier is None or (side in self._raising and (side in self._held or not is_held)):
            return
        self._raising.add(side)
        if is_held:
            self._held.add(side)
        self._start(side, barrier.hold_open if is_held else barrier.raise_boom)

    def intend_lowering(self, side: Side) -> None:
        """Lower as soon as `lower_where_allowed` finds the interlocks satisfied. A boom held open is let go at once.

        Letting go lowers nothing of itself; a controller that closes by itself then does so by its own detectors.
        """
        if side not in self._barriers:
            return
        self.to_lower.add(side)
        if side in self._held:
            self._held.discard(side)
            self._raising.discard(side)
            self._start(side, self._barriers[side].stop_boom)

    def lower_where_allowed(
        self, positions: Mapping[Side, BoomPosition], forbids: Callable[[Side], str | None]
    ) -> None:
        """Start each intended lowering whose interlock is satisfied; done where the boom is seen down.

        `forbids` is asked again when the command is about to leave: by what is seen then.
        """
        for side in sorted(self.to_lower):  # a set has no order that another run would repeat
            if side in self._raising:
                continue  # still seen down, perhaps; once it is up it is to come down again
            if positions.get(side) is BoomPosition.DOWN:
                self.to_lower.discard(side)
            elif not self._is_busy(side) and forbids(side) is None:
                self._start(side, partial(self._barriers[side].lower_boom, partial(forbids, side)))
                self._lowering.add(side)

    def forget_lowering(self) -> None:
        """Take back every intention to lower and stop a lowering under way, once: a stop that fails is not repeated."""
        self.to_lower.clear()
        for side in sorted(self._lowering):
            self._start(side, self._barriers[side].stop_boom)

    def stop_if_forbidden(self, forbids: Callable[[Side], str | None]) -> list[Side]:
        """Sides whose lowering is under way although the interlock no longer allows it."""
        lowering = [side for side in self._barriers if side in self._lowering]
        return [side for side in lowering if side in self.to_lower and forbids(side) is not None]

    async def aclose(self) -> None:
        """Stop caring. A running movement is the barrier controller's; command outputs fall by the driver's closing."""
        tasks = list(self._tasks.values())
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def _is_busy(self, side: Side) -> bool:
        task = self._tasks.get(side)
        return task is not None and not task.done()

    def _start(self, side: Side, movement: Movement) -> None:
        running = self._tasks.get(side)
        if running is not None:
            running.cancel()
        self._lowering.discard(side)
        self._tasks[side] = asyncio.get_running_loop().create_task(self._move(side, movement), name=f"boom {side}")

    async def _move(self, side: Side, movement: Movement) -> None:
        failure = None
        try:
            await movement()
        except NotSentError:
            log.info("%s boom: not lowered, forbidden in the last moment; it still is to come down", side)
        except DeviceError as error:
            failure = str(error)
        if self._tasks.get(side) is not asyncio.current_task():
            return  # another movement has taken its place
        self._raising.discard(side)
        self._lowering.discard(side)
        if failure is not None:
            self._held.discard(side)
            self._on_failed(side, failure)
