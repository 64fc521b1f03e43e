"""One decision: look the slips up, claim them, compose the case, let the rules judge, and say what must be on disk."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from gate_service.domain.errors import CaseError
from gate_service.domain.events import Event, EventType, JsonObject
from gate_service.domain.passage import Disposition, Passage
from gate_service.domain.ports import Claims, ClaimState, Clock, Draws, SlipAnswer, SlipSource, Source
from gate_service.domain.record import Entry, LedgerChange, LedgerKind
from lanes import told
from lanes.case_document import case_document
from lanes.policy.case import Case, read_case
from lanes.policy.drawing import wanted_draws
from lanes.policy.engine import LANE_REASONS, Assessment, assess
from lanes.policy.explain import driver_line, operator_paragraph, sentences
from lanes.policy.overrides import may_override
from lanes.settings import LaneSettings
from lanes.shares import declaration_changes, seen_here_g

LANGUAGES = ("zh", "en")


@dataclass(frozen=True, slots=True)
class Judged:
    """A passage with its assessment, and the entry that must be on disk before anything is done about it."""

    passage: Passage
    entry: Entry


class Decider:
    """Decides passages of one lane. Holds no state of its own."""

    def __init__(
        self,
        settings: LaneSettings,
        slips: SlipSource,
        claims: Claims,
        clock: Clock,
        *,
        are_devices_safe: Callable[[], bool | None],
        clock_error_s: Callable[[], int | None],
        policy_at: Callable[[datetime], JsonObject | None] | None = None,
        draws: Draws | None = None,
        redirect: Callable[[Case], Mapping[str, Any] | None] | None = None,
    ) -> None:
        self._settings = settings
        self._slips = slips
        self._claims = claims
        self._clock = clock
        self._are_devices_safe = are_devices_safe
        self._clock_error_s = clock_error_s
        self._policy_at = policy_at or (lambda _: settings.policy)
        self._draws = draws
        self._redirect = redirect

    def look_ahead(self, passage: Passage) -> None:
        """The decision will come soon: let its slips be looked up while the vehicle comes to rest."""
        self._slips.look_ahead(
            scanned=passage.scanned, plate=passage.plate, direction=passage.direction, passage_id=passage.id
        )

    async def decide(self, passage: Passage) -> Judged:
        """Judge the passage as it is now. Never raises for outside faults: what cannot be judged goes to a person."""
        answer = await self._slips.find(
            scanned=passage.scanned, plate=passage.plate, direction=passage.direction, passage_id=passage.id
        )
        claim = await self._claim(passage, answer)
        now = self._clock.now()
        case = case_document(
            passage, answer, claim, self._settings,
            now=now, are_devices_safe=self._are_devices_safe(), clock_error_s=self._clock_error_s(),
            policy=self._policy_at(now),
        )  # fmt: skip
        return self._judged(passage, case, await self._with_draws(passage, case), now)

    async def _with_draws(self, passage: Passage, case: dict[str, Any]) -> Case | CaseError:
        """The case as the rules read it, or why they cannot.

        Draws are made and recorded here, so that the case holds what was drawn and never the day's secret.
        """
        try:
            read = read_case(case)
            if self._draws is not None and (wanted := wanted_draws(read)):
                case["draws"] = dict(await self._draws.draw(wanted, passage.id))
                read = read_case(case)
            return read
        except CaseError as error:
            return error

    async def _claim(self, passage: Passage, answer: SlipAnswer) -> ClaimState | None:
        """Slips bound to this site alone need no claim (RULES 6); all others are asked for at the centre."""
        open_to_others = [
            str(slip.get("slip_no")) for slip in answer.slips if slip.get("site_ids") != [self._settings.site_id]
        ]
        if not open_to_others:
            return ClaimState.NOT_NEEDED if answer.slips and answer.source is Source.CENTRAL else None
        return await self._claims.claim(open_to_others, passage_id=passage.id, lane=passage.lane, at=self._clock.now())

    def _judged(self, passage: Passage, case: dict[str, Any], read: Case | CaseError, now: datetime) -> Judged:
        try:
            if isinstance(read, CaseError):
                raise read
            assessment = assess(read)
            answer = assessment.as_record()
            lines = zip(*(sentences(assessment, language) for language in LANGUAGES), strict=True)
            texts = tuple(dict(zip(LANGUAGES, pair, strict=True)) for pair in lines)
            override_by: str = may_override(assessment, read.policy)
            explanation = {language: operator_paragraph(assessment, language) for language in LANGUAGES}
            driver = {language: driver_line(assessment, language) for language in LANGUAGES}
            lane_to_go = self._redirect(read) if self._redirect is not None and assessment.lane is not None else None
            if lane_to_go is not None:
                explanation, driver = redirected(assessment, lane_to_go["name"], explanation, driver)
        except CaseError as error:
            answer = {
                "verdict": "review",
                "tier": None,
                "checks": [],
                "warnings": [],
                "lane": None,
                "error": str(error),
            }
            explanation = {"zh": f"无法自动判定：{error}", "en": f"Cannot be judged: {error}"}
            driver = {"zh": "请等候工作人员", "en": "Wait for the officer"}
            texts, override_by, lane_to_go = (), "two", None
        verdict = str(answer["verdict"])
        judged = replace(
            passage, case=case, assessment=answer, explanation=explanation, driver_text=driver, check_texts=texts,
            verdict=verdict, override_by=override_by, decided_version=passage.facts_version, note=None,
            lane_to_go=lane_to_go,
        )  # fmt: skip
        is_release = verdict == "release"
        if is_release:
            judged = replace(judged, disposition=Disposition.RELEASE, disposed_by="service")
        weighed = None
        if judged.weighed is not None and judged.weighed.at != judged.weight_told_at:
            weighed = told.weighed(judged, now)
            judged = replace(judged, weight_told_at=judged.weighed.at)
        return Judged(judged, self._entry(judged, now, weighed, is_release=is_release))

    def _entry(self, passage: Passage, now: datetime, weighed: Event | None, *, is_release: bool) -> Entry:
        events = [*([weighed] if weighed is not None else []), told.decided(passage, now)]
        ledger: tuple[LedgerChange, ...] = ()
        if is_release:
            events.append(told.acted(passage, EventType.PASSAGE_RELEASED, now, "service", None))
            ledger = reservations(passage, is_judged_on=True)
        if passage.verdict == "detain":
            events.append(told.acted(passage, EventType.PASSAGE_HELD, now, "service", None))
        facts = {
            "verdict": passage.verdict,
            "facts_version": passage.facts_version,
            "reasons": [check["reason_code"] for check in (passage.assessment or {}).get("checks", ())],
            "raise": "release" if is_release else None,
        }
        return Entry(
            "decision", now, "service", facts,
            lane=passage.lane, passage_id=passage.id, passage=passage.document(), ledger=ledger, events=tuple(events),
        )  # fmt: skip


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


def reservations(passage: Passage, *, is_judged_on: bool = False) -> tuple[LedgerChange, ...]:
    """Slips and declaration shares of a released passage are reserved with the decision itself.

    `is_judged_on`: the rules decided on the ledger as they saw it, so another lane that took from a declaration since
    makes them judge again. A person who released against the rules decided knowing that.
    """
    case = passage.case or {}
    slips = [slip for slip in case.get("slips", ()) if isinstance(slip, Mapping)]
    limits = {slip.get("slip_no"): slip.get("pass_limit") for slip in slips}
    taken = tuple(
        LedgerChange(LedgerKind.SLIP_RESERVED, number, passage.id, limit=_pass_limit(limits.get(number)))
        for number in passage.slip_nos()
    )
    seen_g = seen_here_g(case) if is_judged_on else None
    return (*taken, *declaration_changes(slips, passage.id, LedgerKind.DECLARATION_RESERVED, seen_g))


def _pass_limit(value: object) -> int:
    """CONTRACT 3: `pass_limit` null is 1."""
    return value if isinstance(value, int) and not isinstance(value, bool) and value > 0 else 1
