"""Composes the case document of a passage, in the shape of `gate assess`: everything that the rules may look at.

The document is stored with the passage, so that the same case can be judged again from the record alone.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from gate_service.domain.events import JsonObject
from gate_service.domain.passage import Passage
from gate_service.domain.ports import ClaimState, SlipAnswer, Source
from gate_service.domain.vehicle import comparable_plate
from lanes.settings import LaneSettings


def _time(at: datetime | None) -> str | None:
    return None if at is None else at.isoformat()


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


def _was_searched_by_plate(passage: Passage, answer: SlipAnswer) -> bool:
    """Whether a slip was to be found by the plate alone. A registered vehicle without a slip needs none (RULES 1)."""
    if passage.scanned:
        return False
    plate = None if passage.plate is None else comparable_plate(passage.plate)
    on_register = any(comparable_plate(str(found.get("plate"))) == plate for found in answer.known.get("vehicles", ()))
    return bool(answer.slips) or not on_register


def _weight(passage: Passage) -> dict[str, Any] | None:
    weighed = passage.weighed
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


def case_document(
    passage: Passage,
    answer: SlipAnswer,
    claim: ClaimState | None,
    settings: LaneSettings,
    *,
    now: datetime,
    are_devices_safe: bool | None,
    clock_error_s: int | None,
    policy: JsonObject | None = None,
) -> dict[str, Any]:
    """The case of one passage. `claim` None leaves it to the rules' default for the answer's source.

    `policy` is the one in force at `now`; None is the default of the rules.
    """
    document: dict[str, Any] = {
        "lane": _lane(settings),
        "site": settings.site_id,
        "scanned": passage.scanned[0] if passage.scanned else None,
        "found_by": "plate" if _was_searched_by_plate(passage, answer) else "scan",
        "slips": list(answer.slips),
        "vehicle": {
            "plate": passage.plate,
            "trailer_plate": passage.trailer_plate,
            "containers": None if passage.containers is None else list(passage.containers),
            "seals": None if passage.seals is None else list(passage.seals),
            "legal_limit_kg": None,
        },
        "weight": _weight(passage),
        "now_at": now.isoformat(),
        # A claim that got no answer means the centre did not answer for this vehicle: judged from the copy (RULES 6).
        "source": Source.LOCAL.value if claim is ClaimState.UNAVAILABLE else answer.source.value,
        "as_of": _time(answer.as_of),
        "site_state": {
            "clock_error_s": clock_error_s,
            "holds_as_of": _time(now if answer.source is Source.CENTRAL else answer.holds_as_of),
            "devices_safe": are_devices_safe,
        },
        "known": dict(answer.known),
        "policy": policy,
        "secret": None,  # the case holds what was drawn (`draws`), never what it was drawn under
    }
    if passage.other_plates:
        document["vehicle"]["other_plates"] = list(passage.other_plates)
    if settings.gate != "single":
        document["gate"] = settings.gate
    if claim is not None:
        document["claim"] = claim.value
    return document
