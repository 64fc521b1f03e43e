"""What an indicator shows for what its load cells feel: interval, unit, decimals, motion, range. Pure."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from typing import Final

KG_PER_UNIT: Final = {"kg": 1.0, "t": 1000.0, "g": 0.001, "lb": 0.45359237}
WRONG_UNITS: Final = {"kg": "lb", "t": "kg", "g": "kg", "lb": "kg"}
MOTION_FRAMES: Final = 5  # at rest: so many values in a row within one interval


@dataclass(frozen=True, slots=True)
class Shown:
    """One look at the display. The number is `count` with its last `decimals` digits behind the point.

    `step` is the interval in counts. `range` is ok, over or under.
    """

    count: int
    decimals: int = 0
    step: int = 1
    unit: str = "kg"
    is_net: bool = False
    is_stable: bool = True
    range: str = "ok"
    tare: int = 0

    @property
    def sign(self) -> str:
        """`-` or a blank."""
        return "-" if self.count < 0 else " "

    def digits(self, width: int, fill: str = "0", *, has_point: bool | None = None) -> str:
        """The number without its sign, at least `width` places, the point one of them.

        `has_point` None: only where there are decimals; True: always, last if there are none.
        """
        text = str(abs(self.count)).rjust(self.decimals + 1, "0")
        if self.decimals:
            text = f"{text[: -self.decimals]}.{text[-self.decimals :]}"
        elif has_point:
            text += "."
        return text.rjust(width, fill)

    def signed(self, width: int) -> str:
        """The number right-justified in blanks, the sign directly ahead of it."""
        return (self.sign.strip() + self.digits(1)).rjust(width)


@dataclass(slots=True)
class Display:
    """The display of one indicator, with its plate. `tare_kg` set makes it show net."""

    interval_kg: float = 20.0
    max_kg: float = 80_000.0
    unit: str = "kg"
    decimals: int = 0
    tare_kg: float = 0.0
    drift_kg: float = 0.0
    zero_kg: float = 0.0
    is_unit_wrong: bool = False
    _recent: deque[int] = field(default_factory=lambda: deque(maxlen=MOTION_FRAMES))

    def set_zero(self, felt_kg: float) -> None:
        """Call what is felt now zero, where it is stable and within 4 % of the maximum; otherwise nothing happens."""
        if self.look(felt_kg).is_stable and abs(felt_kg + self.drift_kg) <= 0.04 * self.max_kg:
            self.zero_kg = felt_kg + self.drift_kg

    def look(self, felt_kg: float) -> Shown:
        """What stands there now."""
        gross_kg = felt_kg + self.drift_kg - self.zero_kg
        counts_per_kg = 10**self.decimals / KG_PER_UNIT[self.unit]
        step = max(1, round(self.interval_kg * counts_per_kg))
        count = round((gross_kg - self.tare_kg) * counts_per_kg / step) * step
        self._recent.append(count)
        is_stable = len(self._recent) == MOTION_FRAMES and max(self._recent) - min(self._recent) <= step
        over, under = gross_kg > self.max_kg + 9 * self.interval_kg, gross_kg < -20 * self.interval_kg
        return Shown(
            count=count,
            decimals=self.decimals,
            step=step,
            unit=WRONG_UNITS[self.unit] if self.is_unit_wrong else self.unit,
            is_net=self.tare_kg != 0,
            is_stable=is_stable,
            range="over" if over else "under" if under else "ok",
            tare=round(self.tare_kg * counts_per_kg / step) * step,
        )
