"""One decision: look the slips up, claim them, compose the case, let the rules judge, and say what must be on disk."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Final

from gate_service.domain.errors import CaseError
from gate_service.domain.events import Event, EventType, JsonObject
from gate_service.domain.passage import Disposition, Passage
from gate_service.domain.ports import Claims, ClaimState, Clock, Draws, SlipAnswer, SlipSource, Source
from gate_service.domain.record import Entry, LedgerChange, LedgerKind
from lanes import told
from lanes.case_document import CaseFacts, case_document
from lanes.opinion import Opinion, Redirect, opinion_on
from lanes.policy.case import Case, read_case
from lanes.policy.drawing import wanted_draws
from lanes.settings import LaneSettings
from lanes.shares import declaration_changes, seen_here_g
from lanes.words import LaneState

log = logging.getLogger(__name__)

REHEARSED_FOR_S: Final = 0.5
"""How long an opinion stands for a case that is the same in all but the time: no longer than what was polled does."""


@dataclass(frozen=True, slots=True)
class Judged:
    """A passage with its assessment, and the entry that must be on disk before anything is done about it."""

    passage: Passage
    entry: Entry


@dataclass(frozen=True, slots=True)
class _Rehearsed:
    """A release that the rules would give were the weight settled as it is shown; `at_s` by the monotonic clock."""

    passage_id: str
    facts: CaseFacts
    opinion: Opinion
    ledger: tuple[LedgerChange, ...]
    at: datetime
    at_s: float


class Decider:
    """Decides passages of one lane. Holds nothing but its newest rehearsal."""

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
        redirect: Redirect | None = None,
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
        self._rehearsed: _Rehearsed | None = None

    def look_ahead(self, passage: Passage) -> None:
        """The decision will come soon: let its slips be looked up while the vehicle comes to rest."""
        self._slips.look_ahead(**_question(passage))

    def rehearse(self, passage: Passage) -> None:
        """Judge a passage whose weight has not settled by the weight in it, for `at_once`. Never waits, never raises.

        Only what the site answers alone and would release is kept: nobody hurries for any other answer.
        """
        self._rehearsed = None
        try:
            self._rehearsed = self._rehearsal(passage)
        except Exception:  # a mistake of ours is met again, and told, where the passage is decided
            log.exception("lane %s: a rehearsal failed", passage.lane)

    def _rehearsal(self, passage: Passage) -> _Rehearsed | None:
        answer = self._slips.at_hand(**_question(passage))
        if answer is None or self._open_to_others(answer):
            return None
        now = self._clock.now()
        facts = self._facts(passage, answer, self._claim_of_ours(answer), now)
        case = case_document(facts, now)
        try:
            read = read_case(case)
        except CaseError:
            return None
        if self._draws is not None and wanted_draws(read):
            return None
        opinion = opinion_on(case, read, None)
        if opinion.verdict != "release":
            return None
        ledger = reservations(replace(passage, case=case), is_judged_on=True)
        return _Rehearsed(passage.id, facts, opinion, ledger, now, self._clock.monotonic_s())

    def at_once(self, passage: Passage) -> Judged | None:
        """The judgement, where the newest rehearsal stands: same vehicle, same answer, same case but for the time.

        The case that is kept says when it was judged. Never waits, never raises.
        """
        rehearsed, self._rehearsed = self._rehearsed, None
        if rehearsed is None or rehearsed.passage_id != passage.id:
            return None
        try:
            return self._confirmed(rehearsed, passage)
        except Exception:  # as in `rehearse`
            log.exception("lane %s: a rehearsal could not be used", passage.lane)
            return None

    def _confirmed(self, rehearsed: _Rehearsed, passage: Passage) -> Judged | None:
        answer, now = self._slips.at_hand(**_question(passage)), self._clock.now()
        age_s, wall_s = self._clock.monotonic_s() - rehearsed.at_s, (now - rehearsed.at).total_seconds()
        if answer is not rehearsed.facts.answer or age_s > REHEARSED_FOR_S or abs(wall_s - age_s) > REHEARSED_FOR_S:
            return None  # the last: the wall clock was set
        if self._facts(passage, answer, self._claim_of_ours(answer), now) != rehearsed.facts:
            return None
        return self._judged(passage, rehearsed.opinion, now, rehearsed.ledger)

    async def decide(self, passage: Passage) -> Judged:
        """Judge the passage as it is now. Never raises for outside faults: what cannot be judged goes to a person."""
        answer = await self._slips.find(**_question(passage))
        claim = await self._claim(passage, answer)
        now = self._clock.now()
        case = case_document(self._facts(passage, answer, claim, now), now)
        opinion = opinion_on(case, await self._with_draws(passage, case), self._redirect)
        return self._judged(passage, opinion, now)

    def _facts(self, passage: Passage, answer: SlipAnswer, claim: ClaimState | None, now: datetime) -> CaseFacts:
        return CaseFacts.of(
            passage, answer, claim, self._settings,
            are_devices_safe=self._are_devices_safe(), clock_error_s=self._clock_error_s(), policy=self._policy_at(now),
        )  # fmt: skip

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
        open_to_others = self._open_to_others(answer)
        if not open_to_others:
            return self._claim_of_ours(answer)
        return await self._claims.claim(open_to_others, passage_id=passage.id, lane=passage.lane, at=self._clock.now())

    def _open_to_others(self, answer: SlipAnswer) -> list[str]:
        """Slips that other sites may use too are claimed at the centre; those of this site are not (RULES 6)."""
        return [str(slip.get("slip_no")) for slip in answer.slips if slip.get("site_ids") != [self._settings.site_id]]

    @staticmethod
    def _claim_of_ours(answer: SlipAnswer) -> ClaimState | None:
        return ClaimState.NOT_NEEDED if answer.slips and answer.source is Source.CENTRAL else None

    def _judged(
        self, passage: Passage, opinion: Opinion, now: datetime, ledger: tuple[LedgerChange, ...] | None = None
    ) -> Judged:
        """`ledger`: what a release reserves, where the caller has that at hand."""
        is_release = opinion.verdict == "release"
        weighed = passage.weighed
        is_untold = weighed is not None and weighed.at != passage.weight_told_at
        changes: dict[str, Any] = {"disposition": Disposition.RELEASE, "disposed_by": "service"} if is_release else {}
        if weighed is not None:
            changes["weight_told_at"] = weighed.at
        judged = replace(
            passage, state=LaneState.DECIDING.value, case=opinion.case, assessment=opinion.assessment,
            explanation=opinion.explanation, driver_text=opinion.driver_text, check_texts=opinion.check_texts,
            verdict=opinion.verdict, override_by=opinion.override_by, decided_version=passage.facts_version, note=None,
            lane_to_go=opinion.lane_to_go, **changes,
        )  # fmt: skip
        events = [told.weighed(judged, now)] if is_untold else []
        if is_release and ledger is None:
            ledger = reservations(judged, is_judged_on=True)
        return Judged(judged, self._entry(judged, now, events, ledger if is_release else None))

    def _entry(
        self, passage: Passage, now: datetime, events: list[Event], reserved: tuple[LedgerChange, ...] | None
    ) -> Entry:
        """`reserved`: by a release; None where it is none."""
        events = [*events, told.decided(passage, now)]
        if reserved is not None:
            events.append(told.acted(passage, EventType.PASSAGE_RELEASED, now, "service", None))
        if passage.verdict == "detain":
            events.append(told.acted(passage, EventType.PASSAGE_HELD, now, "service", None))
        facts = {
            "verdict": passage.verdict,
            "facts_version": passage.facts_version,
            "reasons": [check["reason_code"] for check in (passage.assessment or {}).get("checks", ())],
            "raise": None if reserved is None else "release",
        }
        return Entry(
            "decision", now, "service", facts,
            lane=passage.lane, passage_id=passage.id, passage=passage.document(), ledger=reserved or (),
            events=tuple(events),
        )  # fmt: skip


def _question(passage: Passage) -> dict[str, Any]:
    """What is asked of the slip source about a passage."""
    return {
        "scanned": passage.scanned,
        "plate": passage.plate,
        "direction": passage.direction,
        "passage_id": passage.id,
    }


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
