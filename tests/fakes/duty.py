"""A shift and a regime moved by hand, for tests of lanes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from gate_service.domain.regime import SLIP_TYPES, Regime, RegimeTerms


class HandDuty:
    """`ports.Duty`."""

    def __init__(self) -> None:
        self.uses: Counter[str] = Counter()
        self.open: Regime | None = None

    def shift(self) -> str:
        return "7"

    def overrides(self) -> Mapping[str, int]:
        return self.uses

    def regime(self) -> Regime | None:
        return self.open

    def released(self, reasons: Sequence[str], regime_id: str | None) -> None:
        self.uses.update(reasons)
        if self.open is not None and regime_id == self.open.id:
            self.open = replace(self.open, used=self.open.used + 1)

    def open_regime(self, now: datetime, **changes: object) -> None:
        terms = RegimeTerms("line cut", ("declared",), SLIP_TYPES, now + timedelta(hours=8), 2)
        self.open = Regime("r-1", replace(terms, **changes), now, "user:olga", "user:sue")  # type: ignore[arg-type]
