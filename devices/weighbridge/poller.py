"""Asks an indicator its question over and over: one at a time, never faster than it can answer."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable

from devices.weighbridge.polling import Poll
from gate_service.domain.errors import LinkLostError
from gate_service.domain.ports import Clock


class Poller:
    """One indicator being asked. `on_quiet` hears that the line fell silent without an answer."""

    def __init__(
        self, poll: Poll, write: Callable[[bytes], Awaitable[None]], clock: Clock, on_quiet: Callable[[], None]
    ) -> None:
        self._poll = poll
        self._write = write
        self._clock = clock
        self._on_quiet = on_quiet
        self._answered = asyncio.Event()
        self._last_byte_s = 0.0

    def note_bytes(self, at_s: float) -> None:
        """Something came: the line is not quiet."""
        self._last_byte_s = at_s

    def note_answer(self) -> None:
        """A weight came: the next question may go out when it is due."""
        self._answered.set()

    async def run(self) -> None:
        """Ask until cancelled. While the link is lost nothing is sent, and the keeper tells."""
        while True:
            asked_s = self._clock.monotonic_s()
            self._answered.clear()
            with contextlib.suppress(LinkLostError):
                await self._write(self._poll.question)
                if not await self._is_answered(asked_s):
                    self._on_quiet()
            await self._clock.sleep(max(0.0, asked_s + self._poll.period_s - self._clock.monotonic_s()))

    async def _is_answered(self, asked_s: float) -> bool:
        """Wait for the answer, or for the line to be quiet for as long as an answer may take."""
        while not self._answered.is_set():
            left_s = max(asked_s, self._last_byte_s) + self._poll.answer_s - self._clock.monotonic_s()
            if left_s <= 0:
                return False
            await self._wait(left_s)
        return True

    async def _wait(self, longest_s: float) -> None:
        waits = [asyncio.ensure_future(self._answered.wait()), asyncio.ensure_future(self._clock.sleep(longest_s))]
        try:
            await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for one in waits:
                one.cancel()
            await asyncio.gather(*waits, return_exceptions=True)
