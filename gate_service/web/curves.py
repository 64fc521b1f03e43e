"""The last minute of each lane's weight, so that a page that opens shows how a vehicle came to stand. Pure memory."""

from __future__ import annotations

from collections import deque
from typing import Any, Final

from gate_service.web.gate_api import Snapshot

KEPT_S: Final = 60.0
"""What a page shows (`static/app/curve.js`)."""

STEP_S: Final = 0.5
"""One point per half second: 120 points of a lane are about 1.5 kB once per page; the page itself keeps every one."""


class Curves:
    """Times and masses per lane; old ones go as new ones come."""

    def __init__(self) -> None:
        self._points: dict[str, deque[tuple[float, float | None]]] = {}

    def note(self, snapshot: Snapshot, at_monotonic_s: float) -> None:
        """Keep the weight of a snapshot, unless one of the same half second is kept."""
        weight = snapshot.get("weight")
        if weight is None:
            return
        points = self._points.setdefault(str(snapshot["id"]), deque(maxlen=round(KEPT_S / STEP_S)))
        if not points or at_monotonic_s - points[-1][0] >= STEP_S:
            points.append((at_monotonic_s, weight.get("value_kg")))

    def told(self, at_monotonic_s: float) -> dict[str, list[list[Any]]]:
        """`{lane: [[milliseconds ago, kilograms or null], …]}`, oldest first, none older than a minute."""
        return {
            lane: [[round((at_monotonic_s - at) * 1000), kg] for at, kg in points if at_monotonic_s - at <= KEPT_S]
            for lane, points in self._points.items()
        }
