"""One measured figure, what it is held against, and how both are written down. Pure."""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass


@dataclass(frozen=True, slots=True)
class Figure:
    """A value and, where there is one, the value of the same unit it is held against (`beside`, named by `against`).

    `limit` bounds the ratio of the two: from above, or with `is_at_least` from below. None: told, not judged.
    """

    bench: str
    name: str
    value: float
    unit: str
    beside: float | None = None
    against: str = ""
    limit: float | None = None
    is_at_least: bool = False

    @property
    def ratio(self) -> float | None:
        """The value over what it is held against."""
        return self.value / self.beside if self.beside else None

    @property
    def is_ok(self) -> bool:
        """Whether the ratio keeps its limit; a figure without one is."""
        if self.limit is None:
            return True
        ratio = self.ratio
        if ratio is None or not math.isfinite(ratio):
            return False
        return ratio >= self.limit if self.is_at_least else ratio <= self.limit

    def as_json(self) -> str:
        """One line; numbers as measured, to four digits."""
        fields = asdict(self) | {"ratio": self.ratio, "ok": self.is_ok}
        rounded = {name: float(f"{v:.4g}") if isinstance(v, float) else v for name, v in fields.items()}
        return json.dumps(rounded, ensure_ascii=False)

    def as_line(self) -> str:
        """One line for people: name, value, against what, ratio, limit, ok or over."""
        parts = [f"{self.bench:9} {self.name:44} {_number(self.value):>9} {self.unit:8}"]
        if self.beside is not None and self.ratio is not None:
            parts.append(f"{self.against} {_number(self.beside)} {self.unit}, ratio {self.ratio:.2f}")
        if self.limit is not None:
            bound = "at least" if self.is_at_least else "at most"
            parts.append(f"({bound} {self.limit:g}) {'ok' if self.is_ok else 'OVER'}")
        return " ".join(parts).rstrip()


def _number(value: float) -> str:
    return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.3g}"


def quantile(values: Sequence[float], share: float) -> float:
    """The smallest value that at least this share of all values does not exceed (nearest rank). Not for no values."""
    ordered = sorted(values)
    return ordered[max(0, math.ceil(share * len(ordered)) - 1)]
