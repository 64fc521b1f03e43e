"""The answer's shape, the lane that would fit, texts in both languages, overrides, and what is said beforehand."""

from __future__ import annotations

from datetime import datetime

import pytest

from gate_service.domain.errors import CaseError
from gate_service.domain.verdict import Check, Verdict
from lanes.policy.case import read_case
from lanes.policy.engine import assess, assess_document
from lanes.policy.explain import LANGUAGES, driver_line, operator_paragraph, sentence
from lanes.policy.overrides import emergency_may_release, may_override, who_may_override
from lanes.policy.policy_reading import default_policy, read_policy
from lanes.policy.preassess import preassess
from lanes.policy.reasons import REASONS
from tests.fakes.policy_cases import (
    NOW,
    SLIP_NO,
    case,
    document,
    goods_line,
    hazardous,
    hazmat_entry,
    non_declared,
    registered_goods,
    service,
    slip,
)


def assessed(doc):
    return assess(read_case(doc))


def test_the_answer_has_the_contracts_shape():
    answer = assess_document(case(slip(total_kg=30002), vehicle={"seals": []}))
    assert list(answer) == ["verdict", "tier", "checks", "warnings", "lane"]
    assert answer["verdict"] == "inspect"
    assert [c["reason_code"] for c in answer["checks"]] == ["seal_mismatch", "total_weight_sum"]
    assert answer["warnings"] == ["total_weight_sum"]
    shape = ["reason_code", "verdict", "expected", "found", "allowed", "cause", "source"]
    assert all(list(c) == shape for c in answer["checks"])


def test_nothing_is_hidden_by_an_earlier_refusal():
    holds = [{"kind": "police", "id": "H"}]
    answer = assess_document(case(slip(status="void", holds=holds, documents=[]), vehicle={"seals": []}, weight=None))
    assert answer["verdict"] == "detain"
    assert [c["verdict"] for c in answer["checks"]] == ["detain", "refuse", "inspect", "review", "review"]


@pytest.mark.parametrize(
    ("doc", "lane"),
    [
        (case(), None),
        (non_declared(slip()), {"kind": "declared", "direction": "inbound", "hazmat": False}),
        (case(slip(direction="outbound")), {"kind": "declared", "direction": "outbound", "hazmat": False}),
        (case(slip(direction="sideways")), None),
        (case(slip(), slip(slip_no="Z2", direction="outbound")), None),
        (case(slip(goods=hazardous(hazmat_entry())), lane={"hazmat": False}),
         {"kind": "declared", "direction": "inbound", "hazmat": True}),
        (service(lane={"kind": "declared"}, policy={"register_on_declared_lane": False}),
         {"kind": "non_declared", "direction": "inbound", "hazmat": False}),
        (case(slip(), registered_goods(slip_no="Z2"), policy={"register_on_declared_lane": False}), None),
    ],
)  # fmt: skip
def test_the_lane_that_would_fit_is_named_only_where_this_one_does_not(doc, lane):
    assert assess_document(doc)["lane"] == lane


@pytest.mark.parametrize(
    ("change", "place"),
    [
        ({"now_at": None}, "now_at"),
        ({"now_at": "2026-11-22T08:00:00"}, "now_at"),
        ({"now_at": "2026-02-30T08:00:00Z"}, "now_at"),
        ({"lane": None}, "lane"),
        ({"lane": {"kind": "side"}}, "lane.kind"),
        ({"source": "rumour"}, "source"),
        ({"claim": "maybe"}, "claim"),
        ({"found_by": "luck"}, "found_by"),
        ({"slips": {}}, "slips"),
        ({"slips": [slip(), 7]}, "slips[1]"),
        ({"slips": [slip(slip_no=None)]}, "slips[0].slip_no"),
        ({"slips": [slip(total_kg="30000")]}, "slips[0].total_kg"),
        ({"slips": [slip(total_kg=1.0001)]}, "slips[0].total_kg"),
        ({"slips": [slip(documents=[document(licence=True)])]}, "slips[0].documents[0].licence"),
        ({"weight": {"stable": "yes"}}, "weight.stable"),
        ({"vehicle": {"containers": [7]}}, "vehicle.containers[0]"),
        ({"known": {"holds": [{"kind": "risk"}]}}, "known.holds[0].target"),
        ({"known": {"used": {"Z1": -1}}}, "known.used.Z1"),
        ({"secret": "xyz"}, "secret"),
    ],
)
def test_what_cannot_be_judged_is_refused_at_its_place(change, place):
    with pytest.raises(CaseError) as refused:
        assess_document(case(**change))
    assert str(refused.value).startswith(f"{place}: expected ")
    assert ", found " in str(refused.value)


