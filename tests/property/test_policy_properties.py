"""Properties of the rules: stricter is never milder, order never matters, no policy undoes a firm rule."""

from __future__ import annotations

import copy
import random

from hypothesis import given, settings
from hypothesis import strategies as st

from gate_service.domain.errors import GateError
from lanes.policy.engine import assess_document
from lanes.routing import route_document
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
)

RANK = {"release": 0, "review": 1, "inspect": 2, "refuse": 3, "detain": 4}
BEFORE = "2026-11-20T08:00:00+08:00"
HAZARDOUS = slip(goods=hazardous(hazmat_entry(), hazmat_entry(un_no="1830", cas=None, **{"class": "8"})))
SECOND = slip(slip_no="Z2", documents=[document(number="Q2"), document(number="Q3", state="accepted")])
CASES = [
    case(),
    case(HAZARDOUS),
    case(slip(type="7", total_kg=None, goods_gross_kg=None)),
    case(slip(), SECOND, weight={"gross_kg": 43800}),
    case(slip(category="transit", documents=[document(state="submitted")])),
    case(empty_vehicle(), weight={"gross_kg": 16200}),
    case(weight=None, source="local"),
    outbound(),
    outbound(slip(return_due_at=BEFORE), known={"inside": [PLATE]}),
    non_declared(registered_goods()),
    service(),
    service(lane={"direction": "outbound"}, known={"came_in_kg": {PLATE: 29900}}),
]
cases = st.sampled_from(CASES).map(copy.deepcopy)


def rank(doc) -> int:
    return RANK[assess_document(doc)["verdict"]]


def add_hold(doc, kind, target):
    doc["known"].setdefault("holds", []).append(
        {"kind": kind, "id": "H", "target": {"type": target[0], "id": target[1]}}
    )


def worse_site(name, value):
    def change(doc):
        doc["site_state"][name] = value

    return change


def worse_vehicle(name, value):
    def change(doc):
        if doc["slips"]:  # without a slip another plate is another vehicle, not a mismatch
            doc["vehicle"][name] = value

    return change


WORSENINGS = [
    *[lambda doc, k=kind: add_hold(doc, k, ("vehicle", PLATE))
      for kind in ("inspection", "quarantine", "risk", "licence", "safety", "police")],
    lambda doc: add_hold(doc, "risk", ("slip", SLIP_NO)),
    lambda doc: doc.update(source="local"),
    lambda doc: doc.update(source="local", as_of=BEFORE),
    lambda doc: doc.update(source="local", as_of=None),
    lambda doc: doc.update(claim="refused"),
    worse_site("holds_as_of", None),
    worse_site("clock_error_s", None),
    worse_site("devices_safe", False),
    worse_vehicle("plate", "浙B99999"),
    worse_vehicle("trailer_plate", "浙B9999挂"),
    worse_vehicle("containers", ["HLXU4074106"]),
    worse_vehicle("seals", ["E9"]),
    worse_vehicle("legal_limit_kg", 1),
]  # fmt: skip


@given(cases, st.lists(st.sampled_from(WORSENINGS), min_size=1, max_size=6), st.sampled_from(WORSENINGS))
@settings(max_examples=150, deadline=None)
def test_adding_a_hold_staleness_or_a_mismatch_never_makes_it_milder(doc, before, one_more):
    for worsen in before:
        worsen(doc)
    milder = rank(doc)
    one_more(doc)
    assert rank(doc) >= milder


TIER_NAMES = ("strict", "standard", "relaxed")


@st.composite
def tier_sets(draw):
    """The three needed tiers, nested, and one of any shape."""
    kgs = sorted(draw(st.lists(st.integers(0, 2000), min_size=3, max_size=3)))
    pcts = sorted(draw(st.lists(st.integers(0, 20), min_size=3, max_size=3)))
    rows = zip(TIER_NAMES, kgs, pcts, strict=True)
    tiers = {n: {"weigh": "always", "tolerance_kg": kg, "tolerance_pct": pct} for n, kg, pct in rows}
    tiers["any name"] = {
        "weigh": draw(st.sampled_from(["never", "sampled", "always"])),
        "rate": draw(st.sampled_from([0, 0.5, 1])),
        "compare": draw(st.booleans()),
        "tolerance_kg": draw(st.integers(0, 100_000)),
        "tolerance_pct": draw(st.integers(0, 20)),
    }
    if draw(st.booleans()):
        tiers["any name"]["cap_kg"] = draw(st.integers(0, 3000))
    return tiers


def narrower(tiers, by_kg, by_pct):
    """The same names, each tier weighing more often and allowing less."""
    out = copy.deepcopy(tiers)
    for tier in out.values():
        for key in {"tolerance_kg", "cap_kg"} & tier.keys():  # a cap that stayed might then exceed its firm bound
            tier[key] = max(0, tier[key] - by_kg)
        tier["tolerance_pct"] = max(0, tier["tolerance_pct"] - by_pct)
    if out["any name"]["weigh"] == "sampled":
        out["any name"]["rate"] = 1
    return out


BY = st.tuples(st.integers(0, 500), st.integers(0, 5))


