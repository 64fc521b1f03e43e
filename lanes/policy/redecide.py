"""Decides a recorded case anew, under its own policy or another, and says what differs. Pure.

Two decisions are the same where verdict, tier, lane and every check agree in all they say: reason, verdict, expected,
found, allowed and cause. Where a number comes from is words beside it and may be told better by a later version.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from gate_service.domain.errors import CaseError, PolicyError
from gate_service.domain.events import JsonObject
from lanes.policy.case import read_case
from lanes.policy.engine import assess

CHECK_PARTS: Final = ("reason_code", "verdict", "expected", "found", "allowed", "cause")
NOT_JUDGED: Final = "not_judged"  # in place of a verdict: the case cannot be read (a person decided)


@dataclass(frozen=True, slots=True)
class Outcome:
    """What one decision says."""

    verdict: str
    tier: str | None
    checks: tuple[JsonObject, ...]
    lane: JsonObject | None
    version: str | None

    @property
    def reasons(self) -> list[str]:
        """Every reason code once, strictest first."""
        return list(dict.fromkeys(str(check["reason_code"]) for check in self.checks))

    def as_document(self) -> dict[str, Any]:
        """For people and programs."""
        return {
            "verdict": self.verdict,
            "tier": self.tier,
            "reasons": self.reasons,
            "policy_version": self.version,
        }

    def spelled(self) -> str:
        """One spelling of everything that makes two decisions the same; the policy's version does not."""
        return json.dumps([self.verdict, self.tier, self.checks, self.lane], ensure_ascii=False, sort_keys=True)


def outcome_of(record: Mapping[str, Any]) -> Outcome:
    """What a recorded assessment says."""
    checks = tuple({part: check.get(part) for part in CHECK_PARTS} for check in record.get("checks") or ())
    verdict = NOT_JUDGED if record.get("error") is not None else str(record.get("verdict"))
    return Outcome(verdict, record.get("tier"), checks, record.get("lane"), record.get("policy_version"))


def decide_again(case: Mapping[str, Any]) -> Outcome:
    """The outcome of a case as this version of the rules decides it."""
    try:
        return outcome_of(assess(read_case(case)).as_record())
    except (CaseError, PolicyError):
        return Outcome(NOT_JUDGED, None, (), None, None)


@dataclass(frozen=True, slots=True)
class Replayed:
    """A recorded decision beside the one made now."""

    passage_id: str
    recorded: Outcome
    now: Outcome

    @property
    def is_same(self) -> bool:
        """Whether the two say the same."""
        return self.recorded.spelled() == self.now.spelled()

    def differences(self) -> list[str]:
        """What differs, a line each."""
        before, after = self.recorded, self.now
        lines = [
            f"{name}: recorded {old}, now {new}"
            for name, old, new in (("verdict", before.verdict, after.verdict), ("tier", before.tier, after.tier))
            if old != new
        ]
        lines += [f"lane: recorded {before.lane}, now {after.lane}"] if before.lane != after.lane else []
        lines += [f"no longer: {_told(c)}" for c in before.checks if c not in after.checks]
        return lines + [f"new: {_told(c)}" for c in after.checks if c not in before.checks]

    def as_document(self) -> dict[str, Any]:
        """For people and programs."""
        return {
            "passage": self.passage_id,
            "same": self.is_same,
            "recorded": self.recorded.as_document(),
            "now": self.now.as_document(),
            "differences": self.differences(),
        }


def _told(check: JsonObject) -> str:
    parts = [f"{part} {check[part]}" for part in ("expected", "found", "allowed", "cause") if check[part] is not None]
    return f"{check['reason_code']} ({check['verdict']}){': ' if parts else ''}{', '.join(parts)}"


def replay(passage_id: str, document: Mapping[str, Any]) -> Replayed:
    """Decide a stored passage anew from its own case. Raises CaseError where it was never decided."""
    case, assessment = document.get("case"), document.get("assessment")
    if not isinstance(case, Mapping) or not isinstance(assessment, Mapping):
        raise CaseError(f"passage {passage_id}: a decided passage expected, this one was never judged")
    return Replayed(passage_id, outcome_of(assessment), decide_again(case))


@dataclass(slots=True)
class Comparison:
    """What another policy would have said of past passages."""

    compared: int = 0
    skipped: int = 0  # never judged: there is no case
    verdicts: Counter[tuple[str, str]] = field(default_factory=Counter)
    tiers: Counter[tuple[str, str]] = field(default_factory=Counter)
    reasons_gone: Counter[str] = field(default_factory=Counter)
    reasons_new: Counter[str] = field(default_factory=Counter)
    changed: list[dict[str, Any]] = field(default_factory=list)
    changes: int = 0

    def take(self, passage: Mapping[str, Any], old: Outcome, new: Outcome, most: int) -> None:
        """Count one passage under both policies; keep it on the list while there are fewer than `most`."""
        self.compared += 1
        self.verdicts[old.verdict, new.verdict] += 1
        if old.tier != new.tier:
            self.tiers[str(old.tier), str(new.tier)] += 1
        gone = [r for r in old.reasons if r not in new.reasons]
        added = [r for r in new.reasons if r not in old.reasons]
        self.reasons_gone.update(gone)
        self.reasons_new.update(added)
        if old.spelled() == new.spelled():
            return
        self.changes += 1
        if len(self.changed) < most:
            self.changed.append(
                {
                    "passage": passage.get("id"),
                    "lane": passage.get("lane"),
                    "plate": passage.get("plate"),
                    "opened_at": passage.get("opened_at"),
                    "old": old.as_document(),
                    "new": new.as_document(),
                    "gone": gone,
                    "added": added,
                }
            )

    def as_document(self) -> dict[str, Any]:
        """For people and programs."""
        verdicts = [{"old": a, "new": b, "passages": n} for (a, b), n in sorted(self.verdicts.items())]
        tiers = [{"old": a, "new": b, "passages": n} for (a, b), n in sorted(self.tiers.items())]
        return {
            "compared": self.compared,
            "skipped": self.skipped,
            "changed": self.changes,
            "verdicts": verdicts,
            "tiers": tiers,
            "reasons_gone": dict(sorted(self.reasons_gone.items())),
            "reasons_new": dict(sorted(self.reasons_new.items())),
            "passages": self.changed,
        }


def compare(
    passages: Iterable[Mapping[str, Any]],
    old: JsonObject | None,
    new: JsonObject | None,
    most: int = 1000,
    found: Comparison | None = None,
) -> Comparison:
    """Decide every passage under both policies, on its own facts; goes on with `found`. Both policies must be sound."""
    found = found or Comparison()
    for passage in passages:
        case = passage.get("case")
        if not isinstance(case, Mapping):
            found.skipped += 1
            continue
        found.take(passage, decide_again({**case, "policy": old}), decide_again({**case, "policy": new}), most)
    return found
