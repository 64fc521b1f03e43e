"""Hazardous goods: identifiers, danger labels, limited and excepted quantities, S and R of GB 18218. No tables here."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Final

from gate_service.domain.mass import Mass
from gate_service.domain.slip import GoodsLine

LIMITED_GROSS_LIMIT: Final = Mass(8_000_000)  # MOT Order 2019 No. 29, arts. 16-21: 8 000 kg gross per vehicle
EXCEPTED_PACKAGES_LIMIT: Final = 1000  # same: 1 000 packages per vehicle
_CAS_SHAPE: Final = re.compile(r"[1-9][0-9]{1,6}-[0-9]{2}-[0-9]")
_EXPLOSIVE: Final = re.compile(r"1(\.[1-6])?([A-LNS])?")


def bare_un_number(text: str) -> str:
    """The UN number without the optional letters UN and blanks."""
    return text.strip().upper().removeprefix("UN").strip()


def cas_check_digit_fits(cas: str) -> bool:
    """Whether a CAS number has its shape and its check digit: sum of digit times place from the right, modulo 10."""
    cas = cas.strip()
    if not _CAS_SHAPE.fullmatch(cas):
        return False
    digits = [int(c) for c in cas if c != "-"]
    return sum(place * d for place, d in enumerate(reversed(digits))) % 10 == digits[-1]


@dataclass(frozen=True, slots=True, order=True)
class Label:
    """A danger label as the mixed-loading table keys it; explosives carry their compatibility group (or "")."""

    row: str
    group: str = ""


def label_of(hazard_class: str) -> Label:
    """The table row of a class or division: 2.1 to 2.3 are 2, 7A to 7E are 7, 1.1 to 1.3 are 1 with their group."""
    text = hazard_class.strip().upper()
    explosive = _EXPLOSIVE.fullmatch(text)
    if explosive:
        division = "1" + (explosive.group(1) or "")
        row = division if division in {"1.4", "1.5", "1.6"} else "1"
        return Label(row, explosive.group(2) or "")
    if text in {"2.1", "2.2", "2.3"}:
        return Label("2")
    if re.fullmatch(r"7[A-E]", text):
        return Label("7")
    return Label(text)


def labels_of(hazard_class: str, subsidiary: Iterable[str]) -> frozenset[Label]:
    """Every label of one line; 4.1 and 5.2 with a subsidiary 1 are rows of their own."""
    main = label_of(hazard_class)
    others = {label_of(s) for s in subsidiary if s.strip()}
    if main.row in {"4.1", "5.2"} and any(o.row == "1" for o in others):
        main = Label(f"{main.row}+1")
        others = {o for o in others if o.row != "1"}
    return frozenset({main} | others)


@dataclass(frozen=True, slots=True)
class SmallQuantities:
    """Whether the limited and the excepted lines of one vehicle stay within what may travel as ordinary goods."""

    limited_gross: Mass | None
    excepted_packages: int | None

    def frees(self, line: GoodsLine) -> bool:
        """Whether this line needs no hazardous lane. An unknown sum frees nothing."""
        kind = line.hazmat.quantity_kind if line.hazmat else None
        if kind == "limited":
            return self.limited_gross is not None and self.limited_gross <= LIMITED_GROSS_LIMIT
        if kind == "excepted":
            return self.excepted_packages is not None and self.excepted_packages <= EXCEPTED_PACKAGES_LIMIT
        return False


def small_quantities(lines: Iterable[GoodsLine]) -> SmallQuantities:
    """Add up the limited and excepted lines of one vehicle; one unknown amount makes its sum unknown."""
    limited: Mass | None = Mass(0)
    packages: int | None = 0
    for line in lines:
        kind = line.hazmat.quantity_kind if line.hazmat else None
        if kind == "limited":
            limited = None if limited is None or line.gross is None else limited + line.gross
        elif kind == "excepted":
            count = line.hazmat.packages if line.hazmat else None
            packages = None if packages is None or count is None else packages + count
    return SmallQuantities(limited, packages)


@dataclass(frozen=True, slots=True)
class StockTerm:
    """One substance of a unit: amount q and threshold Q in tonnes, and beta of GB 18218-2018 tables 3 and 4."""

    name: str
    amount_t: Decimal
    threshold_t: Decimal
    beta: Decimal


def stock_indicator(terms: Iterable[StockTerm]) -> Decimal:
    """S of GB 18218-2018: the sum of q/Q. An indicator of a storage unit, never a verdict on a truck."""
    return sum((t.amount_t / t.threshold_t for t in terms), Decimal(0))


def stock_grading(terms: Iterable[StockTerm], alpha: Decimal) -> Decimal:
    """R of GB 18218-2018: alpha times the sum of beta·q/Q."""
    return alpha * sum((t.beta * t.amount_t / t.threshold_t for t in terms), Decimal(0))


def installation_level(r: Decimal, from_r: Mapping[int, Decimal]) -> int:
    """The level (1 gravest to 4) whose lower bound R reaches; `from_r` maps level to its inclusive lower bound."""
    return min((level for level, bound in from_r.items() if r >= bound), default=max(from_r))
