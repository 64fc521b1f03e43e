"""A silent unit is asked rarely, and all of them together take a twentieth of the bus."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from devices.links.patience import SHARE, BusPatience

COST_S = 0.7  # time-out and quiet as delivered


def test_one_lost_answer_is_no_silence_and_two_in_a_row_are() -> None:
    patience = BusPatience()
    patience.missed(1, 0.0, COST_S)
    assert patience.wait_s(1, 0.0) == 0
    patience.answered(1)
    patience.missed(1, 1.0, COST_S)
    assert patience.wait_s(1, 1.0) == 0
    patience.missed(1, 2.0, COST_S)
    assert 13 < patience.wait_s(1, 2.0) + COST_S < 15


def test_a_unit_that_answers_is_asked_at_once_again() -> None:
    patience = BusPatience()
    patience.missed(1, 0.0, COST_S)
    patience.missed(1, 1.0, COST_S)
    patience.answered(1)
    assert patience.wait_s(1, 1.0) == 0


def test_the_silence_of_one_unit_is_not_the_others() -> None:
    patience = BusPatience()
    patience.missed(1, 0.0, COST_S)
    patience.missed(1, 1.0, COST_S)
    assert patience.wait_s(2, 1.0) == 0


def test_silent_units_take_turns_and_one_no_longer_asked_for_does_not_hold_the_next_up() -> None:
    patience = BusPatience()
    for unit in (1, 2):
        patience.missed(unit, 0.0, COST_S)
        patience.missed(unit, float(unit), COST_S)
    due_s = 2.0 + patience.wait_s(1, 2.0)
    assert patience.wait_s(1, due_s) == 0
    assert patience.wait_s(2, due_s) > 0
    assert patience.wait_s(2, due_s + 1.1) == 0


@settings(deadline=None, max_examples=25)
@given(st.integers(1, 6), st.floats(0.05, 2.0))
def test_all_silent_units_together_take_a_twentieth_of_the_bus_and_each_is_asked(silent: int, cost_s: float) -> None:
    patience, now_s, spent_s, asked = BusPatience(), 0.0, 0.0, dict.fromkeys(range(silent), 0)
    began_s = None
    while began_s is None or now_s < began_s + 12 * silent * cost_s / SHARE:
        for unit in range(silent):
            if patience.wait_s(unit, now_s) == 0:
                now_s += cost_s
                if began_s is not None:
                    spent_s += cost_s
                    asked[unit] += 1
                patience.missed(unit, now_s, cost_s)
        now_s += cost_s / 10
        if began_s is None and all(patience.is_silent(unit) for unit in range(silent)):
            began_s = now_s
    assert spent_s <= 1.02 * SHARE * (now_s - began_s) + cost_s
    assert min(asked.values()) >= 8
