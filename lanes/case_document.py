"""Composes the case document of a passage, in the shape of `gate assess`: everything that the rules may look at.

The document is stored with the passage, so that the same case can be judged again from the record alone.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from gate_service.domain.events import JsonObject
from gate_service.domain.passage import Passage, Weighed
from gate_service.domain.ports import ClaimState, SlipAnswer, Source
from gate_service.domain.vehicle import comparable_plate
from lanes.settings import LaneSettings


@dataclass(frozen=True, slots=True)
class CaseFacts:
    """Everything that a case is made of but the time. Facts that are equal make cases that differ in the time alone.

    `claim` None leaves it to the rules' default for the answer's source. `policy` is the one in force; None is the
    default of the rules.
    """

    scanned: tuple[str, ...]
    plate: str | None
    other_plates: tuple[str, ...]
    trailer_plate: str | None
    containers: tuple[str, ...] | None
    seals: tuple[str, ...] | None
    weight: JsonObject | None
    answer: SlipAnswer
    claim: ClaimState | None
    settings: LaneSettings
    are_devices_safe: bool | None
    clock_error_s: int | None
    policy: JsonObject | None

    @classmethod
    def of(
        cls,
        passage: Passage,
        answer: SlipAnswer,
        claim: ClaimState | None,
        settings: LaneSettings,
        *,
        are_devices_safe: bool | None,
        clock_error_s: int | None,
        policy: JsonObject | None = None,
    ) -> CaseFacts:
        """Those of one passage."""
        return cls(
            passage.scanned, passage.plate, passage.other_plates, passage.trailer_plate, passage.containers,
            passage.seals, _weight(passage.weighed), answer, claim, settings, are_devices_safe, clock_error_s, policy,
        )  # fmt: skip


def case_document(facts: CaseFacts, now: datetime) -> dict[str, Any]:
    """The case as it is at `now`."""
    answer, claim, settings = facts.answer, facts.claim, facts.settings
    document: dict[str, Any] = {
        "lane": _lane(settings),
        "site": settings.site_id,
        "scanned": facts.scanned[0] if facts.scanned else None,
        "found_by": "plate" if _was_searched_by_plate(facts) else "scan",
        "slips": list(answer.slips),
        "vehicle": {
            "plate": facts.plate,
            "trailer_plate": facts.trailer_plate,
            "containers": None if facts.containers is None else list(facts.containers),
            "seals": None if facts.seals is None else list(facts.seals),
            "legal_limit_kg": None,
        },
        "weight": facts.weight,
        "now_at": now.isoformat(),
        # A claim that got no answer means the centre did not answer for this vehicle: judged from the copy (RULES 6).
        "source": Source.LOCAL.value if claim is ClaimState.UNAVAILABLE else answer.source.value,
        "as_of": _time(answer.as_of),
        "site_state": {
            "clock_error_s": facts.clock_error_s,
            "holds_as_of": _time(now if answer.source is Source.CENTRAL else answer.holds_as_of),
            "devices_safe": facts.are_devices_safe,
        },
        "known": dict(answer.known),
        "policy": facts.policy,
        "secret": None,  # the case holds what was drawn (`draws`), never what it was drawn under
    }
    if facts.other_plates:
        document["vehicle"]["other_plates"] = list(facts.other_plates)
    if settings.gate != "single":
        document["gate"] = settings.gate
    if claim is not None:
        document["claim"] = claim.value
    return document


def _lane(settings: LaneSettings) -> dict[str, Any]:
    deck = settings.deck
    return {
        "kind": settings.kind,
        "direction": settings.direction,
        "hazmat": settings.allows_hazmat,
        "max_capacity_kg": None if deck is None else deck.max_capacity.to_json(),
        "interval_kg": None if deck is None else deck.interval.to_json(),
        "verified_until_at": _time(settings.verified_until_at),
    }


def _was_searched_by_plate(facts: CaseFacts) -> bool:
    """Whether a slip was to be found by the plate alone. A registered vehicle without a slip needs none (RULES 1)."""
    if facts.scanned:
        return False
    answer, plate = facts.answer, None if facts.plate is None else comparable_plate(facts.plate)
    on_register = any(comparable_plate(str(found.get("plate"))) == plate for found in answer.known.get("vehicles", ()))
    return bool(answer.slips) or not on_register


def _weight(weighed: Weighed | None) -> dict[str, Any] | None:
    if weighed is None:
        return None
    return {
        "gross_kg": None if weighed.gross is None else weighed.gross.to_json(),
        "status": weighed.status,
        "stable": weighed.is_stable,
        "fresh": True,
        "whole": weighed.was_whole,
        "zeroed": weighed.was_zeroed,
    }


def _time(at: datetime | None) -> str | None:
    return None if at is None else at.isoformat()
