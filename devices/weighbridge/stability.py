"""Is the weight steady? Computed from readings and their arrival times where the indicator does not say. Pure.

The window: all readings of at least one second of real time, at least five of them, within one scale interval. One
second follows what an existing weighing gateway uses (1 s within 3 d); one interval instead of three because the value
printed must lie within 1 e of the final one (OIML R 76-1:2006, 4.4.2, quoted from memory). Both are settings: what a
rocking vehicle needs at a site is a site decision.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from typing import Final

from gate_service.domain.mass import Mass

REJECT_BURST: Final = 3  # rejected frames in a row after which the readings before them no longer count


@dataclass(frozen=True, slots=True)
class StabilitySettings:
    """How steady is steady. `band_intervals` counts scale intervals d between the smallest and the largest reading."""

    window_s: float = 1.0
    least_readings: int = 5
    band_intervals: int = 1
    longest_gap_s: float = 0.5  # indicators send 5 to 50 frames a second; half a second without one is a gap


class StabilityWindow:
    """The newest readings. A gap, a reject burst or anything that is no weight empties it."""

    def __init__(self, settings: StabilitySettings, interval: Mass) -> None:
        self._settings = settings
        self._band_grams = settings.band_intervals * interval.grams
        self._readings: deque[tuple[float, int]] = deque()
        self._has_moved = False
        self._rejects = 0

    def add(self, value: Mass, at_s: float) -> bool | None:
        """Take one reading; True: steady, False: moved within the window, None: too little seen to say."""
        self._rejects = 0
        readings = self._readings
        if readings and not 0 <= at_s - readings[-1][0] <= self._settings.longest_gap_s:
            self.clear()
        readings.append((at_s, value.grams))
        self._drop_outside_band()
        self._drop_older_than_needed()
        if at_s - readings[0][0] >= self._settings.window_s and len(readings) >= self._settings.least_readings:
            self._has_moved = False
            return True
        return False if self._has_moved else None

    def reject(self) -> None:
        """Note bytes that ought to have been a weight and were not. Good frames of another kind are none."""
        self._rejects += 1
        if self._rejects >= REJECT_BURST:
            self.clear()

    def clear(self) -> None:
        """Forget everything: what came before says nothing of what comes now."""
        self._readings.clear()
        self._has_moved = False

    def _drop_outside_band(self) -> None:
        readings = self._readings
        masses = [grams for _, grams in readings]
        while max(masses) - min(masses) > self._band_grams:
            readings.popleft()
            masses.pop(0)
            self._has_moved = True

    def _drop_older_than_needed(self) -> None:
        readings = self._readings
        newest_s = readings[-1][0]
        while len(readings) > self._settings.least_readings and newest_s - readings[1][0] >= self._settings.window_s:
            readings.popleft()
