"""Weight tiers: assignment, firm bounds, the strictest slip, what is allowed, and the cause of a difference."""

from __future__ import annotations

from fractions import Fraction

import pytest

from gate_service.domain.mass import Mass
from lanes.policy.engine import assess_document
from lanes.policy.tiers import Tier, Weigh, instrument_limit, is_no_wider
from tests.fakes.policy_cases import (
    PLATE,
    SLIP_NO,
    case,
    document,
    empty_vehicle,
    goods_line,
    hazardous,
    hazmat_entry,
    non_declared,
    outbound,
    registered_goods,
    service,
    slip,
    verdict_of,
)

TWO_STEP = {"type": "7", "goods_gross_kg": None, "total_kg": None}
THREE = {
    "strict": {"weigh": "always", "tolerance_kg": 100, "tolerance_pct": 3},
    "standard": {"weigh": "always", "tolerance_kg": 200, "tolerance_pct": 5},
    "relaxed": {"weigh": "always", "tolerance_kg": 500, "tolerance_pct": 10},
}


def advanced(make, **changes):
    return make(enterprise={"customs_code": "1", "credit": "advanced", "inside_fence": True}, **changes)


def lax(**tier):
    """A policy that gives everything one tier of another name."""
    return {"tiers": THREE | {"mine": tier}, "assign": [{"when": {}, "tier": "mine"}]}


def tier_of(doc):
    return assess_document(doc)["tier"]


@pytest.mark.parametrize(
    ("doc", "tier"),
    [
        (service(), "exempt"),
        (case(slip(goods=hazardous(hazmat_entry()))), "strict"),
        (case(advanced(slip, type="4", goods=[goods_line(controls=["quota"])])), "strict"),
        (case(slip(**TWO_STEP)), "record"),
        (case(slip(type="7", enterprise=None)), "strict"),
        (case(slip(category="transit")), "record"),
        (case(slip(category="transit", enterprise=None)), "record"),
        (outbound(), "standard"),
        (outbound(slip(**TWO_STEP)), "standard"),
        (outbound(empty_vehicle()), "standard"),
        (case(empty_vehicle()), "sampled"),
        (case(empty_vehicle(enterprise=None)), "strict"),
        (non_declared(advanced(registered_goods)), "exempt"),
        (non_declared(registered_goods()), "sampled"),
        (non_declared(registered_goods(category="other")), "relaxed"),
        (non_declared(registered_goods(enterprise={"credit": "unheard of"})), "strict"),
        (case(slip(type="4")), "standard"),
        (case(), "strict"),
    ],
)
def test_the_default_policy_assigns(doc, tier):
    assert tier_of(doc) == tier


@pytest.mark.parametrize(
    "tier",
    [
        {"weigh": "never"},
        {"weigh": "sampled", "rate": 0.5, "tolerance_kg": 1},
        {"weigh": "always", "compare": False},
        {"weigh": "always", "tolerance_kg": 201, "tolerance_pct": 5},
        {"weigh": "always", "tolerance_kg": 200, "tolerance_pct": 5.01},
    ],
)
def test_no_assignment_goes_past_a_firm_bound_whatever_its_name(tier):
    policy = lax(**tier)
    assert tier_of(outbound(policy=policy)) == "standard"
    assert tier_of(case(slip(goods=hazardous(hazmat_entry())), policy=policy)) == "strict"
    assert tier_of(case(slip(goods=[goods_line(controls=["duty"])]), policy=policy)) == "strict"
    assert tier_of(case(slip(enterprise={"credit": "dishonest"}), policy=policy)) == "strict"
    assert tier_of(outbound(slip(enterprise=None), policy=policy)) == "strict"
    assert tier_of(case(policy=policy)) == "mine"


def test_within_its_bound_an_assignment_keeps_its_name():
    assert tier_of(outbound(policy=lax(weigh="always", tolerance_kg=200, tolerance_pct=5))) == "mine"
    assert tier_of(outbound(slip(category="transit"), policy=lax(weigh="always", compare=False))) == "mine"
    assert tier_of(outbound(slip(**TWO_STEP), policy=lax(weigh="always", compare=False))) == "mine"


def test_the_registers_credit_wins_over_the_slips():
    known = {"enterprises": [{"customs_code": "1", "credit": "dishonest"}]}
    assert tier_of(non_declared(advanced(registered_goods), known=known)) == "strict"


def test_where_no_line_matches_the_narrowest_tier_counts():
    assert tier_of(case(slip(type="4"), policy={"assign": []})) == "strict"


