"""GB 18218-2018: which row of its tables a stored substance belongs to, with Q and beta, or why none. No tables here.

CAS alone is not a key (9004-70-0 has six rows), so a CAS number with several rows needs the row's own name beside it;
what cannot be told is not counted, with the reason, never guessed. Table 1 wins over table 2.
"""

from __future__ import annotations

import functools
import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Final

from gate_service.domain.hazmat import bare_un_number

TYPE_B_SELF_REACTIVE: Final = frozenset({"3221", "3222", "3231", "3232"})  # UN Model Regulations, 2.4.2.3: types B
TYPES_C_TO_F_SELF_REACTIVE: Final = frozenset(str(n) for n in (*range(3223, 3231), *range(3233, 3241)))
TYPE_B_PEROXIDE: Final = frozenset({"3101", "3102", "3111", "3112"})  # same, 2.5.3.2.4
TYPES_C_TO_F_PEROXIDE: Final = frozenset(str(n) for n in (*range(3103, 3111), *range(3113, 3121)))
AEROSOLS_UN: Final = "1950"
BY_DIVISION: Final = {
    "1.1": "W1.1",
    **dict.fromkeys(("1.2", "1.3", "1.5", "1.6"), "W1.2"),
    "1.4": "W1.3",
    "2.1": "W2",
}
# The packing group of these classes and the GHS category of table 2 rest on the same criteria (flash and boiling point,
# test results); W5.1 and W5.2 by process conditions cannot be seen at a gate. To be signed off with the tables.
BY_PACKING_GROUP: Final = {
    ("3", "I"): "W5.1",
    ("3", "II"): "W5.3",
    ("3", "III"): "W5.4",
    ("4.1", "II"): "W10",
    ("4.2", "I"): "W8",
    ("4.3", "I"): "W11",
    ("4.3", "II"): "W11",
    ("5.1", "I"): "W9.1",
    ("5.1", "II"): "W9.2",
    ("5.1", "III"): "W9.2",
}
OUTSIDE_TABLE_2: Final = frozenset({"2.2", "6.2", "7", "8", "9"})
OUTSIDE_BY_PACKING_GROUP: Final = frozenset({("4.1", "III"), ("4.2", "II"), ("4.2", "III"), ("4.3", "III")})
"""Categories that table 2 does not name: flammable solids 2, self-heating substances, water-reactive 3."""


@dataclass(frozen=True, slots=True)
class NamedSubstance:
    """A row of table 1. `names` are its name and aliases in comparable form."""

    number: str
    name: str
    names: frozenset[str]
    cas: frozenset[str]
    threshold_t: Decimal

    @property
    def short_name(self) -> str:
        """The name without the condition in brackets."""
        return comparable_name(self.name).partition("(")[0].partition("[")[0]

    @property
    def condition(self) -> str | None:
        """What the row holds for, where its name says so: a content, dry, anhydrous."""
        name = comparable_name(self.name)
        return name[len(self.short_name) :] or None


@dataclass(frozen=True, slots=True)
class HazardSymbol:
    """A row of table 2 with the beta of table 4."""

    symbol: str
    category: str
    threshold_t: Decimal
    beta: Decimal


@dataclass(frozen=True, slots=True, eq=False)
class StockTables:
    """The tables of one edition; only the same object is equal, so that matches can be remembered by it.

    `alpha` is (from, to or None, value) by exposed people; `level_from` gives each level its lower R.
    """

    edition: str
    substances: tuple[NamedSubstance, ...]
    symbols: Mapping[str, HazardSymbol]
    gas_beta: Mapping[str, Decimal]
    alpha: tuple[tuple[int, int | None, Decimal], ...]
    level_from: Mapping[int, Decimal]

    def alpha_of(self, exposed_people: int | None) -> Decimal | None:
        """Alpha for the people exposed; None where nobody said how many."""
        if exposed_people is None:
            return None
        for first, last, value in self.alpha:
            if first <= exposed_people and (last is None or exposed_people <= last):
                return value
        return None


@dataclass(frozen=True, slots=True, order=True)
class Goods:
    """What a line says the substance is. `symbols` are those of table 2, where the papers name them."""

    un_no: str = ""
    cas: str = ""
    name: str = ""
    hazard_class: str = ""
    subsidiary: tuple[str, ...] = ()
    packing_group: str = ""
    symbols: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Match:
    """The row that a substance belongs to. `how`: table1_cas, table1_cas_name, table1_name, table2_symbol (declared) or
    table2_class (from class and packing group). `beta` None: neither table 3 nor a symbol tells it.
    """

    how: str
    row: str
    row_name: str
    threshold_t: Decimal
    beta: Decimal | None
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class NotCounted:
    """Why a substance stands in no sum. `reason` is a stable word, `rows` the rows among which it cannot be told."""

    reason: str
    rows: tuple[str, ...] = ()


def comparable_name(text: str) -> str:
    """A name without blanks, full-width forms and letter case, so that the same name compares equal."""
    return "".join(unicodedata.normalize("NFKC", text).split()).casefold()


