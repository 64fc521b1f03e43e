"""The tables of GB 18218-2018, read once from lanes/policy/data (origin and what they lack: its README)."""

from __future__ import annotations

import functools
from decimal import Decimal
from typing import Final

from gate_service.domain.major_hazard import HazardSymbol, NamedSubstance, StockTables, comparable_name
from lanes.policy.hazmat_tables import rows_of

STOCK_EDITION: Final = "GB 18218-2018 (tables 1 to 4)"
LEVELS: Final = {"一级": 1, "二级": 2, "三级": 3, "四级": 4}


@functools.cache
def stock_tables() -> StockTables:
    """Thresholds, beta, alpha and levels."""
    symbols = (
        HazardSymbol(row["symbol"], row["category"], Decimal(row["q_t"]), Decimal(row["beta"]))
        for row in rows_of("gb18218_table2.csv")
    )
    steps = rows_of("gb18218_alpha_levels.csv")
    return StockTables(
        edition=STOCK_EDITION,
        substances=tuple(_substance(row) for row in rows_of("gb18218_table1.csv")),
        symbols={symbol.symbol: symbol for symbol in symbols},
        gas_beta={comparable_name(row["name_zh"]): Decimal(row["beta"]) for row in rows_of("gb18218_table3_beta.csv")},
        alpha=tuple(
            (int(row["from"]), int(row["to"]) if row["to"] else None, Decimal(row["value"]))
            for row in steps
            if row["kind"] == "alpha"
        ),
        level_from={LEVELS[row["value"]]: Decimal(row["from"] or 0) for row in steps if row["kind"] == "level"},
    )


def _substance(row: dict[str, str]) -> NamedSubstance:
    cas = frozenset(number for number in row["cas"].split("|") if number)
    names = {comparable_name(name) for name in (row["name_zh"], *row["alias"].split(";")) if name}
    substance = NamedSubstance(row["no"], row["name_zh"], frozenset(names), cas, Decimal(row["q_t"]))
    if cas:
        return substance
    # A row without CAS can be known by its name alone, and slips leave the bracket out.
    return NamedSubstance(
        row["no"], row["name_zh"], frozenset(names | {substance.short_name}), cas, Decimal(row["q_t"])
    )
