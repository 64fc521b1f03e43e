"""How long passages of each lane take, by the site's own newest ones: what routing multiplies a queue with."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from datetime import timedelta
from typing import Final

from gate_service.domain.ports import Clock
from sync.columns import to_us
from sync.database import Database
from sync.statements import run

NEWEST: Final = 20  # passages of a lane that count (site decision: about an hour of a busy lane)
WINDOW: Final = timedelta(hours=24)
MOST: Final = 2000
UNMEASURED_S: Final = 60.0  # site decision, until a lane has passages of its own


class PassageTimes:
    """`refresh` reads; `mean_s` answers at once from what was read last."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock
        self._means: Mapping[str, float] = {}

    async def refresh(self) -> None:
        """Arrival to lane clear of each lane's newest passages that crossed within the last day."""
        since_us = to_us(self._clock.now() - WINDOW)
        sql = (
            "SELECT lane, opened_at_us, closed_at_us FROM passages WHERE opened_at_us > ? AND closed_at_us IS NOT NULL"
            " ORDER BY opened_at_us DESC LIMIT ?"
        )
        rows = await self._database.read(lambda connection: run(connection, sql, (since_us, MOST)).fetchall())
        took: dict[str, list[int]] = defaultdict(list)
        for lane, opened_us, closed_us in rows:
            if len(took[lane]) < NEWEST:
                took[lane].append(closed_us - opened_us)
        self._means = {lane: sum(times) / len(times) / 1_000_000 for lane, times in took.items()}

    def mean_s(self, lane: str) -> float:
        """Mean passage time in seconds."""
        return self._means.get(lane, UNMEASURED_S)
