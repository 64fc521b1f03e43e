"""Where a boom is."""

import pytest

from devices.barrier.position import BoomWatch, boom_position
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


def see(watch: BoomWatch, at_s: float, limit: str = "", *, hand: bool = False, excused: bool = False) -> BoomPosition:
    return watch.see(
        is_up=None if limit == "?" else limit == "up",
        is_down=None if limit == "?" else limit == "down",
        is_by_hand=hand,
        is_excused=excused,
        at_s=at_s,
    )


def test_a_boom_switched_to_hand_is_by_hand_wherever_it_is() -> None:
    watch = BoomWatch(8.0, closes_itself=False)
    assert see(watch, 0.0, "down", hand=True) is BoomPosition.BY_HAND
    assert watch.is_switched_to_hand
    assert see(watch, 1.0, "down") is DOWN


def test_a_boom_that_leaves_its_limit_without_an_order_is_by_hand_until_it_is_at_a_limit_again() -> None:
    watch = BoomWatch(8.0, closes_itself=False)
    see(watch, 0.0, "down")
    assert see(watch, 1.0) is BoomPosition.BY_HAND
    assert see(watch, 60.0) is BoomPosition.BY_HAND  # a crank has no travel time
    assert see(watch, 61.0, "up") is UP


def test_an_ordered_boom_is_moving_and_then_stuck() -> None:
    watch = BoomWatch(8.0, closes_itself=False)
    see(watch, 0.0, "down")
    watch.ordered(10.0)
    assert see(watch, 10.5) is BoomPosition.MOVING
    assert see(watch, 18.6) is BoomPosition.STUCK
    watch.ordered(20.0)  # the next order has its own travel time
    assert see(watch, 27.0) is BoomPosition.MOVING


@pytest.mark.parametrize(("closes_itself", "expected"), [(True, BoomPosition.MOVING), (False, BoomPosition.BY_HAND)])
def test_a_controller_that_closes_explains_a_boom_that_comes_down(closes_itself: bool, expected: BoomPosition) -> None:
    watch = BoomWatch(8.0, closes_itself=closes_itself)
    see(watch, 0.0, "up")
    assert see(watch, 1.0) is expected
    watch = BoomWatch(8.0, closes_itself=closes_itself)
    see(watch, 0.0, "down")
    assert see(watch, 1.0) is BoomPosition.BY_HAND  # no controller opens by itself


def test_after_lost_polls_nobody_can_say_by_hand() -> None:
    watch = BoomWatch(8.0, closes_itself=False)
    see(watch, 0.0, "down")
    assert see(watch, 1.0, "?") is UNKNOWN
    assert see(watch, 2.0) is BoomPosition.MOVING


def test_an_open_pulse_is_in_effect_until_the_boom_is_up_or_was_away_and_is_down_again() -> None:
    watch = BoomWatch(8.0, closes_itself=True)
    see(watch, 0.0, "down")
    watch.pulse_sent()
    for at_s in (1.0, 90.0):
        see(watch, at_s, "down")
        assert watch.is_pulse_in_effect
    see(watch, 91.0)
    assert watch.is_pulse_in_effect
    see(watch, 92.0, "up")
    assert not watch.is_pulse_in_effect
    watch.pulse_sent()
    see(watch, 93.0)
    see(watch, 94.0, "down")
    assert not watch.is_pulse_in_effect
