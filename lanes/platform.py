"""The platform of a lane over time: is it empty, was a zero seen, is the whole vehicle on it, has its weight settled.

Pure: `weigh` folds one reading into a `Deck`. Old readings are no knowledge; an unstable one is no zero.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final

from gate_service.domain.mass import Mass
from gate_service.domain.reading import Reading, WeightStatus

FRESH_READING_S: Final = 2.0
"""A reading older than this is none (reliability facts, 2.2: age at most 2 s)."""

WHOLE_HOLD_S: Final = 1.0
"""The vehicle stands whole on the platform this long before a stable reading counts: the window of computed stability
(1 s) must hold no reading from before."""


STEP_S: Final = 2.0
"""From a zero to more within this time: somebody stepped or drove on. Snow and mud come slowly. Site decision."""

SOMEBODY_S: Final = 60.0
"""Who is on the platform leaves it within a minute; what stays is a zero that is off. Site decision."""

EMPTY_BELOW: Final = Mass(200_000)
"""Below 200 kg nothing that drives stands on the platform (ten intervals of 20 kg). Site decision."""

VEHICLE_ABOVE: Final = Mass(500_000)
"""The lightest vehicle that is weighed, 500 kg. Site decision."""


@dataclass(frozen=True, slots=True)
class DeckSettings:
    """Site decisions about one platform. `zero_band` and `empty_below` are kilograms either way."""

    interval: Mass
    max_capacity: Mass
    zero_band: Mass
    empty_below: Mass = EMPTY_BELOW
    vehicle_above: Mass = VEHICLE_ABOVE


@dataclass(frozen=True, slots=True)
class Deck:
    """What the weighbridge has told since the last vehicle."""

    reading: Reading | None = None
    is_zero_seen: bool = False
    whole_since_s: float | None = None
    light_since_s: float | None = None  # more than a zero and less than a vehicle, unbroken since
    near_zero_s: float | None = None  # when the platform last showed a zero within half its band
    is_step: bool = False  # what stands there came at once, as a person does, not slowly as snow

    def fresh(self, now_s: float) -> Reading | None:
        """The last reading, if it is still knowledge."""
        if self.reading is None or now_s - self.reading.taken_monotonic_s > FRESH_READING_S:
            return None
        return None if self.reading.status is WeightStatus.NO_DATA else self.reading

    def is_empty(self, settings: DeckSettings, now_s: float) -> bool | None:
        """Whether nothing stands on the platform by weight; None where no fresh reading says."""
        reading = self.fresh(now_s)
        if reading is None:
            return None
        if reading.value is None:
            # Underload with nothing to weigh is a zero error, not a vehicle; still not provably empty.
            return False if reading.status is WeightStatus.OVERLOAD else None
        return abs(reading.value) < settings.empty_below

    def is_at_rest(self, now_s: float) -> bool:
        """Whether a fresh reading is there and stable."""
        reading = self.fresh(now_s)
        return reading is not None and reading.is_stable is True

    def is_loaded(self, settings: DeckSettings, now_s: float) -> bool:
        """Whether a vehicle certainly stands on the platform."""
        reading = self.fresh(now_s)
        if reading is None:
            return False
        if reading.status is WeightStatus.OVERLOAD:
            return True
        return reading.value is not None and reading.value >= settings.vehicle_above

    def is_at_zero(self, settings: DeckSettings, now_s: float) -> bool:
        """Whether the platform shows a zero now."""
        reading = self.fresh(now_s)
        return reading is not None and reading.value is not None and abs(reading.value) <= settings.zero_band

    def is_light_for(self, duration_s: float, now_s: float) -> bool:
        """Whether less than a vehicle has stood on the platform for this long."""
        return (
            self.fresh(now_s) is not None
            and self.light_since_s is not None
            and (now_s - self.light_since_s >= duration_s)
        )

    def may_be_somebody(self, now_s: float) -> bool:
        """Whether a person may be what stands there, beyond the zero band and lighter than a vehicle.

        What came at once upon a zero stays somebody however long; how the rest came nobody saw, so it has to last.
        """
        reading, since_s = self.reading, self.light_since_s
        if since_s is None or reading is None or reading.value is None or reading.value.grams < 0:
            return False
        return self.is_step or now_s - since_s < SOMEBODY_S

    def is_settled(self, now_s: float) -> bool:
        """Whether the last reading is the weight of the whole vehicle: stable, or overload, after standing whole."""
        reading = self.fresh(now_s)
        if reading is None or self.whole_since_s is None:
            return False
        if reading.taken_monotonic_s - self.whole_since_s < WHOLE_HOLD_S:
            return False
        return reading.is_stable is True or reading.status is WeightStatus.OVERLOAD


def weigh(deck: Deck, reading: Reading, settings: DeckSettings) -> Deck:
    """Fold one reading into what is known."""
    at_zero = (
        reading.status is WeightStatus.OK
        and reading.value is not None
        and reading.is_stable is True
        and abs(reading.value) <= settings.zero_band
    )
    deck = replace(deck, reading=reading, is_zero_seen=deck.is_zero_seen or at_zero)
    return _note_light(deck, reading, settings)


def _note_light(deck: Deck, reading: Reading, settings: DeckSettings) -> Deck:
    """Keep since when something lighter than a vehicle stands there, and whether it came at once."""
    at_s, value = reading.taken_monotonic_s, reading.value
    if value is None or value >= settings.vehicle_above:
        return deck if deck.light_since_s is None else replace(deck, light_since_s=None)
    if abs(value) <= settings.zero_band:
        near_s = at_s if 2 * abs(value.grams) <= settings.zero_band.grams else deck.near_zero_s
        return replace(deck, light_since_s=None, near_zero_s=near_s)
    if deck.light_since_s is not None:
        return deck
    is_step = deck.near_zero_s is not None and at_s - deck.near_zero_s <= STEP_S
    return replace(deck, light_since_s=at_s, is_step=is_step)


def stand_whole(deck: Deck, *, is_whole: bool, now_s: float) -> Deck:
    """Note since when the whole vehicle stands on the platform."""
    if not is_whole:
        return deck if deck.whole_since_s is None else replace(deck, whole_since_s=None)
    return deck if deck.whole_since_s is not None else replace(deck, whole_since_s=now_s)


def forget_vehicle(deck: Deck) -> Deck:
    """The vehicle is gone: the next one needs a zero of its own."""
    return Deck(reading=deck.reading, near_zero_s=deck.near_zero_s)