def test_a_cap_lower_than_the_bound_is_not_wider_and_a_missing_one_is():
    capped = Tier("a", Weigh.ALWAYS, tolerance=Mass(200_000), tolerance_pct=Fraction(5), cap=Mass(300_000))
    open_ended = Tier("b", Weigh.ALWAYS, tolerance=Mass(200_000), tolerance_pct=Fraction(5))
    assert is_no_wider(capped, open_ended)
    assert not is_no_wider(open_ended, capped)
    steep = Tier("c", Weigh.ALWAYS, tolerance_pct=Fraction(6), cap=Mass(150_000))
    assert is_no_wider(steep, capped)


@pytest.mark.parametrize(
    ("load_kg", "limit_kg"), [(0, 20), (10_000, 20), (10_020, 40), (40_000, 40), (40_020, 60), (300_000, 60)]
)
def test_the_in_service_error_grows_with_the_load(load_kg, limit_kg):
    assert instrument_limit(Mass.from_kg(load_kg), Mass.from_kg(20)) == limit_kg * 1000
    assert instrument_limit(Mass.from_kg(load_kg), None) == 0


def test_allowed_is_never_below_the_instruments_own_limit():
    tiers = {name: t | {"tolerance_kg": 0, "tolerance_pct": 0} for name, t in THREE.items()}
    policy = {"tiers": tiers, "assign": []}
    assert verdict_of(case(policy=policy, weight={"gross_kg": 30040}), "weight_mismatch") is None
    assert verdict_of(case(policy=policy, weight={"gross_kg": 30040.001}), "weight_mismatch") == "review"


def test_the_cap_is_an_upper_bound():
    policy = lax(weigh="always", tolerance_kg=100, tolerance_pct=3, cap_kg=500)
    assert verdict_of(case(policy=policy, weight={"gross_kg": 30500}), "weight_mismatch") is None
    assert verdict_of(case(policy=policy, weight={"gross_kg": 30501}), "weight_mismatch") == "review"


@pytest.mark.parametrize(
    ("gross_kg", "tares", "cause"),
    [
        (31000, [14000], "vehicle"),
        (32200, [], "container"),
        (27800, [13000], "container"),
        (35000, [13000], "goods"),
        (31200, [13000, 14000, 15000], "vehicle"),
    ],
)
def test_a_difference_names_its_likely_cause(gross_kg, tares, cause):
    checks = assess_document(case(weight={"gross_kg": gross_kg}, known={"tares": {PLATE: tares}}))["checks"]
    (found,) = [c for c in checks if c["reason_code"] == "weight_mismatch"]
    assert found == {
        "reason_code": "weight_mismatch", "verdict": "review", "expected": 30000, "found": gross_kg, "allowed": 900,
        "cause": cause, "source": {"kind": "weighbridge", "error_kg": 60 if gross_kg > 40000 else 40},
    }  # fmt: skip


def test_several_slips_weigh_the_vehicle_once_and_every_goods():
    second = slip(slip_no="Z2", documents=[document(number="Q2")], goods_gross_kg=5000, total_kg=21200)
    assert verdict_of(case(slip(), second, weight={"gross_kg": 35000}), "weight_mismatch") is None
    assert verdict_of(case(slip(), second, weight={"gross_kg": 30000}), "weight_mismatch") == "review"


def test_one_of_several_without_weights_is_recorded_only():
    second = slip(slip_no="Z2", documents=[document(number="Q2")], **TWO_STEP)
    doc = case(slip(), second, weight={"gross_kg": 50000})
    assert verdict_of(doc, "weight_mismatch") is None
    assert tier_of(doc) == "strict"
    assert verdict_of(case(slip(), second, weight=None), "weight_missing") == "review"


def test_a_sampled_weight_that_is_there_is_compared_though_the_draw_did_not_ask():
    quiet = {f"weigh:{SLIP_NO}": False, f"spot:{SLIP_NO}": False}
    assert verdict_of(case(registered_goods(), weight={"gross_kg": 34000}, draws=quiet), "weight_mismatch") == "review"
    assert verdict_of(case(advanced(registered_goods), weight={"gross_kg": 34000}), "weight_mismatch") is None


def test_one_slip_drawn_is_the_vehicle_drawn():
    slips = registered_goods(), registered_goods(slip_no="Z2")
    draws = {f"weigh:{SLIP_NO}": False, "weigh:Z2": True}
    assert verdict_of(case(*slips, weight=None, draws=draws), "weight_missing") == "review"
    assert verdict_of(case(*slips, weight=None, draws=draws | {"weigh:Z2": False}), "weight_missing") is None
