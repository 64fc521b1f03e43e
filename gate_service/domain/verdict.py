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
class Check:
    """One rule that fired: the reason, what was expected and found, what would still be allowed.

    `cause` is set for weight_mismatch only. `source` says where the expectation comes from (slip, register,
    instrument, …) and `difference_kg` is declared minus measured, signed as customs reports wtError; both go into
    the record and the explanation, not into the public answer.
    """

    reason_code: str
    verdict: Verdict
    expected: Fact = None
    found: Fact = None
    allowed: Fact = None
    cause: str | None = None
    source: str | None = None
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