@given(cases, tier_sets(), BY, st.integers(27000, 33000), st.integers(1, 12))
@settings(max_examples=200, deadline=None)
def test_a_stricter_policy_is_never_milder(doc, tiers, by, gross_kg, age_h):
    if doc["weight"]:
        doc["weight"]["gross_kg"] = gross_kg
    doc["as_of"] = "2026-11-22T02:00:00+08:00"
    loose = {
        "tiers": tiers, "assign": [{"when": {}, "tier": "any name"}], "offline": {"slip_max_age_h": age_h + 1},
        "spot_check": {"registered": 0.1, "service": 0.1},
    }  # fmt: skip
    tight = {
        "tiers": narrower(tiers, *by), "assign": loose["assign"], "offline": {"slip_max_age_h": age_h},
        "spot_check": {"registered": 0.9, "service": 0.9}, "register_on_declared_lane": False,
    }  # fmt: skip
    assert rank(doc | {"policy": tight}) >= rank(doc | {"policy": loose})


def test_an_assignment_that_is_wider_than_its_bound_at_any_total_becomes_the_bound():
    """RULES 4, to the letter: so a bound that is made stricter can leave a vehicle a tier that allows it more here."""
    doc = outbound(weight={"gross_kg": 30100})
    assigned = {"weigh": "always", "tolerance_kg": 10, "tolerance_pct": 5, "cap_kg": 10}
    found = []
    for standard_kg in (10, 5):
        standard = {"weigh": "always", "tolerance_kg": standard_kg, "tolerance_pct": 20}
        tiers = {
            "strict": {**standard, "tolerance_kg": 0},
            "standard": standard,
            "relaxed": {**standard, "tolerance_kg": 10},
        }
        policy = {"tiers": tiers | {"of the site": assigned}, "assign": [{"when": {}, "tier": "of the site"}]}
        answer = assess_document(doc | {"policy": policy})
        found.append((answer["tier"], answer["verdict"]))
    assert found == [("of the site", "review"), ("standard", "release")]


@given(
    tier_sets(),
    st.sampled_from([
        HAZARDOUS,
        slip(goods=[goods_line(controls=["quota"])]),
        slip(enterprise={"credit": "dishonest"}),
        registered_goods(enterprise=None),
    ]),
    st.sampled_from(["inbound", "outbound"]),
    st.sampled_from([0, 1]),
)  # fmt: skip
@settings(max_examples=200, deadline=None)
def test_no_policy_undoes_a_firm_rule(tiers, firm, direction, rate):
    make = outbound if direction == "outbound" else case
    policy = {
        "tiers": tiers, "assign": [{"when": {}, "tier": "any name"}], "override": {"default": "operator"},
        "spot_check": {"advanced": rate, "registered": rate, "dishonest": rate, "service": rate},
        "offline": {"slip_max_age_h": 8000, "hazmat_max_age_h": 8000, "hold_max_age_h": 8000},
    }  # fmt: skip
    codes = {c["reason_code"] for c in assess_document(make(firm, policy=policy, weight=None))["checks"]}
    assert "weight_missing" in codes
    strict = tiers["strict"]
    allowed = max(strict["tolerance_kg"], 30000 * strict["tolerance_pct"] / 100, 60)
    far = make(firm, policy=policy, weight={"gross_kg": 30000 + allowed + 1})
    assert "weight_mismatch" in {c["reason_code"] for c in assess_document(far)["checks"]}
    held = [{"kind": "police", "id": "H"}]
    assert assess_document(make(firm | {"holds": held}, policy=policy))["verdict"] == "detain"
    used = make(firm, policy=policy, known={"used": {SLIP_NO: 1}})
    assert "slip_used" in {c["reason_code"] for c in assess_document(used)["checks"]}


@given(tier_sets())
@settings(max_examples=60, deadline=None)
def test_outbound_goods_are_always_weighed_no_wider_than_standard(tiers):
    policy = {"tiers": tiers, "assign": [{"when": {}, "tier": "any name"}]}
    assert assess_document(outbound(policy=policy, weight=None))["verdict"] == "review"
    allowed = max(tiers["standard"]["tolerance_kg"], 300 * tiers["standard"]["tolerance_pct"], 60)
    assert assess_document(outbound(policy=policy, weight={"gross_kg": 30001 + allowed}))["verdict"] == "review"


def shuffled(value, rng):
    """The same facts with every list that is a set in another order; tare histories stay oldest first."""
    if isinstance(value, dict):
        keys = list(value)
        rng.shuffle(keys)
        return {k: value[k] if k in ("tares", "policy") else shuffled(value[k], rng) for k in keys}
    if isinstance(value, list):
        items = [shuffled(v, rng) for v in value]
        rng.shuffle(items)
        return items
    return value


@given(cases, st.lists(st.sampled_from(WORSENINGS), max_size=6), st.randoms(use_true_random=False))
@settings(max_examples=150, deadline=None)
def test_the_order_of_documents_slips_and_holds_never_matters(doc, worsenings, rng):
    for worsen in worsenings:
        worsen(doc)
    assert assess_document(shuffled(doc, rng)) == assess_document(doc)


