"""What the weighbridge tells over time: empty, zero, settled; and that old readings are no knowledge."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from gate_service.domain.mass import Mass
from gate_service.domain.reading import Reading, StabilityFrom, WeightStatus
from lanes.platform import (
    FRESH_READING_S,
    WHOLE_HOLD_S,
    Deck,
    DeckSettings,
    forget_vehicle,
    stand_whole,
    weigh,
)

SETTINGS = DeckSettings(Mass.from_kg(20), Mass.from_kg(80_000), zero_band=Mass.from_kg(40))
AT = datetime(2026, 1, 1, tzinfo=UTC)


def _reading(kg, *, stable=True, at_s=10.0, status=WeightStatus.OK):
    value = None if kg is None else Mass.from_kg(kg)
    return Reading(status, value, stable, StabilityFrom.COMPUTED, None, str(kg), b"", AT, at_s)


@pytest.mark.parametrize(
    ("kg", "stable", "seen"),
    [(0, True, True), (40, True, True), (-40, True, True), (60, True, False), (0, False, False)],
)
def test_a_zero_is_a_stable_reading_within_the_band(kg, stable, seen):
    assert weigh(Deck(), _reading(kg, stable=stable), SETTINGS).is_zero_seen is seen


def test_the_next_vehicle_needs_a_zero_of_its_own():
    deck = weigh(Deck(), _reading(0), SETTINGS)
    assert forget_vehicle(deck).is_zero_seen is False


@pytest.mark.parametrize(("kg", "empty"), [(0, True), (199, True), (200, False), (-200, False), (31_240, False)])
def test_the_platform_is_empty_below_the_site_limit(kg, empty):
    assert weigh(Deck(), _reading(kg), SETTINGS).is_empty(SETTINGS, 10.0) is empty


def test_an_old_reading_says_nothing_about_the_platform():
    deck = weigh(Deck(), _reading(0), SETTINGS)
    late_s = 10.0 + FRESH_READING_S + 0.01
    assert deck.is_empty(SETTINGS, late_s) is None
    assert deck.is_loaded(SETTINGS, late_s) is False
    assert deck.is_settled(late_s) is False


@pytest.mark.parametrize("status", [WeightStatus.UNDERLOAD, WeightStatus.ERROR, WeightStatus.NO_DATA])
def test_a_fault_of_the_indicator_is_not_an_empty_platform(status):
    assert weigh(Deck(), _reading(None, status=status), SETTINGS).is_empty(SETTINGS, 10.0) is None


def test_overload_is_a_loaded_platform_and_a_settled_state():
    deck = weigh(stand_whole(Deck(), is_whole=True, now_s=1.0), _reading(None, status=WeightStatus.OVERLOAD), SETTINGS)
    assert deck.is_empty(SETTINGS, 10.0) is False
    assert deck.is_loaded(SETTINGS, 10.0)
    assert deck.is_settled(10.0)


@pytest.mark.parametrize(
    ("whole_since_s", "stable", "settled"),
    [
        (10.0 - WHOLE_HOLD_S, True, True),
        (10.0 - WHOLE_HOLD_S + 0.01, True, False),
        (5.0, False, False),
        (5.0, None, False),
    ],
)
def test_a_weight_settles_when_it_is_stable_and_the_vehicle_stood_whole_long_enough(whole_since_s, stable, settled):
    deck = stand_whole(Deck(), is_whole=True, now_s=whole_since_s)
    assert weigh(deck, _reading(31_240, stable=stable), SETTINGS).is_settled(10.0) is settled


def test_a_beam_interrupted_again_starts_the_standing_anew():
    deck = stand_whole(stand_whole(Deck(), is_whole=True, now_s=1.0), is_whole=False, now_s=2.0)
    assert deck.whole_since_s is None
    assert replace(deck, reading=_reading(31_240)).is_settled(10.0) is False
