"""One line to a party outside, judged by the age of its last answer and never by its socket."""

from __future__ import annotations

import asyncio
from datetime import datetime
from typing import Any, Final

from gate_service.domain.ports import Clock

QUIET_LIMIT_S: Final = 10.0
"""A line that said nothing for so long is down, whatever the socket claims (half-open lines)."""


class Line:
    """Told of every answer and every failure; says whether asking is worth the time."""

    def __init__(self, clock: Clock, *, is_asked_always: bool = True) -> None:
        """`is_asked_always` False is a way used only when there is something to tell: its silence means nothing."""
        self._clock = clock
        self._is_asked_always = is_asked_always
        self._answered_monotonic_s: float | None = None
        self._has_failed = False
        self.last_answer_at: datetime | None = None
        self.down_since_at: datetime | None = clock.now()
        self.reason: str | None = "not asked yet"
        self.came_up = asyncio.Event()
        """Set at every change from down to up; whoever waits clears it."""

    def answered(self) -> None:
        """The party answered."""
        if not self.is_up:
            self.came_up.set()
        self._answered_monotonic_s = self._clock.monotonic_s()
        self.last_answer_at = self._clock.now()
        self._has_failed = False
        self.down_since_at = self.reason = None

    def failed(self, reason: str) -> None:
        """It did not, or not with anything of use."""
        self._has_failed = True
        self.reason = reason
        if self.down_since_at is None:
            self.down_since_at = self._clock.now()

    @property
    def age_s(self) -> float | None:
        """Seconds since the last answer; None before the first."""
        if self._answered_monotonic_s is None:
            return None
        return self._clock.monotonic_s() - self._answered_monotonic_s

    @property
    def is_up(self) -> bool:
        """The last attempt was answered, and lately where somebody always asks."""
        age_s = self.age_s
        if age_s is None or self._has_failed:
            return False
        return age_s <= QUIET_LIMIT_S or not self._is_asked_always

    @property
    def _is_idle(self) -> bool:
        return not self._is_asked_always and self.age_s is None and not self._has_failed

    def status(self) -> dict[str, Any]:
        """For `/api/v1/sync`."""
        is_up, age_s = self.is_up, self.age_s
        since, reason = self.down_since_at, self.reason
        if self._is_idle:
            since = reason = None
        elif not is_up and not self._has_failed and age_s is not None:
            since, reason = self.last_answer_at, f"nothing heard for more than {QUIET_LIMIT_S:.0f} s"
        return {
            "line": "idle" if self._is_idle else "up" if is_up else "down",
            "last_answer_at": None if self.last_answer_at is None else self.last_answer_at.isoformat(),
            "last_answer_age_s": None if age_s is None else round(age_s, 1),
            "down_since_at": None if is_up or since is None else since.isoformat(),
            "reason": None if is_up else reason,
        }