@functools.lru_cache(maxsize=16_384)
def match(goods: Goods, tables: StockTables) -> Match | NotCounted:
    """The row of a substance, or why it is not counted."""
    name = comparable_name(goods.name)
    by_cas = [row for row in tables.substances if goods.cas and goods.cas in row.cas]
    by_name = [row for row in tables.substances if name and name in row.names]
    if len(by_cas) == 1:
        if by_name and by_cas[0] not in by_name:
            return NotCounted("cas_and_name_differ", _numbers([*by_cas, *by_name]))
        return _named(by_cas[0], "table1_cas", goods, tables)
    if by_cas:
        both = [row for row in by_cas if row in by_name]
        return _named(both[0], "table1_cas_name", goods, tables) if len(both) == 1 else _unclear("cas", by_cas)
    if len(by_name) == 1:
        notes = ("cas_not_of_row",) if goods.cas and by_name[0].cas else ()
        return _named(by_name[0], "table1_name", goods, tables, notes)
    return _unclear("name", by_name) if by_name else _by_symbol(goods, tables)


def _unclear(what: str, rows: Iterable[NamedSubstance]) -> NotCounted:
    return NotCounted(f"{what}_ambiguous", _numbers(rows))


def _numbers(rows: Iterable[NamedSubstance]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(row.number for row in rows))


def _named(row: NamedSubstance, how: str, goods: Goods, tables: StockTables, notes: tuple[str, ...] = ()) -> Match:
    beta = tables.gas_beta.get(row.short_name)
    if beta is None:
        symbol, _ = _strictest(goods, tables)
        beta = None if symbol is None else symbol.beta
    if how == "table1_cas" and row.condition is not None:
        notes = (*notes, "condition_not_checked")
    return Match(how, row.number, row.name, row.threshold_t, beta, notes)


def _by_symbol(goods: Goods, tables: StockTables) -> Match | NotCounted:
    symbol, unknown = _strictest(goods, tables)
    if symbol is None:
        if not goods.hazard_class:
            return NotCounted("class_unknown")
        return NotCounted("category_unknown" if unknown else "not_in_tables", unknown)
    declared = bool(_declared(goods, tables))
    notes = () if declared else tuple(f"category_unknown_{one}" for one in unknown)
    beta = tables.gas_beta.get(comparable_name(goods.name), symbol.beta)
    how = "table2_symbol" if declared else "table2_class"
    return Match(how, symbol.symbol, symbol.category, symbol.threshold_t, beta, notes)


def _strictest(goods: Goods, tables: StockTables) -> tuple[HazardSymbol | None, tuple[str, ...]]:
    """The symbol with the smallest Q (then the largest beta), and hazards whose category cannot be told."""
    found = _declared(goods, tables)
    unknown: tuple[str, ...] = ()
    if not found:
        names, unknown = symbols_of_class(goods)
        found = [tables.symbols[name] for name in names if name in tables.symbols]
    return min(found, key=lambda symbol: (symbol.threshold_t, -symbol.beta), default=None), unknown


def _declared(goods: Goods, tables: StockTables) -> list[HazardSymbol]:
    return [tables.symbols[name] for name in goods.symbols if name in tables.symbols]


def symbols_of_class(goods: Goods) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Symbols of table 2 that class, packing group and UN number tell for certain; and hazards they leave open."""
    hazard, un_no = goods.hazard_class.strip().upper(), bare_un_number(goods.un_no)
    others = {other.strip() for other in goods.subsidiary if other.strip()}
    symbols, unknown = [], []
    main = _symbol_of(hazard, goods.packing_group.strip().upper(), un_no)
    if hazard.startswith("2") and "5.1" in others:
        symbols.append("W4")
    if main is not None:
        symbols.append(main)
    elif hazard and not _is_outside(hazard, goods.packing_group.strip().upper()):
        unknown.append(hazard)
    if "2.1" in others:
        symbols.append("W2")
    # The packing group belongs to the main hazard or to a subsidiary one, which cannot be told from a slip.
    used = {"2.1", "5.1"} if hazard.startswith("2") else {"2.1"}
    unknown += sorted(other for other in others - used if other[:1] != "1" and not _is_outside(other, ""))
    return tuple(symbols), tuple(unknown)


def _symbol_of(hazard: str, packing_group: str, un_no: str) -> str | None:
    if hazard == "2.1" and un_no == AEROSOLS_UN:
        return "W3"
    for numbers, symbol in (
        (TYPE_B_SELF_REACTIVE, "W6.1"),
        (TYPES_C_TO_F_SELF_REACTIVE, "W6.2"),
        (TYPE_B_PEROXIDE, "W7.1"),
        (TYPES_C_TO_F_PEROXIDE, "W7.2"),
    ):
        if un_no in numbers:
            return symbol
    division = hazard[:3] if hazard.startswith("1.") else hazard
    return BY_DIVISION.get(division) or BY_PACKING_GROUP.get((hazard, packing_group))


def _is_outside(hazard: str, packing_group: str) -> bool:
    return hazard.rstrip("ABCDE") in OUTSIDE_TABLE_2 or (hazard, packing_group) in OUTSIDE_BY_PACKING_GROUP
