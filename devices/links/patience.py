"""Patience with units that share a bus: a silent one is asked rarely, so that the others keep their rate. Pure.

Known from comparable products: one silent device polled like the others takes all of them down (from 70 readings/s to
1.1). Here each unit has its own record of silence, and all silent units together take less than a twentieth of the bus.
"""

from __future__ import annotations

from typing import Final

MISSES: Final = 2  # one lost answer is noise on a line; two in a row are silence
SHARE: Final = 0.047  # of the bus's time, to ask silent units: others lose under 5 %
PROBE_S: Final = 0.15  # a silent unit is waited for this long, with the quiet after it one question in 10 s
TURN_S: Final = 1.0  # a silent unit that nobody asks for any more holds up the next one this long
OUT_OF_REACH: Final = (10, 11)  # MODBUS Application Protocol V1.1b3, 7: a gateway that cannot reach the unit


class BusPatience:
    """Which units of one bus are silent, and when the next of them may be asked. Times are monotonic seconds."""

    def __init__(self) -> None:
        self._misses: dict[int, int] = {}
        self._asked_s: dict[int, float] = {}
        self._next_s = 0.0

    def answered(self, unit: int) -> None:
        """Note any answer of the unit, refusals too: it is there."""
        self._misses.pop(unit, None)
        self._asked_s.pop(unit, None)

    def missed(self, unit: int, now_s: float, cost_s: float) -> None:
        """Note a question that cost the bus `cost_s` and found no answer."""
        self._misses[unit] = self._misses.get(unit, 0) + 1
        if self.is_silent(unit):
            self._asked_s[unit] = now_s
            self._next_s = now_s + cost_s / SHARE - cost_s

    def is_silent(self, unit: int) -> bool:
        """Whether the unit is asked rarely now."""
        return self._misses.get(unit, 0) >= MISSES

    def wait_s(self, unit: int, now_s: float) -> float:
        """Seconds until this unit may be asked; 0: now. Silent units take turns, the longest unasked first."""
        if not self.is_silent(unit):
            return 0.0
        silent = [one for one in self._asked_s if self.is_silent(one)]
        is_next = min(silent, key=lambda one: (self._asked_s[one], one), default=unit) == unit
        left_s = max(0.0, self._next_s - now_s)
        is_turn_missed = now_s > self._next_s + TURN_S
        return left_s if is_next or is_turn_missed else max(left_s, TURN_S)
