"""Where a boom is."""

import pytest

from devices.barrier.position import boom_position
from gate_service.domain.reading import BoomPosition

UNKNOWN, UP, DOWN = BoomPosition.UNKNOWN, BoomPosition.UP, BoomPosition.DOWN


@pytest.mark.parametrize(
    ("is_up", "is_down", "between_s", "expected"),
    [
        (True, False, 0.0, UP),
        (False, True, 0.0, DOWN),
        (True, True, 0.0, BoomPosition.CONTRADICTORY),
        (False, False, 0.0, BoomPosition.MOVING),
        (False, False, 8.0, BoomPosition.MOVING),
        (False, False, 8.01, BoomPosition.STUCK),
        (None, True, 0.0, UNKNOWN),
        (True, None, 0.0, UNKNOWN),
        (None, None, 99.0, UNKNOWN),
    ],
)
def test_a_position_comes_from_the_limits_and_the_time_between_them(
    is_up: bool | None, is_down: bool | None, between_s: float, expected: BoomPosition
) -> None:
    assert boom_position(is_up=is_up, is_down=is_down, between_s=between_s, travel_s=8.0) is expected
