"""Warns that the platform shows no zero before a vehicle comes: snow, mud, a person. Pure but for its memory.

A lane admits nobody without a zero (`interlocks`); that must not be found out with a truck at the boom.
"""

from __future__ import annotations

from typing import Final

from gate_service.domain.reading import WeightStatus
from lanes.platform import Deck, DeckSettings
from lanes.states import LaneState

LASTS_S: Final = 10.0
"""What passes sooner is wind or somebody crossing. Site decision."""

SAYS_SO: Final = {
    WeightStatus.UNDERLOAD: "underload",
    WeightStatus.OVERLOAD: "overload",
    WeightStatus.OUT_OF_RANGE: "out_of_range",
    WeightStatus.ERROR: "indicator_error",
}


def zero_fault(deck: Deck, settings: DeckSettings, now_s: float) -> str | None:
    """Why an empty platform shows no zero now, or None. Without a fresh reading nothing is said: others watch that."""
    reading = deck.fresh(now_s)
    if reading is None:
        return None
    if reading.value is None:
        return SAYS_SO.get(reading.status)
    if abs(reading.value) <= settings.zero_band:
        return None
    return "zero_off" if abs(reading.value) < settings.empty_below else "something_on_platform"


class ZeroWatch:
    """Says what to warn of, once it lasted. `fault` is what was said last."""

    def __init__(self) -> None:
        self.fault: str | None = None
        self._seen: str | None = None
        self._since_s = 0.0

    def look(self, state: LaneState, deck: Deck, settings: DeckSettings, now_s: float) -> bool:
        """Look at an idle lane's platform; True where `fault` has changed. A lane with a vehicle says nothing new."""
        if state is not LaneState.IDLE:
            self._seen = self.fault
            return False
        found = zero_fault(deck, settings, now_s)
        if found != self._seen:
            self._seen, self._since_s = found, now_s
        lasts_s = LASTS_S if found is not None else 0.0
        if found == self.fault or now_s - self._since_s < lasts_s:
            return False
        self.fault = found
        return True
