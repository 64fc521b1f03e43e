"""Turns on a shared line: one speaks at a time, and commands go before lights, lights before polls."""

from __future__ import annotations

import asyncio
import heapq
from enum import IntEnum
from itertools import count


class Urgency(IntEnum):
    """Who goes first when several wait for the same bus."""

    COMMAND = 0  # booms
    SIGNAL = 1  # lights
    POLL = 2


class Turns:
    """A lock whose waiters are served by urgency, then in order of arrival."""

    def __init__(self) -> None:
        self._is_taken = False
        self._waiting: list[tuple[Urgency, int, asyncio.Future[None]]] = []
        self._arrivals = count()
        self._kept_free: asyncio.TimerHandle | None = None
        self._is_free = asyncio.Event()
        self._is_free.set()

    def keep_free(self, for_s: float) -> None:
        """A command is about to come: no poll begins before it, or before this time is over."""
        self._end_keeping()
        self._is_free.clear()
        self._kept_free = asyncio.get_running_loop().call_later(for_s, self._end_keeping)

    def _end_keeping(self) -> None:
        if self._kept_free is not None:
            self._kept_free.cancel()
            self._kept_free = None
            self._is_free.set()

    async def take(self, urgency: Urgency) -> None:
        """Wait for the turn. A waiter cancelled here never gets it, so a command given up is never sent late."""
        if urgency is Urgency.POLL:
            await self._is_free.wait()
        elif urgency is Urgency.COMMAND:
            self._end_keeping()
        if not self._is_taken:
            self._is_taken = True
            return
        turn = asyncio.get_running_loop().create_future()
        heapq.heappush(self._waiting, (urgency, next(self._arrivals), turn))
        try:
            await turn
        except asyncio.CancelledError:
            if turn.done() and not turn.cancelled():
                self.give()  # handed over in the same moment: pass it on
            raise

    def give(self) -> None:
        """Hand the turn to the most urgent waiter."""
        while self._waiting:
            _, _, turn = heapq.heappop(self._waiting)
            if not turn.done():
                turn.set_result(None)
                return
        self._is_taken = False