def test_unknown_fields_are_ignored():
    assert assess_document(case(slip(colour="red")) | {"colour": "red"})["verdict"] == "release"


def test_left_out_source_is_the_copy_and_left_out_site_state_is_good():
    doc = case()
    for name in ("source", "claim", "site_state", "known", "policy", "secret", "scanned", "found_by"):
        del doc[name]
    assert assess_document(doc)["verdict"] == "release"
    del doc["as_of"]
    assert assess_document(doc)["checks"][0]["reason_code"] == "copy_stale"


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("code", REASONS)
def test_every_reason_has_texts_in_both_languages(code, language):
    reason = REASONS[code]
    assert 0 < len(reason.driver(language)) <= 32
    words = sentence(Check(code, Verdict.REVIEW, "this", "that", 1), {"kind": "slip"}, language)
    assert reason.meaning(language).lower() in words.lower()
    assert code in words


def test_a_detained_driver_reads_only_please_wait():
    doc = case(slip(status="void", holds=[{"kind": "police", "id": "H"}]))
    assert [driver_line(assessed(doc), lang) for lang in LANGUAGES] == ["请稍候", "Please wait"]


def test_the_paragraph_carries_the_numbers():
    told = assessed(case(weight={"gross_kg": 31000}))
    english, chinese = operator_paragraph(told, "en"), operator_paragraph(told, "zh")
    for words in (english, chinese):
        assert all(number in words for number in ("30000 kg", "31000 kg", "900 kg", "-1000 kg", "40 kg", "strict"))
    assert driver_line(told, "zh") == "重量不符，请稍候"
    assert driver_line(assessed(case()), "en") == "Please proceed"


def check(code, verdict=Verdict.REVIEW):
    return Check(code, verdict)


@pytest.mark.parametrize(
    ("checks", "hazardous_load", "spent", "who"),
    [
        ([], False, (), "operator"),
        ([check("overstay", Verdict.RELEASE)], True, (), "operator"),
        ([check("seal_mismatch")], False, (), "operator"),
        ([check("seal_mismatch")], False, ("seal_mismatch",), "supervisor"),
        ([check("plate_mismatch")], False, (), "supervisor"),
        ([check("plate_mismatch")], False, ("plate_mismatch",), "two"),
        ([check("seal_mismatch"), check("document_not_released")], False, (), "two"),
        ([check("seal_mismatch", Verdict.INSPECT)], False, (), "two"),
        ([check("seal_mismatch", Verdict.REFUSE)], False, (), "two"),
        ([check("seal_mismatch")], True, (), "two"),
        ([check("hold", Verdict.DETAIN)], False, (), "nobody"),
        ([check("slip_used", Verdict.REFUSE), check("seal_mismatch")], False, (), "nobody"),
    ],
)
def test_the_strictest_open_reason_says_who_may_override(checks, hazardous_load, spent, who):
    policy = read_policy({"override": {"seal_mismatch": "operator", "hold": "operator", "slip_used": "operator"}})
    assert who_may_override(checks, policy, hazardous=hazardous_load, spent=spent) == who


def test_in_an_emergency_only_what_the_lost_link_causes_may_be_released_by_one():
    lost = {"source": "local", "as_of": None, "claim": None, "site_state": {"holds_as_of": None}}
    anywhere = {"site_ids": []}
    assert emergency_may_release(assessed(case(slip(**anywhere), **lost)))
    assert not emergency_may_release(assessed(case(slip(**anywhere, goods=hazardous(hazmat_entry())), **lost)))
    assert not emergency_may_release(assessed(case(slip(**anywhere, goods=[goods_line(controls=["quota"])]), **lost)))
    assert not emergency_may_release(assessed(case(slip(**anywhere), known={"revoked": [SLIP_NO]}, **lost)))
    assert not emergency_may_release(assessed(case(slips=[], scanned="Z1", **lost)))
    assert may_override(assessed(case(slip(**anywhere), **lost)), default_policy()) == "supervisor"


def test_before_the_truck_comes_only_what_can_be_known_is_said():
    now = datetime.fromisoformat(NOW)
    assert preassess(slip(), site="K1", now=now) == ()
    told = preassess(
        registered_goods(goods=hazardous(hazmat_entry(name=None)), site_ids=["K2"], direction="outbound"),
        site="K1", now=now, policy={"spot_check": {"registered": 1}},
    )  # fmt: skip
    assert [c.reason_code for c in told] == ["slip_other_site", "hazmat_undeclared", "hazmat_incomplete"]
    with pytest.raises(CaseError):
        preassess(None, site="K1", now=now)
