"""When a serial Modbus line may be spoken on: the gap between frames, and silence after an answer not trusted.

RTU answers carry no number, so an answer that comes late is taken for the next question's (measured: seven in a row).
After any doubt the line is left alone until nothing can be on its way any more.
"""

from __future__ import annotations

from typing import Final

from gate_service.domain.errors import LinkLostError
from gate_service.domain.ports import Clock

QUIET_S: Final = 0.3  # measured: after a late answer, 0.3 s of quiet and all later answers were right
EXTENSION_S: Final = 0.05  # and nothing may have arrived for this long
LONGEST_QUIET_S: Final = 2.0  # a line that never stops talking is a fault of its own
SMALLEST_GAP_S: Final = 0.00175  # MODBUS over Serial Line V1.02, 2.5.1.1: t3.5 above 19200 baud
BITS_PER_CHARACTER: Final = 11  # same, 2.5.1: start, 8 data, parity or stop, stop


class LineQuiet:
    """The silence of one serial line."""

    def __init__(self, clock: Clock, baud: int | None, quiet_s: float = QUIET_S) -> None:
        """`baud` None: not a serial line; no gap between frames is needed."""
        self._clock = clock
        self._gap_s = 0.0 if baud is None else max(SMALLEST_GAP_S, 3.5 * BITS_PER_CHARACTER / baud)
        self._quiet_s = quiet_s
        self._until_s: float | None = None
        self._last_byte_s = 0.0

    def note_byte(self) -> None:
        """Bytes passed, in either direction."""
        self._last_byte_s = self._clock.monotonic_s()

    def demand(self) -> None:
        """Ask for silence before the next question: something may still be on its way."""
        self._until_s = self._clock.monotonic_s() + self._quiet_s

    async def wait(self) -> None:
        """Wait until the line may be spoken on. Raises LinkLostError when it never falls silent."""
        if self._until_s is None:
            if (left_s := self._last_byte_s + self._gap_s - self._clock.monotonic_s()) > 0:
                await self._clock.sleep(left_s)
            return
        give_up_s = self._clock.monotonic_s() + LONGEST_QUIET_S
        while (now_s := self._clock.monotonic_s()) < give_up_s:
            left_s = max(self._until_s, self._last_byte_s + EXTENSION_S) - now_s
            if left_s <= 0:
                self._until_s = None
                return
            await self._clock.sleep(left_s)
        raise LinkLostError(f"the line did not fall silent within {LONGEST_QUIET_S:g} s")
