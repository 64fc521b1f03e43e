"""The real clock. Tests and the simulation bring their own; nothing else in the service asks the time."""

from __future__ import annotations

import asyncio
import time
from datetime import UTC, datetime


class RealClock:
    """`ports.Clock` on the machine's clocks."""

    def now(self) -> datetime:
        """Aware UTC wall time."""
        return datetime.now(UTC)

    def monotonic_s(self) -> float:
        """Seconds that never jump."""
        return time.monotonic()

    async def sleep(self, duration_s: float) -> None:
        """Wait."""
        await asyncio.sleep(duration_s)
