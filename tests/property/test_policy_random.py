"""The properties of the rules over passages of every kind, each bent in many ways at once."""

from __future__ import annotations

import copy

from hypothesis import given, settings
from hypothesis import strategies as st

from lanes.policy.defaults import DEFAULTS
from lanes.policy.engine import assess_document
from tests.fakes.policy_cases import SLIP_NO
from tests.fakes.policy_cases_random import random_case
from tests.fakes.replayed import decided_in_another_process, decisions, reasons_in
from tests.property.test_policy_properties import WORSENINGS, rank, shuffled

NUMBERS = st.integers(0, 10**9)
NAMES = st.text(st.characters(codec="utf-8"), min_size=1, max_size=12).filter(
    lambda name: name not in ("strict", "standard", "relaxed")
)


@given(NUMBERS, st.randoms(use_true_random=False))
@settings(max_examples=200, deadline=None)
def test_order_never_matters(number, rng):
    doc = random_case(number)
    assert assess_document(shuffled(doc, rng)) == assess_document(doc)


@given(NUMBERS, st.sampled_from(WORSENINGS))
@settings(max_examples=300, deadline=None)
def test_one_more_hold_staleness_or_mismatch_is_never_milder(number, worsen):
    doc = random_case(number)
    before = rank(doc)
    worsen(doc)
    assert rank(doc) >= before


TIGHTENINGS = [
    lambda p: p["tiers"]["strict"].update(tolerance_kg=0, tolerance_pct=0),
    lambda p: p["tiers"]["strict"].update(cap_kg=50),
    lambda p: p["tiers"]["standard"].update(p["tiers"]["strict"]),
    lambda p: p["tiers"]["sampled"].update(weigh="always"),
    lambda p: p["tiers"]["sampled"].update(rate=1),
    lambda p: p["tiers"]["exempt"].update(weigh="always", tolerance_kg=0, tolerance_pct=0),
    lambda p: p["tiers"]["relaxed"].update(cap_kg=100),
    lambda p: p.update(register_on_declared_lane=False),
    lambda p: p["spot_check"].update(advanced=1, registered=1, service=1),
    lambda p: p["offline"].update(slip_max_age_h=0),
    lambda p: p["offline"].update(hold_max_age_h=0),
    lambda p: p.update(assign=[{"when": {}, "tier": "strict"}]),
]


@given(NUMBERS, st.lists(st.sampled_from(TIGHTENINGS), min_size=1, max_size=4))
@settings(max_examples=300, deadline=None)
def test_a_tightened_policy_is_never_milder(number, tighten):
    doc = random_case(number)
    loose = {**copy.deepcopy(DEFAULTS), **copy.deepcopy(doc["policy"] or {})}
    for name in ("spot_check", "offline"):
        loose[name] = {**DEFAULTS[name], **loose[name]}
    tight = copy.deepcopy(loose)
    for change in tighten:
        change(tight)
    assert rank(doc | {"policy": tight}) >= rank(doc | {"policy": loose})


