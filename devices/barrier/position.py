"""Where a boom is, from its two limit inputs and the time since it left one. Pure."""

from __future__ import annotations

from gate_service.domain.reading import BoomPosition


def boom_position(*, is_up: bool | None, is_down: bool | None, between_s: float, travel_s: float) -> BoomPosition:
    """Say where the boom is. `between_s`: how long neither limit has been reached; None: the input is unknown.

    A boom between its limits for longer than its travel time is STUCK, whatever moves it.
    """
    if is_up is None or is_down is None:
        return BoomPosition.UNKNOWN
    if is_up and is_down:
        return BoomPosition.CONTRADICTORY
    if is_up:
        return BoomPosition.UP
    if is_down:
        return BoomPosition.DOWN
    return BoomPosition.MOVING if between_s <= travel_s else BoomPosition.STUCK
