"""A weighbridge's platform: what stands on it, and how it rocks before it settles.

A damped oscillation around the true load, as truck platforms show (1 to 3 Hz, settled in 3 to 10 s). Masses here are
floats: this is physics, not a reading; the indicator rounds to its interval.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final

OMEGA: Final = 2 * math.pi * 1.2  # rad/s, natural frequency 1.2 Hz
DAMPING: Final = 0.12
PITCH: Final = 0.05  # share of mass x deceleration (in g) that braking throws on the platform
REST_KG: Final = 0.5


@dataclass(slots=True)
class Deck:
    """One platform. `zero_kg`: snow, mud or drift that the indicator would show with nothing on it."""

    load_kg: float = 0.0
    rate: float = 0.0
    zero_kg: float = 0.0
    is_resting: bool = True

    def step(self, true_kg: float, push_kg: float, dt_s: float) -> None:
        """Move for a while under a load and the push of a braking vehicle. `dt_s` at most 0.1 s."""
        pull = true_kg + PITCH * push_kg - self.load_kg
        self.rate += (OMEGA * OMEGA * pull - 2 * DAMPING * OMEGA * self.rate) * dt_s
        self.load_kg += self.rate * dt_s
        self.is_resting = abs(pull) < REST_KG and abs(self.rate) < REST_KG
        if self.is_resting:
            self.load_kg, self.rate = true_kg, 0.0

    @property
    def shown_kg(self) -> float:
        """What the load cells feel."""
        return self.load_kg + self.zero_kg
