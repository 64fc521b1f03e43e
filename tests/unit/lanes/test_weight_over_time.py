"""The weighbridge over time: zero warnings, return to zero, creep, the curve of one vehicle, the verification's end."""

from datetime import UTC, datetime, timedelta

import pytest

from gate_service.domain.mass import Mass
from gate_service.domain.reading import Reading, StabilityFrom, WeightStatus
from lanes.curve import MOST_POINTS, Curve, count_steps, follow
from lanes.platform import Deck, DeckSettings, weigh
from lanes.snapshot import lane_snapshot
from lanes.states import LaneState
from lanes.verification import days_left, verification_state
from lanes.zero_watch import ZeroWatch, zero_fault
from tests.fakes.lane_rig import START, LaneRig

SETTINGS = DeckSettings(Mass.from_kg(20), Mass.from_kg(80_000), zero_band=Mass.from_kg(40))
AT = datetime(2026, 1, 1, tzinfo=UTC)


def _reading(kg, at_s, status=WeightStatus.OK):
    value = None if kg is None else Mass.from_kg(kg)
    return Reading(status, value, True, StabilityFrom.COMPUTED, None, str(kg), b"", AT, at_s)


def _deck(*readings):
    deck = Deck()
    for kg, at_s in readings:
        deck = weigh(deck, _reading(kg, at_s), SETTINGS)
    return deck


@pytest.mark.parametrize(
    ("readings", "says"),
    [
        ([(0, 1.0)], None),
        ([(20, 1.0)], None),
        ([(40, 1.0)], "zero_creep"),
        ([(-40, 1.0)], "zero_creep"),
        ([(0, 1.0), (80, 1.1)], "light_load"),
        ([(0, 1.0), (260, 1.1)], "light_load"),
        ([(0, 1.0), (40, 9.0), (60, 10.0)], "zero_off"),
        ([(0, 1.0), (40, 5.0), (120, 9.0), (260, 9.5)], "something_on_platform"),
        ([(0, 1.0), (-80, 1.1)], "zero_off"),
        ([(0, 1.0), (900, 1.1)], "something_on_platform"),
    ],
)
def test_what_an_empty_platform_shows_instead_of_a_zero(readings, says):
    assert zero_fault(_deck(*readings), SETTINGS, readings[-1][1] + 0.1) == says


@pytest.mark.parametrize(
    ("status", "says"),
    [
        (WeightStatus.OVERLOAD, "overload"),
        (WeightStatus.UNDERLOAD, "underload"),
        (WeightStatus.OUT_OF_RANGE, "out_of_range"),
        (WeightStatus.ERROR, "indicator_error"),
    ],
)
def test_an_indicator_that_says_no_weight_is_named_by_its_word(status, says):
    deck = weigh(Deck(), _reading(None, 1.0, status), SETTINGS)
    assert zero_fault(deck, SETTINGS, 1.1) == says


def test_what_is_left_when_the_vehicle_is_gone_is_no_return_to_zero_until_a_zero_is_seen():
    watch, now_s = ZeroWatch(), 10.0
    watch.look(LaneState.WEIGHING, _deck((30_000, now_s)), SETTINGS, now_s)
    said = []
    for second in range(12):
        at_s = now_s + second
        if watch.look(LaneState.IDLE, _deck((80, at_s)), SETTINGS, at_s):
            said.append(watch.fault)
    assert said == ["no_return_to_zero"]
    assert watch.look(LaneState.IDLE, _deck((0, 30.0)), SETTINGS, 30.0)
    assert watch.fault is None
    for second in range(12):
        watch.look(LaneState.IDLE, _deck((80, 31.0 + second)), SETTINGS, 31.0 + second)
    assert watch.fault == "zero_off"


def test_creep_is_told_after_a_minute_and_does_not_keep_anybody_out():
    watch = ZeroWatch()
    said = [n for n in range(70) if watch.look(LaneState.IDLE, _deck((40, float(n))), SETTINGS, float(n))]
    assert (said, watch.fault) == ([60], "zero_creep")
    assert _deck((40, 1.0)).is_at_zero(SETTINGS, 1.1)


def _follow(*readings):
    curve = Curve()
    for at_s, kg in readings:
        curve = follow(curve, _reading(kg, at_s), zero_band=SETTINGS.zero_band, interval=SETTINGS.interval)
    return curve


def test_axles_that_drive_on_one_after_the_other_are_steps_of_the_curve():
    curve = _follow(
        (1.0, 0), (1.1, 0), (1.5, 4_000), (1.6, 5_100), (2.4, 5_120), (2.5, 12_000), (3.5, 12_020), (3.6, 20_000)
    )
    assert (curve.axle_steps(), curve.points[0], curve.points[-1]) == (3, (400, 4_000_000), (2_500, 20_000_000))


def test_a_load_that_is_suddenly_there_is_one_step():
    assert _follow((1.0, 0), (1.1, 20_000), (5.0, 20_020)).axle_steps() == 1
    assert count_steps(()) == 0


def test_without_a_zero_before_nothing_is_kept_and_a_zero_begins_anew():
    assert _follow((1.0, 20_000), (2.0, 25_000)).points == ()
    assert _follow((1.0, 0), (2.0, 9_000), (3.0, 20)).points == ()


def test_a_curve_has_an_end_of_its_length_and_keeps_its_last_point():
    curve = _follow((0.0, 0), *((0.1 * n, 1_000 + 40 * n) for n in range(1, 1000)))
    assert len(curve.points) <= MOST_POINTS
    assert curve.points[-1][1] == (1_000 + 40 * 999) * 1000
    assert [at for at, _ in curve.points] == sorted(at for at, _ in curve.points)


@pytest.mark.parametrize(
    ("left", "state", "days"),
    [
        (None, "unknown", None),
        (timedelta(days=31), "valid", 31),
        (timedelta(days=30), "ends_soon", 30),
        (timedelta(0), "ends_soon", 0),
        (timedelta(seconds=-1), "ended", 0),
    ],
)
def test_the_end_of_a_verification_is_seen_a_month_ahead(left, state, days):
    until_at = None if left is None else AT + left
    assert (verification_state(until_at, AT), days_left(until_at, AT)) == (state, days)


async def test_a_lane_tells_once_that_its_verification_ends_soon_and_shows_it():
    async with LaneRig() as rig:
        settings = {"verified_until_at": START + timedelta(days=10)}
        rig.lane.settings = type(rig.lane.settings)(
            **{name: getattr(rig.lane.settings, name) for name in rig.lane.settings.__slots__} | settings
        )
        await rig.run(3)
        shown = lane_snapshot(rig.lane)["weighbridge"]
        assert (shown["verification"], shown["verification_days_left"]) == ("ends_soon", 9)
        faults = [e.facts["fault"] for e in rig.journal.entries if e.kind == "device.fault"]
        assert faults == ["verification_ends_soon"]


@pytest.mark.parametrize(("kg", "says"), [(0, "empty"), (80, "not_at_zero"), (30_000, "settled")])
async def test_the_snapshot_says_in_one_word_what_the_platform_is(kg, says):
    async with LaneRig() as rig:
        rig.kg = kg
        await rig.run(2)
        assert lane_snapshot(rig.lane)["weight"]["state"] == says
