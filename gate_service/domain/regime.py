"""The emergency regime (应急) of RULES 6: what was opened, by whom, how far it reaches, and when it ends. Pure."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final, Self

from gate_service.domain.errors import InputError

LONGEST: Final = timedelta(hours=8)  # RULES 6
MOST_PASSAGES: Final = 500  # site decision: what a shift of eight hours could pass at one a minute
LANE_KINDS: Final = ("declared", "non_declared")
UNKNOWN_TYPE: Final = "unknown"  # a signed slip that the copy does not hold: its signature does not say its type
SLIP_TYPES: Final = ("1", "2", "3", "4", "5", "6", "7", UNKNOWN_TYPE)
PAPER: Final = "paper"  # stands for the regime where none was open: the service itself was down


@dataclass(frozen=True, slots=True)
class RegimeTerms:
    """What is asked for. Raises InputError through `checked`."""

    reason: str
    lane_kinds: tuple[str, ...]
    slip_types: tuple[str, ...]
    ends_at: datetime
    passages: int

    def checked(self, now: datetime) -> Self:
        """These terms, if RULES 6 allows them. Raises InputError with what is allowed."""
        if not self.reason.strip():
            raise InputError("reason: a text that says why expected")
        _among("lane_kinds", self.lane_kinds, LANE_KINDS)
        _among("slip_types", self.slip_types, SLIP_TYPES)
        if self.ends_at.tzinfo is None or not now < self.ends_at <= now + LONGEST:
            latest = (now + LONGEST).isoformat(timespec="seconds")
            raise InputError(f"ends_at: a time from now to {latest} expected, found {self.ends_at.isoformat()}")
        if not 1 <= self.passages <= MOST_PASSAGES:
            raise InputError(f"passages: 1 to {MOST_PASSAGES} expected, found {self.passages}")
        return self

    def document(self) -> dict[str, Any]:
        """As it is recorded, told and shown."""
        return {
            "reason": self.reason,
            "lane_kinds": list(self.lane_kinds),
            "slip_types": list(self.slip_types),
            "ends_at": self.ends_at.isoformat(),
            "passages": self.passages,
        }


@dataclass(frozen=True, slots=True)
class Regime:
    """A regime that was opened by two people. `used` counts the passages released in it."""

    id: str
    terms: RegimeTerms
    opened_at: datetime
    opened_by: str
    approved_by: str
    used: int = 0
    closed_at: datetime | None = None
    closed_by: str | None = None
    close_reason: str | None = None

    def is_open(self, now: datetime) -> bool:
        """Whether it still lets anything go."""
        return self.closed_at is None and now < self.terms.ends_at and self.used < self.terms.passages

    def reaches(self, lane_kind: str, slip_types: Collection[str], now: datetime) -> bool:
        """Whether it is open for a lane of this class and slips of these types (none known: the unknown type)."""
        types = set(slip_types) or {UNKNOWN_TYPE}
        return self.is_open(now) and lane_kind in self.terms.lane_kinds and types <= set(self.terms.slip_types)

    def document(self) -> dict[str, Any]:
        """As it is stored, told and shown."""
        return {
            "id": self.id,
            **self.terms.document(),
            "opened_at": self.opened_at.isoformat(),
            "opened_by": self.opened_by,
            "approved_by": self.approved_by,
        }


def regime_of(document: Mapping[str, Any], **later: Any) -> Regime:
    """Read back what `Regime.document` wrote; `later` is what came after the opening."""
    terms = RegimeTerms(
        document["reason"],
        tuple(document["lane_kinds"]),
        tuple(document["slip_types"]),
        datetime.fromisoformat(document["ends_at"]),
        document["passages"],
    )
    opened_at = datetime.fromisoformat(document["opened_at"])
    return Regime(document["id"], terms, opened_at, document["opened_by"], document["approved_by"], **later)


def _among(place: str, found: Collection[str], allowed: Collection[str]) -> None:
    if not found or not set(found) <= set(allowed):
        raise InputError(f"{place}: one or more of {', '.join(allowed)} expected, found {sorted(found)}"[:300])
