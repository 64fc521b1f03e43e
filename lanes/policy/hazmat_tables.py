"""The hazardous-goods tables the rules use, read once from lanes/policy/data (origin and licence: its README)."""

from __future__ import annotations

import csv
import functools
import importlib.resources
import io
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

EDITION: Final = "ADR 2025 (UN numbers, 7.5.2.1)"
# ADR 7.5.2.1 note b: life-saving appliances and safety devices of class 9.
LIFE_SAVING_UN: Final = frozenset({"2990", "3072", "3268"})
GAS_DIVISIONS: Final = frozenset({"2.1", "2.2", "2.3"})
# 30 rows of the list are current without a transport category (data/README): known numbers.
CURRENT: Final = frozenset({"current", "current_no_category"})


@dataclass(frozen=True, slots=True)
class UnEntry:
    """One UN number of the list."""

    un_no: str
    name: str
    hazard_class: str
    class_code: str
    status: str

    @property
    def is_current(self) -> bool:
        """Retired and not current numbers go to a person."""
        return self.status in CURRENT

    @property
    def accepted_classes(self) -> frozenset[str]:
        """RULES 5: the list's class; for class 2 also 2.1 to 2.3; for class 1 its division with or without group."""
        accepted = {self.hazard_class}
        if self.hazard_class == "2":
            accepted |= GAS_DIVISIONS
        if self.hazard_class == "1" and self.class_code:
            accepted |= {self.class_code, self.class_code[:3]}
        return frozenset(accepted)

    @property
    def explosive_row(self) -> str:
        """The row of the mixed-loading table an explosive belongs to."""
        return self.class_code[:3] if self.class_code[:3] in {"1.4", "1.5", "1.6"} else "1"

    @property
    def explosive_group(self) -> str:
        """The compatibility group of an explosive, or blank."""
        return self.class_code[3:] if self.hazard_class == "1" else ""


def rows_of(name: str) -> list[dict[str, str]]:
    """The rows of one file of lanes/policy/data."""
    text = (importlib.resources.files("lanes.policy") / "data" / name).read_text(encoding="utf-8")
    return list(csv.DictReader(io.StringIO(text, newline="")))


@functools.cache
def un_numbers() -> Mapping[str, UnEntry]:
    """Every UN number of the list by its four digits."""
    return {
        row["un_no"]: UnEntry(row["un_no"], row["name"], row["class"], row["class_code"], row["status"])
        for row in rows_of("un_numbers.csv")
    }


@functools.cache
def mixed_loading() -> Mapping[str, Mapping[str, str]]:
    """The label table: row, column, cell; a blank cell forbids."""
    rows = rows_of("adr_7_5_2_1_mixed_loading.csv")
    return {row["label"]: {label: cell for label, cell in row.items() if label != "label"} for row in rows}
