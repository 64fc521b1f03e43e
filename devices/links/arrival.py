"""When bytes came that the event loop read itself: right away as a rule, and never too young where it was held up.

A loop that is held up reads what came meanwhile all at once, and knows of each byte only that it came after it last
saw that nothing waited. That moment is what such bytes are stamped with: a frame may seem older than it is, and never
fresher. Whether something waits is asked of the descriptor: that a timer of the loop runs says nothing, since uvloop
runs timers once more before it looks at its descriptors.
"""

from __future__ import annotations

import asyncio
import select
from time import monotonic
from typing import Final

from gate_service.domain.ports import Clock

BEAT_S: Final = 0.1
HELD_UP_S: Final = 2 * BEAT_S
"""A loop that did not look for longer was held up. A stamp is too young by no more: readings count for 2 s."""


class Arrival:
    """Stamps for what one descriptor brings; used on the event loop alone, between `start` and `stop`."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._looked_s = monotonic()
        self._beat: asyncio.TimerHandle | None = None
        self._poll = select.poll()

    def start(self, descriptor: int) -> None:
        """Begin to look at it."""
        self._poll.register(descriptor, select.POLLIN)
        self._look()

    def stop(self) -> None:
        """The descriptor is not read any more."""
        if self._beat is not None:
            self._beat.cancel()
            self._beat = None

    def _look(self) -> None:
        now_s = monotonic()
        if not self._poll.poll(0):
            self._looked_s = now_s
        self._beat = asyncio.get_running_loop().call_later(BEAT_S, self._look)

    def stamp(self) -> float:
        """For bytes that were just read: monotonic seconds of the clock."""
        now_s = monotonic()
        unseen_s, self._looked_s = now_s - self._looked_s, now_s
        return self._clock.monotonic_s() - (unseen_s if unseen_s > HELD_UP_S else 0.0)
