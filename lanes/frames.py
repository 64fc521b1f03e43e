"""The raw frames around a settling, pinned to the passage: what a disputed weight can be judged by years later.

The one frame that settled stands in the passage; here are those before and after it, as the indicator sent them. Pure.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from gate_service.domain.reading import Reading

BEFORE_S: Final = 3.0  # the window of stability (1 s), the standing still before it (1 s), and one more. Site decision
AFTER_S: Final = 1.0  # enough to see that it stayed. Site decision
MOST_FRAMES: Final = 400  # 100 frames a second over the whole span; no indicator sends more


@dataclass(frozen=True, slots=True)
class PinnedFrames:
    """Frames of one weighing, ready for the record."""

    passage_id: str
    facts: dict[str, Any]


class FrameKeeper:
    """Remembers the newest frames of one lane, and those around each settling until they are taken."""

    def __init__(self) -> None:
        self._newest: deque[Reading] = deque(maxlen=MOST_FRAMES)
        self._passage_id: str | None = None
        self._weighed_at: datetime | None = None
        self._settled_s = 0.0

    def seen(self, reading: Reading) -> None:
        """One more frame; what is too old is forgotten."""
        newest = self._newest
        newest.append(reading)
        oldest_s = reading.taken_monotonic_s if self._passage_id is None else self._settled_s
        while newest[0].taken_monotonic_s < oldest_s - BEFORE_S:
            newest.popleft()

    def settled(self, passage_id: str, weighed_at: datetime, settled_s: float) -> None:
        """The frame of this moment became the weight of a passage."""
        self._passage_id, self._weighed_at, self._settled_s = passage_id, weighed_at, settled_s

    def is_due(self, now_s: float) -> bool:
        """Whether enough was seen after the settling."""
        return self._passage_id is not None and now_s - self._settled_s >= AFTER_S

    def take(self) -> PinnedFrames | None:
        """The frames around the last settling, once; None where they were taken."""
        passage_id, self._passage_id = self._passage_id, None
        if passage_id is None or self._weighed_at is None:
            return None
        runs: list[list[Any]] = []
        for reading in self._newest:
            offset_ms = round((reading.taken_monotonic_s - self._settled_s) * 1000)
            if reading.raw and -BEFORE_S * 1000 <= offset_ms <= AFTER_S * 1000:
                _add(runs, offset_ms, reading.raw.hex(" "))
        return PinnedFrames(passage_id, {"weighed_at": self._weighed_at.isoformat(), "frames": runs})


def _add(runs: list[list[Any]], offset_ms: int, frame: str) -> None:
    """A frame as `[first_ms, last_ms, times, hex]`: milliseconds from the settling; the same frame again is one run."""
    if runs and runs[-1][3] == frame:
        runs[-1][1] = offset_ms
        runs[-1][2] += 1
    else:
        runs.append([offset_ms, offset_ms, 1, frame])
