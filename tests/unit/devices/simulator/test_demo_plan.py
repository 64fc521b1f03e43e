"""The demo's plan: the same trucks for the same seed, every story told, every slip sound."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from devices.simulator.demo.draws import fraction, is_spot_checked, secret_for
from devices.simulator.demo.plan import first_visits, yard_plan
from devices.simulator.demo.site import LANES
from devices.simulator.demo.slips import CHEMICALS, container_of, plate_of, trailer_of
from devices.simulator.demo.stories import STORIES, Expected, Visit
from gate_service.domain.vehicle import container_check_digit_fits

NOW = datetime(2026, 11, 22, 8, 0, tzinfo=UTC)
# reference/customs-gate.md, chapter 5 and 2.3
PLATE = re.compile(r"[\u4e00-\u9fff][A-HJ-NP-Z][A-HJ-NP-Z0-9]{4}[A-HJ-NP-Z0-9挂学警港澳]")
SLIP_NO = re.compile(r"Z\d{4}[IE]\d{6}[0-9T]\d{11}")


def slips_of(visits: tuple[Visit, ...]) -> list[dict]:
    return [slip for visit in visits if (slip := visit.slip(NOW)) is not None]


def test_the_same_seed_gives_the_same_trucks_slips_and_verdicts():
    first, second = first_visits(7, 60), first_visits(7, 60)
    assert first == second
    assert slips_of(first) == slips_of(second)
    assert yard_plan(7, 10.0, first) == yard_plan(7, 10.0, second)


def test_another_seed_gives_other_trucks():
    assert [visit.mass_kg for visit in first_visits(1, 24)] != [visit.mass_kg for visit in first_visits(2, 24)]


def test_a_longer_run_begins_with_the_trucks_of_a_shorter_one():
    assert first_visits(3, 40)[:12] == first_visits(3, 12)


@pytest.mark.parametrize("seed", range(5))
def test_a_dozen_trucks_tell_every_story(seed):
    visits = first_visits(seed, 12)
    assert {visit.story for visit in visits} == {story.name for story in STORIES}
    assert {"release", "review", "inspect", "refuse", None} <= {visit.expected.verdict for visit in visits}


def test_every_lane_has_its_share_of_the_trucks():
    visits = first_visits(1, 40)
    shares = [sum(visit.lane is lane for visit in visits) for lane in LANES]
    assert min(shares) >= 5
    assert max(shares) <= 10
    assert all(0.5 <= visit.arrive_after_s <= 20 for visit in visits)


def test_numbers_plates_and_containers_have_the_public_forms():
    visits = first_visits(11, 120)
    slips = slips_of(visits)
    assert len({slip["slip_no"] for slip in slips}) == len(slips)
    for slip in slips:
        assert SLIP_NO.fullmatch(slip["slip_no"])
        assert PLATE.fullmatch(slip["vehicle"]["plate"])
        assert slip["vehicle"]["trailer_plate"] is None or PLATE.fullmatch(slip["vehicle"]["trailer_plate"])
        assert all(container_check_digit_fits(box["number"]) for box in slip["containers"])
    assert len({visit.plate for visit in visits}) == len(visits)


def test_the_check_digit_agrees_with_the_standards_own_example():
    assert container_check_digit_fits(container_of(305_438))
    assert trailer_of(12).endswith("挂")
    assert plate_of(100_007) == plate_of(7)


def test_declared_totals_are_the_sum_of_their_parts():
    for slip in slips_of(first_visits(5, 120)):
        if slip["total_kg"] is None:
            assert slip["type"] == "7"
            continue
        vehicle = slip["vehicle"]
        parts = [vehicle["tare_kg"], vehicle["trailer_tare_kg"], slip["goods_gross_kg"]]
        parts += [box["tare_kg"] for box in slip["containers"]]
        assert sum(part or 0 for part in parts) == slip["total_kg"]
        assert sum(line["gross_kg"] for line in slip["goods"]) == (slip["goods_gross_kg"] or 0)


def test_types_without_documents_have_none_and_the_others_exactly_one():
    for slip in slips_of(first_visits(5, 120)):
        if slip["type"] in {"5", "6"}:
            assert slip["bind"] is None
            assert slip["documents"] == []
        else:
            assert slip["bind"] == "2"
            assert len(slip["documents"]) == 1


def test_chemicals_stand_in_the_list_with_their_class_and_a_right_cas_number():
    for chemical in CHEMICALS:
        digits = chemical.cas.replace("-", "")
        weighed = sum(place * int(digit) for place, digit in enumerate(reversed(digits[:-1]), start=1))
        assert weighed % 10 == int(digits[-1])


def test_what_a_lane_cannot_look_at_is_not_reported():
    for visit in first_visits(2, 60):
        truck = visit.to_yard()
        if not visit.lane.looks:
            assert truck["containers_read"] is None
            assert truck["trailer_plate_read"] is None


def test_a_weight_that_fits_is_within_the_narrowest_tier_and_an_overload_beyond_the_widest():
    for visit in first_visits(9, 240):
        if visit.load is None or visit.load.slip_type == "7":
            continue
        excess_kg = visit.mass_kg - visit.load.total_kg
        if visit.story == "overloaded":
            assert excess_kg > max(500, visit.load.total_kg * 10 // 100) + 100
        else:
            assert abs(excess_kg) <= 80


def test_the_strictest_reason_gives_the_verdict():
    assert Expected.of(()).verdict == "release"
    assert Expected.of(("weight_mismatch", "spot_check")).verdict == "inspect"
    assert Expected.of(("plate_mismatch", "slip_used")).verdict == "refuse"


def test_draws_follow_the_rate():
    secret = secret_for(1)
    drawn = sum(is_spot_checked(secret, f"Z{n}", "registered") for n in range(4_000))
    assert 140 < drawn < 260  # 5 % of 4 000 is 200; five standard deviations are 69
    assert 0 <= fraction(secret, "spot:", "Z1") < 1
    assert all(is_spot_checked(secret, f"Z{n}", "dishonest") for n in range(100))


def test_a_drawn_truck_is_expected_at_the_inspection():
    drawn = [v for seed in range(30) for v in first_visits(seed, 60) if "spot_check" in v.expected.reasons]
    assert drawn
    for visit in drawn:
        assert visit.expected.verdict in {"inspect", "refuse"}
        assert visit.answer is not None


def test_whoever_waits_for_a_person_gets_an_answer_and_nobody_else():
    for visit in first_visits(4, 240):
        waits = visit.expected.verdict in {"review", "inspect", "refuse"}
        assert (visit.answer is not None) == waits


def test_the_yard_gets_no_slip_that_a_truck_does_not_carry():
    visit = first_visits(1, 1)[0]
    assert replace(visit, load=None).to_yard()["scan"] == []
    assert visit.to_yard()["scan"] == [visit.slip_no]
