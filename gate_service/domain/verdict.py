"""Verdicts, their order, and the check: one reason with the numbers that produced it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import IntEnum


class Verdict(IntEnum):
    """What the gate says about a passage; a larger value is stricter (RULES: detain > refuse > … > release)."""

    RELEASE = 0
    REVIEW = 1
    INSPECT = 2
    REFUSE = 3
    DETAIN = 4

    @property
    def word(self) -> str:
        """The public word: release, review, inspect, refuse, detain."""
        return self.name.lower()


Fact = str | int | float | bool | list[str] | None


@dataclass(frozen=True, slots=True)
class Source:
    """Where an expectation comes from. `kind` is a public word (slip, register, weighbridge, clock, …).

    `name` says which one, `part` which line or document of it, `note` what somebody wrote on it; `error_kg` is the
    instrument's own limit of error at this load.
    """

    kind: str
    name: str | None = None
    part: str | None = None
    note: str | None = None
    error_kg: int | float | None = None

    def as_document(self) -> dict[str, str | int | float]:
        """The public shape: what is not known is left out."""
        parts = {
            "kind": self.kind, "name": self.name, "part": self.part, "note": self.note, "error_kg": self.error_kg
        }  # fmt: skip
        return {key: value for key, value in parts.items() if value is not None}


@dataclass(frozen=True, slots=True)
class Check:
    """One rule that fired: the reason, what was expected and found, what would still be allowed.

    `cause` is set for weight_mismatch only. `source` says where the expectation comes from; the engine adds how old
    the copy is. `difference_kg` is declared minus measured, signed as customs reports wtError: for the record and the
    explanation, not in the public answer.
    """

    reason_code: str
    verdict: Verdict
    expected: Fact = None
    found: Fact = None
    allowed: Fact = None
    cause: str | None = None
    source: Source | None = None
    difference_kg: int | float | None = None

    def as_document(self) -> dict[str, Fact]:
        """The public shape of one entry of `checks`."""
        return {
            "reason_code": self.reason_code,
            "verdict": self.verdict.word,
            "expected": self.expected,
            "found": self.found,
            "allowed": self.allowed,
            "cause": self.cause,
        }


def strictest(checks: Iterable[Check]) -> Verdict:
    """The strictest verdict of all checks; release where none fired."""
    return max((check.verdict for check in checks), default=Verdict.RELEASE)
