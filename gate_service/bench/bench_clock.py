"""A clock whose time can be advanced in jumps between measurements; while nobody jumps it is the machine's own."""

from __future__ import annotations

import asyncio
import time
from datetime import UTC, datetime, timedelta
from typing import Final

LONGEST_SKIPPED_S: Final = 5.0
"""Sleeps longer than this run in real time: jumps skip hold times and travel, they do not hurry work by the clock
(the seal of the record every 20 s), which would come twenty times as often beside what is measured."""


class BenchClock:
    """`ports.Clock`: real time plus what was jumped. `monotonic_s` may be asked from any thread."""

    def __init__(self) -> None:
        self._jumped_s = 0.0
        self._sleepers: dict[asyncio.Future[None], float] = {}

    def now(self) -> datetime:
        """Aware UTC wall time, jumps included."""
        return datetime.now(UTC) + timedelta(seconds=self._jumped_s)

    def monotonic_s(self) -> float:
        """Seconds that never go back; jumps included."""
        return time.monotonic() + self._jumped_s

    async def sleep(self, duration_s: float) -> None:
        """Wait for real time or a jump to pass."""
        if duration_s <= 0 or duration_s > LONGEST_SKIPPED_S:
            await asyncio.sleep(duration_s)
            return
        loop = asyncio.get_running_loop()
        due: asyncio.Future[None] = loop.create_future()
        self._sleepers[due] = self.monotonic_s() + duration_s
        timer = loop.call_later(duration_s, _wake, due)
        try:
            await due
        finally:
            timer.cancel()
            del self._sleepers[due]

    def jump(self, duration_s: float) -> None:
        """Let time pass at once; on the event loop."""
        self._jumped_s += duration_s
        now_s = self.monotonic_s()
        loop = asyncio.get_running_loop()
        for sleeper, due_s in self._sleepers.items():
            if due_s <= now_s:
                _wake(sleeper)
            else:
                loop.call_later(due_s - now_s, _wake, sleeper)


def _wake(sleeper: asyncio.Future[None]) -> None:
    if not sleeper.done():
        sleeper.set_result(None)
