"""A command on its way to a bus: how long it may wait for its turn, and what may still forbid it then."""

from __future__ import annotations

from dataclasses import dataclass

from gate_service.domain.errors import NotConfirmedError, NotSentError
from gate_service.domain.ports import Forbidden


@dataclass(frozen=True, slots=True)
class Order:
    """`valid_until_s` is monotonic. `forbidden_by` is asked in the moment of sending; None lets the command go."""

    valid_until_s: float
    forbidden_by: Forbidden | None = None

    def check(self, unit: str, now_s: float) -> None:
        """Its turn has come. Raises NotConfirmedError where it waited too long, NotSentError where it is forbidden."""
        if now_s > self.valid_until_s:
            raise NotConfirmedError(f"{unit}: not sent, it waited too long or in vain")
        why = None if self.forbidden_by is None else self.forbidden_by()
        if why is not None:
            raise NotSentError(f"{unit}: not sent: {why}")
