"""Who may say something milder than the rules: RULES 7, and the emergency regime of RULES 6. Pure."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from typing import Any, Final, Literal

from gate_service.domain.verdict import Check, Verdict
from lanes.policy.engine import Assessment
from lanes.policy.policy import Policy

Approver = Literal["operator", "supervisor", "two", "nobody"]
ORDER: Final[tuple[Approver, ...]] = ("operator", "supervisor", "two", "nobody")
EMERGENCY_REASONS: Final = frozenset({"copy_stale", "holds_stale", "claim_unavailable", "slip_unknown"})


def who_may_override(
    checks: Iterable[Check], policy: Policy, *, hazardous: bool, spent: Collection[str] = ()
) -> Approver:
    """Who may release against these checks; the strictest of all open reasons counts.

    `spent` are the reason codes whose override budget of this shift is used up. Firm: nobody for detain and a used
    slip, two for inspect, refuse and anything hazardous. Without an open reason nothing is overridden: operator.
    """
    reasons = [(c.reason_code, c.verdict) for c in checks if c.verdict > Verdict.RELEASE]
    return _strictest(reasons, policy, hazardous=hazardous, spent=spent)


def who_may_now(assessment: Mapping[str, Any], policy: Policy, uses: Mapping[str, int]) -> Approver:
    """The same for an assessment as the record keeps it (`Assessment.as_record`), with this shift's overrides so far.

    A budget is used up when as many passages were released against the reason as the policy allows in one shift.
    """
    reasons = open_reasons(assessment)
    spent = {
        code for code, _ in reasons if uses.get(code, 0) >= policy.override_budget.get(code, uses.get(code, 0) + 1)
    }
    return _strictest(reasons, policy, hazardous=bool(assessment.get("hazmat")), spent=spent)


def open_reasons(assessment: Mapping[str, Any]) -> list[tuple[str, Verdict]]:
    """What stands against release in an assessment as the record keeps it."""
    checks = [(str(c["reason_code"]), Verdict[str(c["verdict"]).upper()]) for c in assessment.get("checks", ())]
    return [(code, verdict) for code, verdict in checks if verdict > Verdict.RELEASE]


def _strictest(
    reasons: Iterable[tuple[str, Verdict]], policy: Policy, *, hazardous: bool, spent: Collection[str]
) -> Approver:
    needed = [_for_one(code, verdict, policy, hazardous=hazardous, spent=spent) for code, verdict in reasons]
    return max(needed, key=ORDER.index, default="operator")


def _for_one(code: str, verdict: Verdict, policy: Policy, *, hazardous: bool, spent: Collection[str]) -> Approver:
    if verdict is Verdict.DETAIN or code == "slip_used":
        return "nobody"
    role = policy.override.get(code, policy.override["default"])
    named: Approver = next(r for r in ORDER if r == role)
    if code in spent:  # RULES 7: the budget turns operator into supervisor and supervisor into two
        named = "supervisor" if named == "operator" else "two"
    if hazardous or verdict in (Verdict.INSPECT, Verdict.REFUSE) or code.startswith("hazmat_"):
        named = "two"
    return named


def may_override(assessment: Assessment, policy: Policy, *, spent: Collection[str] = ()) -> Approver:
    """Who may release this passage against its verdict."""
    return who_may_override(assessment.checks, policy, hazardous=assessment.is_hazardous, spent=spent)


def emergency_may_release(assessment: Assessment) -> bool:
    """Whether an operator alone may release in the emergency regime.

    RULES 6: it fails nothing but copy_stale, holds_stale, claim_unavailable or slip_unknown with a valid signature;
    never hazardous, held, controlled, used or revoked (held, used and revoked are open reasons of their own).
    """
    return emergency_may_release_now(assessment.as_record())


def emergency_may_release_now(assessment: Mapping[str, Any]) -> bool:
    """The same for an assessment as the record keeps it. What the record does not say counts against release."""
    reasons = {code for code, _ in open_reasons(assessment)}
    if not reasons <= EMERGENCY_REASONS:
        return False
    if assessment.get("hazmat") is not False or assessment.get("controlled") is not False:
        return False
    return "slip_unknown" not in reasons or assessment.get("signature_valid") is True