JUNK = st.one_of(
    st.none(), st.booleans(), st.integers(), st.integers(-10, 10), st.floats(), st.text(max_size=6),
    st.sampled_from(["", "1", "Z1", "inbound", BEFORE, "9999-12-31T23:59:59-23:59", "0001-01-01T00:00:00+23:59"]),
    st.sampled_from([10**30, 1e300, -1, 1e-9, 2**64]), st.just([]), st.just({}), st.just([[]]), st.just([{}]),
)  # fmt: skip


def places(value, path=()):
    """Every place of a document."""
    yield path
    rows = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, child in rows:
        yield from places(child, (*path, key))


def planted(doc, path, junk):
    doc = copy.deepcopy(doc)
    if not path:
        return junk
    node = doc
    for key in path[:-1]:
        node = node[key]
    node[path[-1]] = junk
    return doc


def outcome(judge, doc):
    """The verdict or lane, or the code of the error: anything but a GateError is a crash and fails the test."""
    try:
        answer = judge(doc)
    except GateError as error:
        return error.code
    return answer["verdict"] if "verdict" in answer else answer["lane"]


FULL = outbound(
    slip(
        holds=[{"kind": "risk", "id": "H", "target": {"type": "slip", "id": "Z"}}], return_due_at=BEFORE,
        signature="e30.e30.AA", longest_stay_h=3, goods=hazardous(hazmat_entry(subsidiary=["8"]), hazmat_entry()),
        documents=[document(mode="batch", guarantee={"required_cny": 2, "available_cny": 1})],
    ),
    scanned=SLIP_NO,
    source="local",
    draws={"weigh:Z": True},
    known={
        "declarations": [{"number": "331120261000000001", "trucks": "many", "total_gross_kg": 5, "passed_gross_kg": 1,
                          "closed": True}],
        "enterprises": [{"customs_code": "3311660001", "credit": "advanced"}], "tares": {PLATE: [1, 2, 3]},
        "vehicles": [{"plate": PLATE, "valid_from_at": BEFORE, "valid_until_at": BEFORE}],
        "holds": [{"kind": "risk", "target": {"type": "vehicle", "id": PLATE}}], "used": {SLIP_NO: 1},
        "revoked": ["Z3"], "inside": [PLATE], "inside_since_at": {PLATE: BEFORE}, "came_in_kg": {PLATE: 3000},
        "keys": [{"kty": "OKP", "crv": "Ed25519", "x": "AA", "kid": "k"}],
        "temporary_exits": [{"slip_no": "Z9", "customs_code": "3311660001", "return_due_at": BEFORE}],
    },
)  # fmt: skip
FULL["policy"] = {
    "version": "1", "offline": {"slip_max_age_h": 1}, "override": {"hold": "two"}, "declared_types": ["1"],
    "assign": [{"when": {"type": ["5"], "hazmat": True}, "tier": "strict"}], "spot_check": {"service": 0.1},
    "tiers": {n: {"weigh": "always", "tolerance_kg": 1, "tolerance_pct": 1, "cap_kg": 5} for n in TIER_NAMES},
}  # fmt: skip
ROUTE = {
    "lanes": [{"id": "A", "kind": "declared", "direction": "outbound", "open": True, "healthy": True, "hazmat": True,
               "weighs": True, "max_capacity_kg": 80000, "queue": 1, "mean_passage_s": 30}],
    "slips": FULL["slips"], "vehicle": FULL["vehicle"], "policy": None, "secret": "00",
}  # fmt: skip
ROUTE_OUTCOMES = ("A", None, "case_invalid", "policy_invalid")
FULL_PLACES, ROUTE_PLACES = list(places(FULL)), list(places(ROUTE))


@given(st.lists(st.tuples(st.sampled_from(FULL_PLACES), JUNK), min_size=1, max_size=2))
@settings(max_examples=500, deadline=None)
def test_a_mutated_case_is_judged_or_refused_by_name(mutations):
    doc = FULL
    for path, junk in mutations:
        try:
            doc = planted(doc, path, junk)
        except (KeyError, IndexError, TypeError):
            continue
    assert outcome(assess_document, doc) in (*RANK, "case_invalid", "policy_invalid")


@given(st.sampled_from(ROUTE_PLACES), JUNK)
@settings(max_examples=150, deadline=None)
def test_a_mutated_routing_case_is_answered_or_refused_by_name(path, junk):
    assert outcome(route_document, planted(ROUTE, path, junk)) in ROUTE_OUTCOMES or path[-1:] == ("id",)


def test_the_unmutated_full_case_is_judged():
    assert assess_document(FULL)["verdict"] == "refuse"


def test_generated_passages_replay_byte_for_byte():
    rng = random.Random(20261122)
    for _ in range(1000):
        doc = copy.deepcopy(rng.choice(CASES))
        for worsen in rng.choices(WORSENINGS, k=rng.randrange(5)):
            worsen(doc)
        assert repr(assess_document(doc)) == repr(assess_document(copy.deepcopy(doc)))
