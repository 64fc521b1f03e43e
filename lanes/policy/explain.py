"""An assessment in words, Chinese and English: one line for the driver, one paragraph for the operator."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from gate_service.domain.verdict import Check, Fact, Verdict
from lanes.policy.engine import Assessment
from lanes.policy.phrases import in_chinese
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
UNITS: Final[Mapping[str, tuple[str, str]]] = {
    **dict.fromkeys(
        (
            "weight_mismatch", "over_capacity", "not_empty", "service_gain", "tare_drift", "total_weight_sum",
            "declaration_exceeded", "declaration_short",
        ),
        (" kg", " kg"),
    ),
    **dict.fromkeys(("overstay", "copy_stale", "holds_stale"), (" 小时", " h")),
    **dict.fromkeys(("guarantee_insufficient", "guarantee_exempt"), (" 元", " CNY")),
    "clock_untrusted": (" 秒", " s"),
}  # fmt: skip
SOURCES: Final[Mapping[str, tuple[str, str]]] = {
    "slip": ("核放单", "slip"),
    "document": ("单证", "document"),
    "hold": ("布控", "hold"),
    "draw": ("抽签", "draw"),
    "declaration": ("报关单", "declaration"),
    "temporary_exit": ("暂出", "temporary exit"),
    "register": ("车辆备案", "register of vehicles"),
    "ledger": ("区内车辆台账", "ledger of vehicles inside"),
    "policy": ("规则", "policy"),
    "lane": ("本通道", "this lane"),
    "signature": ("签名", "signature"),
    "tombstone": ("撤销名单", "list of revoked slips"),
    "search": ("核放单查询", "search for the slip"),
    "claim": ("中心占用登记", "claim at the central system"),
    "indicator": ("称重仪表", "indicator"),
    "weighbridge": ("地磅", "weighbridge"),
    "weighbridge_maximum": ("地磅最大秤量", "maximum of the weighbridge"),
    "legal_limit": ("车辆限重", "legal limit of the vehicle"),
    "tare_history": ("皮重记录", "tare history"),
    "table": ("表", "table"),
    "copy": ("本地副本", "local copy"),
    "hold_list": ("布控名单", "hold list"),
    "clock": ("时钟", "clock"),
    "record": ("记录", "record"),
}
VIA: Final = {"central": ("中心", "central system"), "local": ("本地副本", "local copy")}
PROCEED: Final = ("请通行", "Please proceed")
WAIT: Final = ("请稍候", "Please wait")
_WORDS: Final = {
    "zh": ("应为", "实为", "允许", "来源", "应为减实为", "原因"),
    "en": ("expected", "found", "allowed", "source", "expected less found", "cause"),
}


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
    origin = _pick(VIA[assessment.source], language)
    if language == "zh":
        head = f"结论：{verdict}；核重等级：{assessment.tier}；依据：{origin}；规则：{assessment.policy_version}。"
    else:
        head = f"Verdict: {verdict}; tier: {assessment.tier}; on: {origin}; policy: {assessment.policy_version}."
    joint = "" if language == "zh" else " "
    return joint.join([head, *sentences(assessment, language)])


def sentences(assessment: Assessment, language: str) -> list[str]:
    """One sentence for each check, in their order."""
    pairs = zip(assessment.checks, assessment.sources, strict=True)
    return [sentence(check, source, language) for check, source in pairs]


def sentence(check: Check, source: Mapping[str, Any] | None, language: str) -> str:
    """One reason with what was expected, found and allowed, and where the expectation comes from."""
    words = _WORDS[language]
    unit = _pick(UNITS.get(check.reason_code, ("", "")), language)
    parts = [
        f"{word} {_shown(value, language)}{unit if _is_number(value) else ''}"
        for word, value in zip(words, (check.expected, check.found, check.allowed), strict=False)
        if value is not None
    ]
    if check.difference_kg is not None:
        parts.append(f"{words[4]} {check.difference_kg:+} kg")
    if check.cause is not None:
        parts.append(f"{words[5]} {_pick(CAUSES[check.cause], language)}")
    if source is not None:
        parts.append(f"{words[3]} {source_words(source, language)}")
    meaning = REASONS[check.reason_code].meaning(language)
    verdict = _pick(VERDICTS[check.verdict], language)
    if language == "zh":
        detail = f"：{'，'.join(parts)}" if parts else ""
        return f"{meaning}（{check.reason_code}，{verdict}）{detail}。"
    detail = f": {', '.join(parts)}" if parts else ""
    return f"{meaning[0].upper()}{meaning[1:]} ({check.reason_code}, {verdict}){detail}."


def source_words(source: Mapping[str, Any], language: str) -> str:
    """The source of one check: which slip, copy with its age, register, instrument with its limit of error."""
    is_zh = language == "zh"
    text = _pick(SOURCES[source["kind"]], language)
    if "name" in source and source["kind"] != "ledger":
        text += f" {source['name']}"
    if "part" in source:
        part = ("核放单", "slip") if source["kind"] == "document" else ("第", "line")
        text += f" {_pick(part, language)} {source['part']}"
        text += " 项" if is_zh and source["kind"] == "slip" else ""
    if "note" in source:
        text += f"：{source['note']}" if is_zh else f": {source['note']}"
    if "error_kg" in source:
        text += f"（最大允许误差 ±{source['error_kg']} kg）" if is_zh else f" (limit of error ±{source['error_kg']} kg)"
    if "via" in source:
        age = _age(source["age_s"], language) if source["via"] == "local" else ""
        way = "" if source["kind"] == "copy" else _pick(VIA[source["via"]], language)
        told = (way + age).lstrip("，, ")
        text += f"（{told}）" if is_zh else f" ({told})"
    return text


def _age(age_s: int | None, language: str) -> str:
    """How old the copy is, in hours and minutes."""
    if age_s is None:
        return "，时间不明" if language == "zh" else ", of unknown age"
    if age_s < 0:
        return "，时间在未来" if language == "zh" else ", dated in the future"
    minutes = age_s // 60
    hours, minutes = divmod(minutes, 60)
    if language == "zh":
        return f"，{hours} 小时 {minutes} 分前" if hours else f"，{minutes} 分前"
    return f", {hours} h {minutes} min old" if hours else f", {minutes} min old"


def _is_number(value: Fact) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _shown(value: Fact, language: str) -> str:
    is_zh = language == "zh"
    if isinstance(value, list):
        told = [in_chinese(item) for item in value] if is_zh else value
        return ("、" if is_zh else ", ").join(told) or _pick(("无", "none"), language)
    if isinstance(value, bool):
        return _pick(("是", "yes") if value else ("否", "no"), language)
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return in_chinese(value) if is_zh and isinstance(value, str) else str(value)
