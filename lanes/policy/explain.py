"""An assessment in words, Chinese and English: one line for the driver, one paragraph for the operator."""

from __future__ import annotations

from typing import Final

from gate_service.domain.verdict import Check, Fact, Verdict
from lanes.policy.engine import Assessment
from lanes.policy.reasons import REASONS

LANGUAGES: Final = ("zh", "en")
VERDICTS: Final = {
    Verdict.RELEASE: ("放行", "release"),
    Verdict.REVIEW: ("待人工处理", "review"),
    Verdict.INSPECT: ("查验", "inspect"),
    Verdict.REFUSE: ("不予放行", "refuse"),
    Verdict.DETAIN: ("布控扣留", "detain"),
}
CAUSES: Final = {
    "vehicle": ("整车（皮重）", "the vehicle (tare)"),
    "container": ("整箱", "the container"),
    "goods": ("货重", "the goods"),
}
MASS_REASONS: Final = frozenset(
    {
        "weight_mismatch",
        "over_capacity",
        "not_empty",
        "service_gain",
        "tare_drift",
        "total_weight_sum",
        "declaration_exceeded",
        "declaration_short",
    }
)
PROCEED: Final = ("请通行", "Please proceed")
WAIT: Final = ("请稍候", "Please wait")


def _pick(pair: tuple[str, str], language: str) -> str:
    return pair[0] if language == "zh" else pair[1]


def driver_line(assessment: Assessment, language: str) -> str:
    """One short line for the driver display. RULES 3: a detained driver reads only "please wait"."""
    if assessment.verdict is Verdict.DETAIN:
        return _pick(WAIT, language)
    if assessment.verdict is Verdict.RELEASE:
        return _pick(PROCEED, language)
    return REASONS[assessment.checks[0].reason_code].driver(language)


def operator_paragraph(assessment: Assessment, language: str) -> str:
    """Verdict, tier and every reason with its numbers and where they come from."""
    verdict = _pick(VERDICTS[assessment.verdict], language)
    origin = _pick(
        ("中心", "central system") if assessment.source == "central" else ("本地副本", "local copy"), language
    )
    if language == "zh":
        head = f"结论：{verdict}；核重等级：{assessment.tier}；依据：{origin}；规则：{assessment.policy_version}。"
    else:
        head = f"Verdict: {verdict}; tier: {assessment.tier}; on: {origin}; policy: {assessment.policy_version}."
    joint = "" if language == "zh" else " "
    return joint.join([head, *(sentence(check, language) for check in assessment.checks)])


def sentence(check: Check, language: str) -> str:
    """One reason with what was expected, found and allowed."""
    words = {"zh": ("应为", "实为", "允许", "来源", "差值", "原因"), "en": _ENGLISH}[language]
    unit = " kg" if check.reason_code in MASS_REASONS else ""
    parts = [
        f"{word} {_shown(value, language)}{unit if isinstance(value, int | float) else ''}"
        for word, value in zip(words, (check.expected, check.found, check.allowed), strict=False)
        if value is not None
    ]
    if check.difference_kg is not None:
        parts.append(f"{words[4]} {check.difference_kg:+} kg")
    if check.cause is not None:
        parts.append(f"{words[5]} {_pick(CAUSES[check.cause], language)}")
    if check.source is not None:
        parts.append(f"{words[3]} {check.source}")
    meaning = REASONS[check.reason_code].meaning(language)
    verdict = _pick(VERDICTS[check.verdict], language)
    if language == "zh":
        return (
            f"{meaning}（{check.reason_code}，{verdict}）：{'，'.join(parts)}。"
            if parts
            else f"{meaning}（{verdict}）。"
        )
    detail = f": {', '.join(parts)}" if parts else ""
    return f"{meaning[0].upper()}{meaning[1:]} ({check.reason_code}, {verdict}){detail}."


_ENGLISH: Final = ("expected", "found", "allowed", "source", "difference", "cause")


def _shown(value: Fact, language: str) -> str:
    if isinstance(value, list):
        return ("、" if language == "zh" else ", ").join(value) or _pick(("无", "none"), language)
    if isinstance(value, bool):
        return _pick(("是", "yes") if value else ("否", "no"), language)
    return str(value)
