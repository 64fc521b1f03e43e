"""What somebody may do with the vehicle in a lane against the verdict: alone, with another, or not at all. Pure.

RULES 7 says who; the emergency regime of RULES 6 lets an operator alone do what the lost line alone forbids.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from gate_service.domain.commands import Actor, Role
from gate_service.domain.errors import CommandRefusedError, NotPermittedError
from gate_service.domain.passage import Passage
from gate_service.domain.ports import Duty
from gate_service.domain.record import LedgerChange, LedgerKind
from gate_service.domain.regime import Regime
from lanes.policy.overrides import emergency_may_release_now, open_reasons, who_may_now
from lanes.policy.policy import Policy

SUPERVISING: Final = frozenset({Role.SUPERVISOR, Role.CUSTOMS})


@dataclass(frozen=True, slots=True)
class Right:
    """How this person may let this vehicle go: alone or not, against which reasons, in which regime."""

    needs_second: bool = False
    reasons: tuple[str, ...] = ()
    regime: Regime | None = None

    def facts(self) -> dict[str, Any]:
        """What the record keeps of it."""
        found: dict[str, Any] = {"overrides": list(self.reasons)} if self.reasons else {}
        return found if self.regime is None else {**found, "regime": self.regime.id}

    def ledger(self, passage_id: str, shift: str) -> tuple[LedgerChange, ...]:
        """What counts of it: each reason once in this shift, and one passage of the regime."""
        changes = [LedgerChange(LedgerKind.OVERRIDE_USED, f"{shift}/{code}", passage_id) for code in self.reasons]
        if self.regime is not None:
            limit = self.regime.terms.passages
            changes.append(LedgerChange(LedgerKind.REGIME_USED, self.regime.id, passage_id, limit=limit))
        return tuple(changes)


@dataclass(frozen=True, slots=True)
class Ground:
    """What a release against the verdict stands on besides the vehicle: the lane's class, policy, duty and time."""

    lane_kind: str
    policy: Policy
    duty: Duty
    now: datetime

    def who_may(self, passage: Passage) -> str | None:
        """Operator, supervisor, two or nobody, with this shift's budgets; None before a judgement."""
        if passage.assessment is None or "error" in passage.assessment:
            return passage.override_by  # what could not be judged has no reasons to count
        return who_may_now(passage.assessment, self.policy, self.duty.overrides())

    def regime_for(self, passage: Passage) -> Regime | None:
        """The open regime in which an operator alone may release this vehicle, if there is one."""
        regime, assessment = self.duty.regime(), passage.assessment
        if regime is None or assessment is None or "error" in assessment or passage.verdict == "release":
            return None
        slips = [slip for slip in (passage.case or {}).get("slips", ()) if isinstance(slip, Mapping)]
        if not regime.reaches(self.lane_kind, {str(slip.get("type")) for slip in slips}, self.now):
            return None
        is_judged = passage.decided_version == passage.facts_version
        return regime if is_judged and emergency_may_release_now(assessment) else None


def right_to_release(passage: Passage, actor: Actor, ground: Ground) -> Right:
    """Raises NotPermittedError where this person may not, CommandRefusedError where nothing was judged yet."""
    if passage.verdict == "release" and passage.decided_version == passage.facts_version:
        return Right()
    if passage.override_by is None:
        raise CommandRefusedError(f"passage {passage.id}: not judged yet; resolve a fact or turn the vehicle back")
    reasons = tuple(dict.fromkeys(code for code, _ in open_reasons(passage.assessment or {})))
    needed = ground.who_may(passage)
    if needed == "operator" or (needed == "supervisor" and actor.role in SUPERVISING):
        return Right(reasons=reasons)
    regime = ground.regime_for(passage)  # only where it is needed: what it lets go is counted and reconciled
    if regime is not None:
        return Right(reasons=reasons, regime=regime)
    if needed == "nobody":
        raise NotPermittedError(f"passage {passage.id}: nothing releases this vehicle at the gate")
    if needed == "supervisor":
        raise NotPermittedError(f"passage {passage.id}: a supervisor must release this vehicle")
    return Right(needs_second=True, reasons=reasons)
