"""A recorded case decided anew: the same, or what differs; and past passages under another policy."""

from __future__ import annotations

import copy

import pytest

from gate_service.domain.errors import CaseError
from lanes.policy.case import read_case
from lanes.policy.defaults import DEFAULTS
from lanes.policy.engine import assess
from lanes.policy.redecide import compare, decide_again, replay
from tests.fakes.policy_cases import case, outbound, registered_goods, slip

MISMATCH = "weight_mismatch (review): expected 30000, found 40000"


def passage(number, document):
    """A passage document as the record keeps it."""
    judged = assess(read_case(document)).as_record()
    return {"id": f"p{number}", "lane": "in-1", "plate": "x", "opened_at": "t", "case": document, "assessment": judged}


def test_a_stored_passage_decides_the_same_from_its_own_facts():
    found = replay("p1", passage(1, case(weight={"gross_kg": 40000})))
    assert found.is_same
    assert found.differences() == []
    assert found.as_document()["now"]["reasons"] == ["weight_mismatch"]


@pytest.mark.parametrize(
    ("change", "line"),
    [
        (lambda a: a.update(verdict="release"), "verdict: recorded release, now review"),
        (lambda a: a.update(tier="relaxed"), "tier: recorded relaxed, now strict"),
        (lambda a: a.update(lane={"kind": "declared"}), "lane: recorded {'kind': 'declared'}, now None"),
        (lambda a: a["checks"][0].update(allowed=901), f"no longer: {MISMATCH}, allowed 901, cause goods"),
        (lambda a: a["checks"].clear(), f"new: {MISMATCH}, allowed 900, cause goods"),
    ],
)  # fmt: skip
def test_what_differs_is_said(change, line):
    stored = passage(1, case(weight={"gross_kg": 40000}))
    change(stored["assessment"])
    found = replay("p1", stored)
    assert not found.is_same
    assert line in found.differences()


def test_only_where_a_number_comes_from_may_be_told_otherwise():
    stored = passage(1, case(weight={"gross_kg": 40000}))
    stored["assessment"]["checks"][0]["source"] = "weighbridge, limit of error 40 kg"  # as earlier versions wrote it
    assert replay("p1", stored).is_same


def test_a_case_that_could_not_be_judged_still_cannot():
    stored = passage(1, case())
    stored["case"]["now_at"] = None
    stored["assessment"] = {"verdict": "review", "tier": None, "checks": [], "lane": None, "error": "now_at: …"}
    assert replay("p1", stored).is_same
    stored["case"] = case()
    assert replay("p1", stored).differences() == [
        "verdict: recorded not_judged, now release",
        "tier: recorded None, now strict",
    ]


def test_a_passage_that_was_never_judged_is_refused():
    with pytest.raises(CaseError, match="never judged"):
        replay("p1", {"id": "p1", "case": None, "assessment": None})


def test_another_policy_is_compared_passage_by_passage():
    stricter = copy.deepcopy(DEFAULTS)
    stricter["tiers"]["strict"]["tolerance_pct"] = 1
    documents = [
        passage(1, case(weight={"gross_kg": 30600})),  # 2 % off: passes at 3 %, not at 1 %
        passage(2, case(weight={"gross_kg": 30200})),
        passage(3, outbound(slip(), weight={"gross_kg": 31200})),  # standard is as it was
        passage(4, case(registered_goods(goods=[]), policy=None)),
        {"id": "p5", "case": None},
    ]
    found = compare(documents, None, stricter)
    assert (found.compared, found.skipped, found.changes) == (4, 1, 1)
    assert dict(found.verdicts) == {("release", "review"): 1, ("release", "release"): 2, ("review", "review"): 1}
    assert dict(found.reasons_new) == {"weight_mismatch": 1}
    (changed,) = found.as_document()["passages"]
    assert (changed["passage"], changed["added"], changed["gone"]) == ("p1", ["weight_mismatch"], [])


def test_the_list_is_bounded_and_the_counts_are_not():
    documents = [passage(n, case(weight={"gross_kg": 30600})) for n in range(5)]
    stricter = copy.deepcopy(DEFAULTS)
    stricter["tiers"]["strict"] |= {"tolerance_kg": 0, "tolerance_pct": 0}
    found = compare(documents, None, stricter, most=2)
    assert (found.changes, len(found.changed)) == (5, 2)


def test_the_same_policy_changes_nothing():
    documents = [passage(n, case(weight={"gross_kg": 30000 + 400 * n})) for n in range(5)]
    assert compare(documents, None, copy.deepcopy(DEFAULTS)).changes == 0


def test_deciding_again_leaves_the_case_as_it_is():
    document = case()
    before = copy.deepcopy(document)
    decide_again(document)
    assert document == before
