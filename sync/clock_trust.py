"""How far the wall clock can be wrong, from what the central system's answers say of the time.

Every answer carries its `Date` (RFC 9110, whole seconds). The clock's error is at most the distance to it, half the
round trip, the second that `Date` leaves out, and what the oscillator drifts meanwhile. Never heard: unknown.
"""

from __future__ import annotations

import math
from datetime import UTC
from email.utils import parsedate_to_datetime
from typing import Final

from gate_service.domain.ports import Clock
from sync.time_mark import UNKNOWN, TimeMark

DRIFT_PER_S: Final = 100e-6
"""Parts drifted a second: twice the 50 ppm of a plain PC oscillator over temperature. Site decision."""

DATE_RESOLUTION_S: Final = 1.0


class ClockTrust:
    """Told of every answer; `error_bound_s` is what the rules may rely on."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._offset_s: float | None = None
        self._slack_s = 0.0
        self._heard_monotonic_s = 0.0

    def heard(self, date: str | None, round_trip_s: float) -> None:
        """An answer came now with this `Date` header, `round_trip_s` after it was asked for; a bad one says nothing."""
        try:
            theirs = parsedate_to_datetime(date or "")
        except (TypeError, ValueError):
            return
        if theirs.tzinfo is None:
            theirs = theirs.replace(tzinfo=UTC)
        middle = theirs.timestamp() + DATE_RESOLUTION_S / 2 + round_trip_s / 2
        offset_s, slack_s = self._clock.now().timestamp() - middle, (DATE_RESOLUTION_S + round_trip_s) / 2
        if self._offset_s is not None:
            # A long poll says less than a quick answer before it, unless the clock was set meanwhile.
            known_s = self._slack_s + self._drift_s()
            if slack_s > known_s and abs(offset_s - self._offset_s) <= slack_s + known_s:
                return
        self._offset_s, self._slack_s = offset_s, slack_s
        self._heard_monotonic_s = self._clock.monotonic_s()

    def error_bound_s(self) -> int | None:
        """Whole seconds, rounded up, by which the wall clock may be wrong now; None where nobody ever said the time."""
        if self._offset_s is None:
            return None
        return math.ceil(abs(self._offset_s) + self._slack_s + self._drift_s())

    def mark(self) -> TimeMark:
        """For the record: offset and bound in milliseconds; unknown where nobody ever said the time."""
        if self._offset_s is None:
            return UNKNOWN
        error_s = abs(self._offset_s) + self._slack_s + self._drift_s()
        return TimeMark("central", round(self._offset_s * 1000), math.ceil(error_s * 1000))

    def status(self) -> dict[str, int | None]:
        """For `/api/v1/sync`."""
        offset_ms = None if self._offset_s is None else round(self._offset_s * 1000)
        return {"error_bound_s": self.error_bound_s(), "offset_ms": offset_ms}

    def _drift_s(self) -> float:
        return (self._clock.monotonic_s() - self._heard_monotonic_s) * DRIFT_PER_S
