"""What an emergency regime may be, and how far it reaches."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from gate_service.domain.errors import InputError
from gate_service.domain.regime import Regime, RegimeTerms, regime_of

NOW = datetime(2026, 11, 24, 8, tzinfo=UTC)
TERMS = RegimeTerms("line cut", ("declared",), ("1", "3"), NOW + timedelta(hours=8), 2)
REGIME = Regime("r-1", TERMS, NOW, "user:olga", "user:sue")


@pytest.mark.parametrize(
    ("changed", "place"),
    [
        ({"reason": "  "}, "reason"),
        ({"lane_kinds": ()}, "lane_kinds"),
        ({"lane_kinds": ("fast",)}, "lane_kinds"),
        ({"slip_types": ("8",)}, "slip_types"),
        ({"ends_at": NOW + timedelta(hours=8, seconds=1)}, "ends_at"),
        ({"ends_at": NOW}, "ends_at"),
        ({"ends_at": datetime(2026, 11, 24, 9)}, "ends_at"),  # noqa: DTZ001 - a time without its offset
        ({"passages": 0}, "passages"),
        ({"passages": 501}, "passages"),
    ],
)
def test_terms_that_the_rules_do_not_allow_are_refused_at_their_place(changed, place):
    assert TERMS.checked(NOW) is TERMS
    with pytest.raises(InputError, match=f"^{place}:"):
        replace(TERMS, **changed).checked(NOW)


def test_it_ends_with_its_time_with_its_passages_and_when_it_is_closed():
    assert REGIME.is_open(TERMS.ends_at - timedelta(seconds=1))
    assert not REGIME.is_open(TERMS.ends_at)
    assert not replace(REGIME, used=2).is_open(NOW)
    assert not replace(REGIME, closed_at=NOW).is_open(NOW)


def test_it_reaches_its_lane_classes_and_slip_types_only():
    assert REGIME.reaches("declared", {"1", "3"}, NOW)
    assert not REGIME.reaches("non_declared", {"1"}, NOW)
    assert not REGIME.reaches("declared", {"1", "2"}, NOW)
    assert not REGIME.reaches("declared", set(), NOW)
    assert replace(REGIME, terms=replace(TERMS, slip_types=("unknown",))).reaches("declared", set(), NOW)


def test_it_is_read_back_as_it_was_written():
    assert regime_of(REGIME.document(), used=1) == replace(REGIME, used=1)
