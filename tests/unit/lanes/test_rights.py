"""Who releases what: every verdict and every role, budgets of a shift, the emergency regime."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from gate_service.domain.commands import Actor, ActorKind, Role
from gate_service.domain.errors import CommandRefusedError, NotPermittedError
from gate_service.domain.passage import Passage
from lanes.policy.policy_reading import read_policy
from lanes.rights import Ground, Right, right_to_release
from tests.fakes.duty import HandDuty

NOW = datetime(2026, 11, 24, 8, tzinfo=UTC)
SLIP = {"slip_no": "Z1", "type": "3"}
WORKING = (Role.OPERATOR, Role.SUPERVISOR, Role.CUSTOMS)


def person(role):
    return Actor("ann", role, ActorKind.USER)


def judged(*checks, verdict=None, **assessment):
    worst = max(
        (v for _, v in checks), key=["release", "review", "inspect", "refuse", "detain"].index, default="release"
    )
    answer = {
        "checks": [{"reason_code": code, "verdict": word} for code, word in checks],
        "hazmat": False, "controlled": False, "signature_valid": False, **assessment,
    }  # fmt: skip
    return Passage(
        "p-1", "in-1", "inbound", NOW, "review", case={"slips": [SLIP]}, assessment=answer,
        verdict=verdict or worst, override_by="supervisor", decided_version=1,
    )  # fmt: skip


def ground(duty=None, **policy):
    return Ground("declared", read_policy(policy or None), duty or HandDuty(), NOW)


def answer(passage, role, on):
    try:
        return "two" if right_to_release(passage, person(role), on).needs_second else "alone"
    except NotPermittedError:
        return "never"


EXPECTED = {
    # (reason, verdict): operator, supervisor, customs, by the default policy and the firm minimums of RULES 7
    (("weight_mismatch", "review"),): ("never", "alone", "alone"),
    (("document_not_released", "review"),): ("two", "two", "two"),
    (("hold", "inspect"),): ("two", "two", "two"),
    (("over_capacity", "refuse"),): ("two", "two", "two"),
    (("hazmat_mixing", "review"),): ("two", "two", "two"),
    (("hold", "detain"),): ("never", "never", "never"),
    (("slip_used", "refuse"),): ("never", "never", "never"),
    (("weight_mismatch", "review"), ("hold", "inspect")): ("two", "two", "two"),
    (("copy_stale", "review"), ("slip_used", "refuse")): ("never", "never", "never"),
}


@pytest.mark.parametrize("checks", EXPECTED)
def test_every_verdict_asks_for_the_people_that_the_rules_name(checks):
    found = tuple(answer(judged(*checks), role, ground()) for role in WORKING)
    assert found == EXPECTED[checks]


def test_what_is_released_by_the_rules_needs_nobody():
    assert right_to_release(judged(), person(Role.OPERATOR), ground()) == Right()


def test_a_release_on_older_facts_is_an_override_again():
    passage = replace(judged(), facts_version=2, override_by=None)
    with pytest.raises(CommandRefusedError):
        right_to_release(passage, person(Role.SUPERVISOR), ground())


def test_what_could_not_be_judged_needs_two():
    passage = replace(judged(verdict="review", error="unreadable"), override_by="two")
    assert [answer(passage, role, ground()) for role in WORKING] == ["two"] * 3


def test_a_spent_budget_asks_for_somebody_higher():
    duty = HandDuty()
    policy = {"override": {"plate_unread": "operator"}, "override_budget": {"plate_unread": 2, "weight_mismatch": 1}}
    for expected in ("alone", "alone", "never", "never"):
        assert answer(judged(("plate_unread", "review")), Role.OPERATOR, ground(duty, **policy)) == expected
        duty.released(["plate_unread"], None)
    assert answer(judged(("plate_unread", "review")), Role.SUPERVISOR, ground(duty, **policy)) == "alone"
    assert answer(judged(("weight_mismatch", "review")), Role.SUPERVISOR, ground(duty, **policy)) == "alone"
    duty.released(["weight_mismatch"], None)
    assert answer(judged(("weight_mismatch", "review")), Role.SUPERVISOR, ground(duty, **policy)) == "two"


def test_a_budget_of_nothing_is_spent_from_the_start():
    policy = {"override": {"plate_unread": "operator"}, "override_budget": {"plate_unread": 0}}
    assert answer(judged(("plate_unread", "review")), Role.OPERATOR, ground(**policy)) == "never"


LOST = ("copy_stale", "review")


def in_regime(passage, role=Role.OPERATOR, **terms):
    duty = HandDuty()
    duty.open_regime(NOW, **terms)
    on = ground(duty)
    found = answer(passage, role, on)
    right = right_to_release(passage, person(role), on) if found != "never" else None
    return found, right is not None and right.regime is not None


def test_in_a_regime_an_operator_alone_releases_what_only_the_lost_line_forbids():
    stale = judged(LOST, ("holds_stale", "review"), ("claim_unavailable", "review"))
    assert in_regime(stale) == ("alone", True)
    assert in_regime(judged(LOST, ("slip_unknown", "review"), signature_valid=True)) == ("alone", True)


@pytest.mark.parametrize(
    ("checks", "assessment"),
    [
        ((LOST,), {"hazmat": True}),
        ((LOST,), {"controlled": True}),
        ((LOST,), {"controlled": None}),
        ((LOST, ("hold", "inspect")), {}),
        ((LOST, ("hold", "detain")), {}),
        ((LOST, ("slip_used", "refuse")), {}),
        ((LOST, ("slip_revoked", "refuse")), {}),
        ((LOST, ("weight_mismatch", "review")), {}),
        ((LOST, ("clock_untrusted", "review")), {}),
        ((LOST, ("slip_unknown", "review")), {}),
    ],
)
def test_a_regime_lets_nothing_else_go(checks, assessment):
    assert in_regime(judged(*checks, **assessment)) in {("never", False), ("two", False)}


@pytest.mark.parametrize(
    "terms",
    [
        {"lane_kinds": ("non_declared",)},
        {"slip_types": ("1",)},
        {"ends_at": NOW},
        {"ends_at": NOW - timedelta(hours=1)},
        {"passages": 0},
    ],
)
def test_a_regime_that_does_not_reach_the_vehicle_lets_nothing_go(terms):
    assert in_regime(judged(LOST), **terms) == ("never", False)


def test_a_regime_does_not_reach_newer_facts_than_were_judged():
    assert in_regime(replace(judged(LOST), facts_version=2)) == ("never", False)


def test_who_may_alone_anyway_uses_nothing_of_the_regime():
    assert in_regime(judged(LOST), Role.SUPERVISOR) == ("alone", False)
