"""The engine: runs every rule, keeps every reason, the strictest verdict wins."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, Final

from gate_service.domain.slip import DIRECTIONS
from gate_service.domain.verdict import Check, Source, Verdict, strictest
from lanes.policy import rules_documents, rules_hazmat, rules_identity, rules_offline, rules_slip, rules_weight
from lanes.policy.ages import microseconds
from lanes.policy.case import Case, read_case
from lanes.policy.facts import Facts, belongs_on_declared_lane, gather
from lanes.policy.hazmat_tables import EDITION
from lanes.policy.reasons import ORDER

Rule = Callable[[Facts], Iterable[Check]]
RULES: Final[tuple[Rule, ...]] = (
    *rules_identity.RULES,
    *rules_slip.RULES,
    *rules_documents.RULES,
    *rules_weight.RULES,
    *rules_hazmat.RULES,
    *rules_offline.RULES,
)
LANE_REASONS: Final = frozenset({"wrong_lane_class", "wrong_direction", "hazmat_lane"})
# What is known from the copy or the centre, and so has an age; everything else is the site's own.
KNOWN_FROM_OUTSIDE: Final = frozenset(
    {"slip", "document", "hold", "declaration", "register", "temporary_exit", "tombstone", "search", "copy"}
)


@dataclass(frozen=True, slots=True)
class FittingLane:
    """The lane a vehicle should have taken."""

    kind: str
    direction: str
    hazmat: bool

    def as_document(self) -> dict[str, str | bool]:
        """The public shape."""
        return {"kind": self.kind, "direction": self.direction, "hazmat": self.hazmat}


@dataclass(frozen=True, slots=True)
class Assessment:
    """The answer: verdict, tier, every check, and what people need to know beside them."""

    verdict: Verdict
    tier: str
    checks: tuple[Check, ...]
    sources: tuple[dict[str, Any] | None, ...]
    lane: FittingLane | None
    policy_version: str
    source: str
    is_hazardous: bool
    is_controlled: bool
    has_valid_signature: bool
    hazmat_edition: str = EDITION

    @property
    def warnings(self) -> tuple[str, ...]:
        """Reasons that fired without asking for more than release, each once."""
        return tuple(dict.fromkeys(c.reason_code for c in self.checks if c.verdict is Verdict.RELEASE))

    @property
    def open_reasons(self) -> tuple[str, ...]:
        """Reasons that stand against release, each once, strictest first."""
        return tuple(dict.fromkeys(c.reason_code for c in self.checks if c.verdict is not Verdict.RELEASE))

    def as_document(self) -> dict[str, Any]:
        """The answer of `gate assess` (CONTRACT 2)."""
        return {
            "verdict": self.verdict.word,
            "tier": self.tier,
            "checks": [{**c.as_document(), "source": s} for c, s in zip(self.checks, self.sources, strict=True)],
            "warnings": list(self.warnings),
            "lane": self.lane.as_document() if self.lane else None,
        }

    def as_record(self) -> dict[str, Any]:
        """The answer with what the record keeps besides: policy version, sources, signed differences, list edition."""
        document = self.as_document()
        for told, check in zip(document["checks"], self.checks, strict=True):
            told["difference_kg"] = check.difference_kg
        return {
            **document,
            "policy_version": self.policy_version,
            "source": self.source,
            "hazmat": self.is_hazardous,
            "controlled": self.is_controlled,
            "signature_valid": self.has_valid_signature,
            "hazmat_edition": self.hazmat_edition,
        }


def _order(check: Check) -> tuple[object, ...]:
    return (
        -check.verdict,
        ORDER[check.reason_code],
        repr(check.source),
        repr(check.expected),
        repr(check.found),
        repr(check.allowed),
    )


def judge(facts: Facts, rules: Iterable[Rule]) -> tuple[Check, ...]:
    """Run the rules; every reason once, strictest first, then in the order of RULES.md: never in the input's order."""
    fired = {_order(check): check for rule in rules for check in rule(facts)}
    return tuple(fired[key] for key in sorted(fired))


def assess(case: Case) -> Assessment:
    """One case to its verdict, with every reason."""
    facts = gather(case)
    return conclude(facts, judge(facts, RULES))


def conclude(facts: Facts, checks: tuple[Check, ...]) -> Assessment:
    """Put the answer together."""
    case = facts.case
    return Assessment(
        verdict=strictest(checks),
        tier=facts.tier.name,
        checks=checks,
        sources=tuple(source_document(check.source, case) for check in checks),
        lane=fitting_lane(facts) if any(c.reason_code in LANE_REASONS for c in checks) else None,
        policy_version=case.policy.version,
        source=case.source,
        is_hazardous=bool(facts.hazardous_lines),
        is_controlled=any(s.is_controlled for s in case.slips),
        has_valid_signature=has_valid_signature(facts),
    )


def source_document(source: Source | None, case: Case) -> dict[str, Any] | None:
    """A source as people and records read it: what came from outside says by which way, as of when, how old it is."""
    if source is None:
        return None
    document: dict[str, Any] = dict(source.as_document())
    if source.kind in KNOWN_FROM_OUTSIDE:
        as_of = case.site_state.holds_as_of if source.kind == "hold" and case.source == "local" else case.as_of
        document["via"] = case.source
        document["as_of"] = None if as_of is None else as_of.isoformat()
        document["age_s"] = None if as_of is None else microseconds(as_of, case.now) // 1_000_000
    return document


def has_valid_signature(facts: Facts) -> bool:
    """Whether everything that was signed, the scanned token included, verifies, and something was."""
    findings = [*facts.signatures.values(), *([facts.scanned_token] if facts.scanned_token else [])]
    return bool(findings) and all(finding.problem is None for finding in findings)


def fitting_lane(facts: Facts) -> FittingLane | None:
    """The lane that would fit; none where the slips ask for two ways, or for a class no lane takes together."""
    case = facts.case
    directions = {s.direction for s in case.slips} or {case.lane.direction}
    direction = next(iter(directions))
    if len(directions) > 1 or direction is None or direction not in DIRECTIONS:
        return None
    declared = [belongs_on_declared_lane(s, case.policy) for s in case.slips]
    if any(declared) and not all(declared) and not case.policy.register_on_declared_lane:
        return None
    kind = "declared" if any(declared) else "non_declared"
    return FittingLane(kind, direction, rules_hazmat.needs_hazmat_lane(facts))


def assess_document(document: object) -> dict[str, Any]:
    """The document of `gate assess` to its answer; CaseError or PolicyError for what cannot be judged."""
    return assess(read_case(document)).as_document()
