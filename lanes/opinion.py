"""What the rules say of one case, in every form in which it is recorded and shown."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from gate_service.domain.errors import CaseError
from lanes.policy.case import Case
from lanes.policy.engine import LANE_REASONS, Assessment, assess
from lanes.policy.explain import driver_line, operator_paragraph, sentences
from lanes.policy.overrides import may_override

LANGUAGES = ("zh", "en")
Redirect = Callable[[Case], Mapping[str, Any] | None]
"""Where lanes are known: the one that a vehicle in the wrong lane should take, as `id` and `name`."""


@dataclass(frozen=True, slots=True)
class Opinion:
    """The answer of the rules to `case`, with its texts by language; fields as in `Passage`."""

    case: dict[str, Any]
    assessment: dict[str, Any]
    explanation: Mapping[str, str]
    driver_text: Mapping[str, str]
    check_texts: tuple[Mapping[str, str], ...] = ()
    override_by: str = "two"
    lane_to_go: Mapping[str, Any] | None = None

    @property
    def verdict(self) -> str:
        """The word of the verdict."""
        return str(self.assessment["verdict"])


def opinion_on(case: dict[str, Any], read: Case | CaseError, redirect: Redirect | None) -> Opinion:
    """Let the rules judge. A case that they cannot read goes to two persons, with the reason."""
    if isinstance(read, CaseError):
        return unreadable(case, read)
    try:
        assessment = assess(read)
        lines = zip(*(sentences(assessment, language) for language in LANGUAGES), strict=True)
        explanation = {language: operator_paragraph(assessment, language) for language in LANGUAGES}
        driver = {language: driver_line(assessment, language) for language in LANGUAGES}
        lane_to_go = redirect(read) if redirect is not None and assessment.lane is not None else None
        if lane_to_go is not None:
            explanation, driver = redirected(assessment, lane_to_go["name"], explanation, driver)
    except CaseError as error:
        return unreadable(case, error)
    return Opinion(
        case,
        assessment.as_record(),
        explanation,
        driver,
        tuple(dict(zip(LANGUAGES, pair, strict=True)) for pair in lines),
        may_override(assessment, read.policy),
        lane_to_go,
    )


def unreadable(case: dict[str, Any], error: CaseError) -> Opinion:
    """The answer to a case that the rules cannot judge."""
    answer: dict[str, Any] = {
        "verdict": "review",
        "tier": None,
        "checks": [],
        "warnings": [],
        "lane": None,
        "error": str(error),
    }
    explanation = {"zh": f"无法自动判定：{error}", "en": f"Cannot be judged: {error}"}
    return Opinion(case, answer, explanation, {"zh": "请等候工作人员", "en": "Wait for the officer"})


def redirected(
    assessment: Assessment, name: Mapping[str, str], explanation: Mapping[str, str], driver: Mapping[str, str]
) -> tuple[dict[str, str], dict[str, str]]:
    """Both texts with the lane to go to. The driver's only where the wrong lane is what turns the vehicle away."""
    words = {"zh": f"应走通道：{name['zh']}。", "en": f" Lane to take: {name['en']}."}
    paragraph = {language: explanation[language] + words[language] for language in LANGUAGES}
    first = assessment.checks[0].reason_code
    if assessment.verdict.word != "refuse" or first not in LANE_REASONS:
        return paragraph, dict(driver)
    return paragraph, {"zh": f"请改走：{name['zh']}", "en": f"Please use: {name['en']}"}
