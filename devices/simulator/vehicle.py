"""A truck as a body that accelerates, brakes and presses on axles. Knows no lane and no lights."""

from __future__ import annotations

import math
from typing import Final

from devices.simulator.places import Span
from devices.simulator.specs import TruckSpec

ACCELERATION: Final = 0.9  # m/s2, a laden truck
BRAKING: Final = 1.6  # m/s2, unhurried
EMERGENCY: Final = 4.0  # m/s2, laden, dry road
CREEP: Final = 0.25  # m/s, the last half metre
NEAR_M: Final = 0.04
GRAVITY: Final = 9.81
SEEN_BY_LOOP_M: Final = 0.3


class Vehicle:
    """One truck on the road. `x_m` is its front; speed is positive in driving order."""

    def __init__(self, spec: TruckSpec, x_m: float) -> None:
        self.spec = spec
        self.x_m = x_m
        self.speed = 0.0
        self.acceleration = 0.0
        self._axles = _axles(spec)

    @property
    def rear_m(self) -> float:
        """Where the truck ends."""
        return self.x_m - self.spec.length_m

    @property
    def is_standing(self) -> bool:
        """Whether the wheels are still."""
        return self.speed == 0.0

    def emergency_stop_m(self) -> float:
        """How far it still goes with the brake pedal down."""
        return self.speed * self.speed / (2 * EMERGENCY)

    def steer_to(self, target_m: float, cruise: float, dt_s: float) -> None:
        """Drive for a while towards where the front should stop, forward or backward."""
        left = target_m - self.x_m
        before = self.speed
        if abs(left) <= NEAR_M and abs(self.speed) <= 2 * CREEP:
            self.speed = 0.0
        else:
            wanted = min(cruise, max(CREEP, math.sqrt(2 * BRAKING * abs(left))))
            self._approach_speed(math.copysign(wanted, left), dt_s)
        step = self.speed * dt_s
        if 0 < abs(left) < abs(step) and step * left > 0:
            step = left
        self.x_m += step
        self.acceleration = (self.speed - before) / dt_s

    def _approach_speed(self, wanted: float, dt_s: float) -> None:
        if self.speed * wanted < 0:  # first stand still, then turn the direction
            wanted = 0.0
        change = wanted - self.speed
        limit = (ACCELERATION if abs(wanted) > abs(self.speed) else EMERGENCY) * dt_s
        self.speed += math.copysign(min(abs(change), limit), change)

    def covers(self, point_m: float) -> bool:
        """Whether any part, coupling included, is over a line across the lane: what a beam or a boom meets."""
        return self.rear_m < point_m < self.x_m

    def is_over(self, loop: Span) -> bool:
        """Whether a loop feels it: metal low over the loop. The high stretch drops out while it is over the middle."""
        start, end = loop
        if min(end, self.x_m) - max(start, self.rear_m) < SEEN_BY_LOOP_M:
            return False
        if self.spec.gap_m is None:
            return True
        middle = (start + end) / 2
        return not self.spec.gap_m[0] < self.x_m - middle < self.spec.gap_m[1]

    def load_on(self, platform: Span) -> float:
        """Kilograms on the axles that stand within a platform."""
        start, end = platform
        return sum(load for offset, load in self._axles if start <= self.x_m - offset <= end)

    def push(self) -> float:
        """Kilograms that acceleration throws about; zero at constant speed."""
        return self.spec.mass_kg * self.acceleration / GRAVITY


def _axles(spec: TruckSpec) -> tuple[tuple[float, float], ...]:
    """Axles as (metres behind the front, kilograms): a rigid truck, or tractor and trailer where there is a gap."""
    rear = spec.length_m - 1.2
    if spec.gap_m is None or spec.length_m < 10.0:
        shares: tuple[tuple[float, float], ...] = ((1.3, 0.28), (rear - 1.3, 0.36), (rear, 0.36))
    else:
        drive = max(3.0, spec.gap_m[0] - 0.6)
        shares = ((1.3, 0.16), (drive, 0.28), (rear - 2.6, 0.18), (rear - 1.3, 0.19), (rear, 0.19))
    return tuple((offset, share * spec.mass_kg) for offset, share in shares)
