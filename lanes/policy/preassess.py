"""Before the truck comes (RULES 2): a slip judged when its copy arrives or changes, with what can be known then."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final

from gate_service.domain.errors import CaseError
from gate_service.domain.slip import DIRECTIONS
from gate_service.domain.verdict import Check
from lanes.policy import rules_documents, rules_hazmat, rules_identity, rules_slip
from lanes.policy.case import read_case
from lanes.policy.engine import Rule, judge
from lanes.policy.facts import gather

# Nothing here needs the vehicle, the lane, a weight or the link. Draws are left out: telling them before the truck
# comes would defeat them. A slip that is not valid yet may still become so.
RULES: Final[tuple[Rule, ...]] = (
    rules_identity.container_number_invalid,
    rules_slip.slip_signature_invalid,
    rules_slip.slip_revoked,
    rules_slip.slip_not_approved,
    rules_slip.slip_expired,
    rules_slip.slip_used,
    rules_slip.slip_other_site,
    rules_slip.slip_book_only,
    rules_slip.slip_inconsistent,
    rules_slip.total_weight_sum,
    rules_slip.gate_field_missing,
    rules_documents.document_not_released,
    rules_documents.guarantee_insufficient,
    rules_documents.licence_not_verified,
    rules_documents.inspection_due,
    rules_documents.hold,
    rules_documents.declaration_exceeded,
    rules_documents.declaration_short,
    rules_documents.outside_fence,
    rules_documents.return_overdue,
    rules_hazmat.hazmat_undeclared,
    rules_hazmat.hazmat_incomplete,
    rules_hazmat.hazmat_un_unknown,
    rules_hazmat.hazmat_class_mismatch,
    rules_hazmat.hazmat_cas_invalid,
    rules_hazmat.hazmat_mixing,
)


def preassess(
    slip: object,
    *,
    site: str,
    now: datetime,
    gate: str = "single",
    known: Mapping[str, Any] | None = None,
    policy: Mapping[str, Any] | None = None,
) -> tuple[Check, ...]:
    """What would stop this slip if its truck came now, strictest first; warnings included.

    Police holds are among the checks: whoever shows this list must keep them from the enterprise and the driver.
    """
    if not isinstance(slip, Mapping):
        raise CaseError("slip: expected an object")
    direction = slip.get("direction")
    case = read_case(
        {
            "lane": {"kind": "declared", "direction": direction if direction in DIRECTIONS else "inbound"},
            "site": site,
            "gate": gate,
            "slips": [slip],
            "now_at": now.isoformat(),
            "source": "central",
            "known": known,
            "policy": policy,
        }
    )
    return judge(gather(case), RULES)
