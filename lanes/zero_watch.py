"""Warns that the platform shows no zero before a vehicle comes: snow, mud, creep, a person. Pure but for its memory.

A lane admits nobody without a zero (`interlocks`); that must not be found out with a truck at the boom.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from gate_service.domain.reading import WeightStatus
from lanes.platform import SOMEBODY_S, Deck, DeckSettings
from lanes.states import LaneState

LASTS_S: Final = 10.0
"""What passes sooner is wind or somebody crossing. Site decision."""

LASTS: Final[Mapping[str, float]] = {
    "light_load": 3.0,  # a person or a motorcycle, not somebody who steps over the edge
    "zero_creep": 60.0,  # a warning only: it is a zero still
}
"""Words that are said after another time. Site decisions."""

SAYS_SO: Final = {
    WeightStatus.UNDERLOAD: "underload",
    WeightStatus.OVERLOAD: "overload",
    WeightStatus.OUT_OF_RANGE: "out_of_range",
    WeightStatus.ERROR: "indicator_error",
}

WATCHED: Final = frozenset({LaneState.IDLE, LaneState.APPROACH})
"""States in which the platform is to be empty: nobody has been let on."""

WARNINGS: Final = frozenset({"zero_creep"})
"""What is told and keeps nobody out."""


def zero_fault(deck: Deck, settings: DeckSettings, now_s: float, *, is_after_vehicle: bool = False) -> str | None:
    """Why an empty platform shows no zero now, or None. Without a fresh reading nothing is said: others watch that.

    `is_after_vehicle`: a vehicle stood there since the last zero, so what is left came with it.
    """
    reading = deck.fresh(now_s)
    if reading is None:
        return None
    value = reading.value
    if value is None:
        return SAYS_SO.get(reading.status)
    if abs(value) <= settings.zero_band:
        return "zero_creep" if abs(value) > settings.interval else None
    if is_after_vehicle and abs(value) < settings.empty_below:
        return "no_return_to_zero"
    since_s = deck.light_since_s
    if since_s is not None and deck.is_step and value.grams > 0 and now_s - since_s < SOMEBODY_S:
        return "light_load"
    return "zero_off" if abs(value) < settings.empty_below else "something_on_platform"


class ZeroWatch:
    """Says what to warn of, once it lasted. `fault` is what was said last."""

    def __init__(self) -> None:
        self.fault: str | None = None
        self._seen: str | None = None
        self._since_s = 0.0
        self._is_after_vehicle = False

    def look(self, state: LaneState, deck: Deck, settings: DeckSettings, now_s: float) -> bool:
        """Look at the platform of a lane that let nobody on; True where `fault` has changed."""
        if state not in WATCHED:
            self._seen = self.fault
            self._is_after_vehicle = self._is_after_vehicle or deck.is_loaded(settings, now_s)
            return False
        found = zero_fault(deck, settings, now_s, is_after_vehicle=self._is_after_vehicle)
        if found in {None, *WARNINGS} and deck.fresh(now_s) is not None:
            self._is_after_vehicle = False
        if found != self._seen:
            self._seen, self._since_s = found, now_s
        lasts_s = LASTS.get(found, LASTS_S) if found is not None else 0.0
        if found == self.fault or now_s - self._since_s < lasts_s:
            return False
        self.fault = found
        return True
