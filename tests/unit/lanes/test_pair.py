"""Two detectors as a pure automaton: direction, follower, reversing; a missed step is unknown."""

import itertools
from random import Random

import pytest

from gate_service.domain.reading import Presence
from lanes.interlocks import CLEAR_HOLD_S
from lanes.pair import STEPS, Pair, Phase, Seen, watch

POLL_S = 0.05
WORDS = {"0": Presence.CLEAR, "1": Presence.OCCUPIED, "?": Presence.UNKNOWN}


def _drive(steps, polls_each=14):
    """Fold steps like "10" (A, B), each long enough to count; returns the pair and what was said."""
    pair, now_s, said = Pair(), 50.0, []
    for bits in steps:
        for _ in range(polls_each):
            now_s += POLL_S
            pair, found = watch(pair, WORDS[bits[0]], WORDS[bits[1]], now_s)
            said += [found] if found else []
    return pair, said


@pytest.mark.parametrize(
    ("steps", "last"),
    [
        (["00", "10", "11", "01", "00"], Seen.WENT_FORWARD),
        (["10", "11", "10", "00"], Seen.WENT_BACK),
        (["10", "00"], Seen.WENT_BACK),
        (["01"], Seen.WRONG_WAY),
        (["01", "11", "10", "00"], Seen.WENT_THROUGH_WRONG_WAY),
        (["10", "11", "01", "11"], Seen.FOLLOWED),
        (["11"], Seen.MISSED),
        (["10", "01"], Seen.MISSED),
        (["10", "11", "00"], Seen.MISSED),
        (["10", "?1"], Seen.MISSED),
        (["10", "11", "1?"], Seen.MISSED),
    ],
)
def test_the_last_thing_said_of_a_movement(steps, last):
    assert _drive(steps)[1][-1] is last


def test_a_follower_goes_on_forward_and_is_told_once():
    pair, said = _drive(["10", "11", "01", "11", "01", "00"])
    assert (pair.phase, said.count(Seen.FOLLOWED), said[-1]) == (Phase.EMPTY, 1, Seen.WENT_FORWARD)


def test_a_drop_out_shorter_than_the_hold_time_is_the_same_vehicle():
    assert CLEAR_HOLD_S > 2 * POLL_S
    pair, now_s, said = Pair(), 50.0, []
    for bits, polls in (("10", 4), ("11", 20), ("01", 2), ("11", 20), ("10", 2), ("11", 20), ("01", 20), ("00", 20)):
        for _ in range(polls):
            now_s += POLL_S
            pair, found = watch(pair, WORDS[bits[0]], WORDS[bits[1]], now_s)
            said += [found] if found else []
    assert said == [Seen.ARRIVED, Seen.CAME_BETWEEN, Seen.WENT_FORWARD]


def test_an_unknown_pair_says_nothing_until_both_are_clear():
    pair, said = _drive(["10", "??", "11", "01", "11"])
    assert (pair.phase, said) == (Phase.UNKNOWN, [Seen.ARRIVED, Seen.MISSED])
    assert _drive(["10", "??", "01", "00", "10"])[1][-1] is Seen.ARRIVED


def test_inputs_lost_over_an_empty_pair_are_no_missed_step():
    assert _drive(["00", "??", "00", "10"])[1] == [Seen.ARRIVED]


def test_every_phase_knows_every_look():
    for phase, steps in STEPS.items():
        same = {Phase.EMPTY: (False, False)}.get(phase)
        left = [bits for bits in itertools.product((False, True), repeat=2) if bits not in steps and bits != same]
        assert len(left) <= (3 if phase is Phase.UNKNOWN else 1), phase


def _is_one_bit(before, after):
    return sum(x is not y for x, y in zip(before, after, strict=True)) == 1


def test_forward_is_never_said_without_all_four_steps_in_their_order():
    """Random looks: what is called forward was A, both, B alone, nothing, one bit at a time, since it was empty."""
    forwards = 0
    for seed in range(30):
        rng, pair, trail, now_s = Random(seed), Pair(), [(False, False)], 0.0
        for _ in range(400):
            bits = rng.choice(["00", "10", "11", "01", "00", "10", "11", "01", "??"])
            for _ in range(rng.choice((1, 12))):
                now_s += POLL_S
                before = (pair.a, pair.b)
                pair, said = watch(pair, WORDS[bits[0]], WORDS[bits[1]], now_s)
                if (pair.a, pair.b) != before:
                    trail.append((pair.a, pair.b))
                if said is Seen.WENT_FORWARD:
                    forwards += 1
                    assert all(_is_one_bit(*step) for step in itertools.pairwise(trail))
                    assert (trail[1], trail[-2]) == ((True, False), (False, True))
                    assert (True, True) in trail
                if pair.phase is Phase.EMPTY:
                    trail = [(False, False)]
    assert forwards > 8
