"""Where a boom is, from its two limit inputs, the time since it left one, and whether anything had ordered that."""

from __future__ import annotations

from gate_service.domain.reading import BoomPosition


def boom_position(
    *, is_up: bool | None, is_down: bool | None, between_s: float, travel_s: float, is_by_hand: bool = False
) -> BoomPosition:
    """Say where the boom is. `between_s`: how long neither limit has been reached; None: the input is unknown.

    A boom between its limits for longer than its travel time is STUCK, whatever moves it. One that is worked by hand is
    BY_HAND wherever it is: a crank has no travel time, and may be turned again the next moment.
    """
    if is_up is None or is_down is None:
        return BoomPosition.UNKNOWN
    if is_up and is_down:
        return BoomPosition.CONTRADICTORY
    if is_by_hand:
        return BoomPosition.BY_HAND
    if is_up:
        return BoomPosition.UP
    if is_down:
        return BoomPosition.DOWN
    return BoomPosition.MOVING if between_s <= travel_s else BoomPosition.STUCK


class BoomWatch:
    """One boom over time. `closes_itself`: the barrier's controller lowers it, so leaving the up limit is its doing.

    A boom that leaves a limit though nothing was ordered is worked by hand until it is at a limit again. After inputs
    that were unknown nobody can say why it left: it counts as moving.
    """

    def __init__(self, travel_s: float, *, closes_itself: bool) -> None:
        self._travel_s = travel_s
        self._closes_itself = closes_itself
        self._between_since_s: float | None = None
        self._ordered_s = float("-inf")
        self._limit: BoomPosition | None = None
        self._is_moved_by_hand = False
        self._has_left_down = False
        self.is_switched_to_hand = False
        self.is_pulse_in_effect = False

    def ordered(self, at_s: float) -> None:
        """A movement is ordered now: its travel time begins."""
        self._ordered_s = at_s
        self._is_moved_by_hand = False
        if self._between_since_s is not None:
            self._between_since_s = at_s

    def pulse_sent(self) -> None:
        """An open pulse was sent, or may have been: in effect until the boom is up, or has left and is down again."""
        self.is_pulse_in_effect, self._has_left_down = True, False

    def see(
        self, *, is_up: bool | None, is_down: bool | None, is_by_hand: bool | None, is_excused: bool, at_s: float
    ) -> BoomPosition:
        """Take one poll. `is_excused`: something else in this poll explains a movement (local button, fire)."""
        self.is_switched_to_hand = bool(is_by_hand)
        if is_up is None or is_down is None:
            self._limit = None  # and a lost poll does not restart the travel time
        elif is_up or is_down:
            self._between_since_s, self._is_moved_by_hand = None, False
            self._limit = BoomPosition.UP if is_up else BoomPosition.DOWN
            if is_excused:
                self._ordered_s = at_s  # the button may be let go before the boom has left its limit
            if is_up or self._has_left_down:
                self.is_pulse_in_effect = False
        else:
            self._has_left_down = True
            if self._between_since_s is None:
                self._between_since_s = at_s
                self._is_moved_by_hand = not (is_excused or self._is_explained(at_s))
        return boom_position(
            is_up=is_up,
            is_down=is_down,
            between_s=0.0 if self._between_since_s is None else at_s - self._between_since_s,
            travel_s=self._travel_s,
            is_by_hand=self.is_switched_to_hand or self._is_moved_by_hand,
        )

    def _is_explained(self, at_s: float) -> bool:
        if self._limit is None or (self._closes_itself and self._limit is BoomPosition.UP):
            return True
        return at_s - self._ordered_s <= self._travel_s
