"""A barrier's boom: angle over time, started by rising edges, stopped by its limits.

Worst case on purpose: the barrier has no anti-crush reflex and no loop of its own, so what keeps the boom off a
vehicle is the service's interlock alone, and that is what the judge sees. A raise turns a falling boom at once.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final

TRAVEL_S: Final = 3.0  # GB/T 24973-2010 5.6, class O: 1.4 to 4 s
UP_DEG: Final = 90.0
LIMIT_DEG: Final = 3.0  # a limit switch closes this much before the end
ARM_M: Final = 4.0
PIVOT_M: Final = 0.95


@dataclass(slots=True)
class Boom:
    """One boom. `target_deg` None: at rest where it is."""

    angle_deg: float = 0.0
    target_deg: float | None = None
    is_stuck: bool = False

    def start_raising(self) -> None:
        """Go up from wherever it is."""
        self.target_deg = UP_DEG

    def start_lowering(self) -> None:
        """Go down from wherever it is."""
        self.target_deg = 0.0

    def jam(self, *, on: bool) -> None:
        """A mechanical fault holds the boom; when it ends, the boom stays at rest until it is commanded again."""
        self.is_stuck = on
        self.target_deg = None

    def step(self, dt_s: float) -> None:
        """Move for a while."""
        if self.target_deg is None or self.is_stuck:
            return
        reach = UP_DEG / TRAVEL_S * dt_s
        left = self.target_deg - self.angle_deg
        if abs(left) <= reach:
            self.angle_deg, self.target_deg = self.target_deg, None
        else:
            self.angle_deg += math.copysign(reach, left)

    @property
    def is_moving(self) -> bool:
        """Whether the next step changes the angle."""
        return self.target_deg is not None and not self.is_stuck

    @property
    def is_up(self) -> bool:
        """The upper limit switch."""
        return self.angle_deg >= UP_DEG - LIMIT_DEG

    @property
    def is_down(self) -> bool:
        """The lower limit switch."""
        return self.angle_deg <= LIMIT_DEG


def clearance_m(angle_deg: float) -> float:
    """Height of the boom's tip over the road."""
    return PIVOT_M + ARM_M * math.sin(math.radians(angle_deg))
