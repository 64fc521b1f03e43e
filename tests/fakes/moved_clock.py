"""A clock that stands still until it is moved."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta

from gate_service.domain.errors import RecordError


class MovedClock:
    """`ports.Clock` in the hand of a test."""

    def __init__(self, start: datetime = datetime(2026, 11, 1, 8, 0, tzinfo=UTC)) -> None:
        self._now = start
        self._monotonic_s = 1000.0
        self._moved: asyncio.Event | None = None

    def now(self) -> datetime:
        return self._now

    def monotonic_s(self) -> float:
        return self._monotonic_s

    async def sleep(self, duration_s: float) -> None:
        """Until the test has moved the clock so far."""
        due_s = self._monotonic_s + duration_s
        while self._monotonic_s < due_s:
            self._moved = self._moved or asyncio.Event()
            await self._moved.wait()

    def move(self, seconds: float) -> None:
        self._now += timedelta(seconds=seconds)
        self._monotonic_s += seconds
        if self._moved is not None:
            self._moved.set()
            self._moved = None


class QuickClock(MovedClock):
    """Does not wait where less than a second is asked for: between the pieces of a deletion."""

    def __init__(self, start: datetime = datetime(2026, 11, 1, 8, 0, tzinfo=UTC)) -> None:
        super().__init__(start)
        self.pieces_before_stop: int | None = None

    async def sleep(self, duration_s: float) -> None:
        if duration_s >= 1:
            return await super().sleep(duration_s)
        if self.pieces_before_stop is not None:
            self.pieces_before_stop -= 1
            if self.pieces_before_stop == 0:
                raise RecordError("the power went")
        return None
