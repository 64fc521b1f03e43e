"""The weight of one vehicle over time, kept with its passage: axles that drive on, or a load that was suddenly there.

Pure. Times are whole milliseconds since the last zero, masses whole grams: the record takes no floats.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, Final

from gate_service.domain.mass import Mass
from gate_service.domain.reading import Reading, WeightStatus

MOST_POINTS: Final = 200
"""A curve longer than this keeps every second point: 200 points show axles well enough. Site decision."""

PLATEAU_MS: Final = 200
"""Without a rise for this long an axle has come to rest on the platform: 1.3 m of a tandem at 6 m/s. Site decision."""

STEP_SHARE: Final = 20
"""A rise of at least a twentieth of the whole is an axle. Site decision."""

Point = tuple[int, int]


@dataclass(frozen=True, slots=True)
class Curve:
    """Points of change since the platform last showed a zero. `zero_s` None: no zero was seen, nothing is kept."""

    zero_s: float | None = None
    points: tuple[Point, ...] = ()

    def axle_steps(self) -> int:
        """How many rises with a rest between them made up the weight."""
        return count_steps(self.points)

    def document(self, *, is_sudden: bool) -> dict[str, Any]:
        """As the passage keeps it."""
        points = [list(point) for point in self.points]
        return {"points_ms_g": points, "axle_steps": self.axle_steps(), "is_sudden": is_sudden}


def follow(curve: Curve, reading: Reading, *, zero_band: Mass, interval: Mass) -> Curve:
    """Fold one reading into the curve. A zero begins it anew; less than an interval of change is no point."""
    value, at_s = reading.value, reading.taken_monotonic_s
    if reading.status is not WeightStatus.OK or value is None:
        return curve
    if abs(value) <= zero_band:
        return Curve(at_s)
    if curve.zero_s is None or (curve.points and abs(value.grams - curve.points[-1][1]) < interval.grams):
        return curve
    points = (*curve.points, (round((at_s - curve.zero_s) * 1000), value.grams))
    if len(points) > MOST_POINTS:
        points = (*points[:-1:2], points[-1])
    return replace(curve, points=points)


def count_steps(points: tuple[Point, ...]) -> int:
    """Axles by their rises: each at least a twentieth of the highest weight, a rest or a fall between two."""
    if not points:
        return 0
    least = max(grams for _, grams in points) // STEP_SHARE
    steps, low, last_ms, is_rising = 0, 0, points[0][0], False
    before = 0
    for at_ms, grams in points:
        if grams < before or at_ms - last_ms >= PLATEAU_MS:
            is_rising, low = False, min(before, grams)
        if not is_rising and grams - low >= least:
            steps, is_rising = steps + 1, True
        before, last_ms = grams, at_ms
    return steps
