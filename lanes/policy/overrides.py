"""Who may say something milder than the rules: RULES 7, and the emergency regime of RULES 6. Pure."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import Final, Literal

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
    needed = [_for_one(c, policy, hazardous=hazardous, spent=spent) for c in checks if c.verdict > Verdict.RELEASE]
    return max(needed, key=ORDER.index, default="operator")


def _for_one(check: Check, policy: Policy, *, hazardous: bool, spent: Collection[str]) -> Approver:
    if check.verdict is Verdict.DETAIN or check.reason_code == "slip_used":
        return "nobody"
    role = policy.override.get(check.reason_code, policy.override["default"])
    named: Approver = next(r for r in ORDER if r == role)
    if check.reason_code in spent:  # RULES 7: the budget turns operator into supervisor and supervisor into two
        named = "supervisor" if named == "operator" else "two"
    if hazardous or check.verdict in (Verdict.INSPECT, Verdict.REFUSE) or check.reason_code.startswith("hazmat_"):
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
    reasons = set(assessment.open_reasons)
    if assessment.is_hazardous or assessment.is_controlled or not reasons <= EMERGENCY_REASONS:
        return False
    return "slip_unknown" not in reasons or assessment.has_valid_signature