@st.composite
def policies(draw):
    """Any sound policy: tiers of any name and shape, assigned by any condition."""
    number = st.sampled_from((0, 1, 50, 200, 1000, 50_000))
    kgs = sorted(draw(st.lists(number, min_size=3, max_size=3)))
    pcts = sorted(draw(st.lists(st.integers(0, 20), min_size=3, max_size=3)))
    rows = zip(("strict", "standard", "relaxed"), kgs, pcts, strict=True)
    tiers = {n: {"weigh": "always", "tolerance_kg": kg, "tolerance_pct": pct} for n, kg, pct in rows}
    for name in tiers:
        if draw(st.booleans()):
            tiers[name]["cap_kg"] = draw(number)
    for name in draw(st.lists(NAMES, max_size=3, unique=True)):
        tiers[name] = {
            "weigh": draw(st.sampled_from(("never", "sampled", "always"))), "rate": draw(st.sampled_from((0, 0.5, 1))),
            "compare": draw(st.booleans()), "tolerance_kg": draw(number), "tolerance_pct": draw(st.integers(0, 20)),
        }  # fmt: skip
    conditions = st.dictionaries(
        st.sampled_from(("type", "credit", "direction", "category", "hazmat")), st.none(), max_size=2
    )
    values = {"type": list("1234567"), "credit": ["advanced", "registered", "dishonest"], "hazmat": [True, False],
              "direction": ["inbound", "outbound"], "category": ["office", "transit"]}  # fmt: skip
    lines = [
        {"when": {key: draw(st.lists(st.sampled_from(values[key]), max_size=3)) for key in draw(conditions)},
         "tier": draw(st.sampled_from(sorted(tiers)))}
        for _ in range(draw(st.integers(0, 4)))
    ]  # fmt: skip
    rate = st.sampled_from((0, 0.5, 1))
    return {
        "version": draw(NAMES.filter(str.strip)), "tiers": tiers, "assign": lines,
        "declared_types": draw(st.lists(st.sampled_from("1234567"), max_size=7)),
        "spot_check": {key: draw(rate) for key in ("advanced", "registered", "dishonest", "service")},
        "override": {"default": "operator", "hold": "operator", "slip_used": "operator"},
        "offline": {key: draw(st.sampled_from((0, 1, 8000))) for key in DEFAULTS["offline"]},
    }  # fmt: skip


def _allowed_kg(tier: dict, total_kg: float) -> float:
    return min(max(tier["tolerance_kg"], tier["tolerance_pct"] * total_kg / 100), tier.get("cap_kg", 10**9))


@given(NUMBERS, policies())
@settings(max_examples=400, deadline=None)
def test_whatever_the_policy_says_the_firm_rules_stand(number, policy):
    doc = random_case(number) | {"policy": policy}
    answer = assess_document(doc)
    fired = {check["reason_code"]: check for check in answer["checks"]}
    slips = doc["slips"]
    used = [s["slip_no"] for s in slips if doc["known"].get("used", {}).get(s["slip_no"], 0) >= s["pass_limit"]]
    if used:
        assert fired["slip_used"]["verdict"] == "refuse"
    police = [h for h in doc["known"].get("holds", ()) if h["kind"] == "police" and h["target"]["id"] == SLIP_NO]
    if police and any(s["slip_no"] == SLIP_NO for s in slips):
        assert answer["verdict"] == "detain"
    if len(slips) != 1:
        return
    (slip,) = slips
    credit = _credit(doc, slip)
    is_sensitive = credit == "dishonest" or any(
        line["controls"] or (line["hazmat"] or {}).get("flag") for line in slip["goods"]
    )
    is_outbound = doc["lane"]["direction"] == "outbound" and slip["type"] != "6"
    if not (is_sensitive or is_outbound):
        return
    weight = doc["weight"] or {}
    is_proven = weight.get("status", "ok") == "ok" and weight.get("gross_kg") is not None and all(
        weight.get(flag, True) is True for flag in ("stable", "fresh", "whole", "zeroed")
    )  # fmt: skip
    verified = doc["lane"]["verified_until_at"]
    if not is_proven or (verified is not None and verified < doc["now_at"]):
        assert "weight_missing" in fired
        return
    if slip["category"] == "transit" or slip["total_kg"] is None or slip["type"] == "6":
        return
    bounds = [policy["tiers"]["strict"]] if is_sensitive else []
    bounds += [policy["tiers"]["standard"]] if is_outbound else []
    allowed = min(_allowed_kg(bound, slip["total_kg"]) for bound in bounds)
    own = 3 * (doc["lane"]["interval_kg"] or 0)
    if abs(slip["total_kg"] - weight["gross_kg"]) > max(allowed, own):
        assert "weight_mismatch" in fired


def _credit(doc, slip) -> str:
    listed = [e["credit"] for e in doc["known"].get("enterprises", ())]
    own = (slip["enterprise"] or {}).get("credit")
    told = listed[0] if listed and slip["enterprise"] else own
    return told if told in ("advanced", "registered") else "dishonest"


def test_a_sample_of_generated_passages_replays_byte_for_byte_in_another_process():
    first = decisions(range(300))
    assert decided_in_another_process(0, 300, hash_seed="4711") == first
    assert len(reasons_in(first)) > 40
