"""Opening stock and mistakes of the hazardous inventory, as they are told (`hazmat.corrected`). Pure.

A correction is a change with its sign, added to the balances like an entry or an exit; the events before it stand.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from gate_service.domain.errors import InputError
from gate_service.domain.events import JsonObject
from gate_service.domain.hazmat import cas_check_digit_fits
from gate_service.domain.mass import Mass

OPENING: Final = "opening_stock"
MISTAKE: Final = "mistake"
TOLD: Final = (
    "un_no", "name", "cas", "class", "subsidiary", "packing_group", "storage_unit", "emergency_phone", "sds",
    "ghs_symbol",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Correction:
    """One correction of one or several balances of one enterprise."""

    kind: str
    enterprise: JsonObject
    lines: tuple[tuple[JsonObject, Mass], ...]
    reason: str
    corrects: str | None = None

    def told(self, by: str, edition: str) -> dict[str, Any]:
        """What the zone authority and the central system are told: `net_kg` is the change."""
        return {
            "kind": self.kind,
            "by": by,
            "reason": self.reason,
            "corrects": self.corrects,
            "enterprise": dict(self.enterprise),
            "lines": [{**line, "net_kg": change.to_json()} for line, change in self.lines],
            "tables_edition": edition,
        }

    def facts(self) -> dict[str, Any]:
        """For the record, in whole grams."""
        return {
            "kind": self.kind,
            "reason": self.reason,
            "corrects": self.corrects,
            "enterprise": dict(self.enterprise),
            "lines": [{**line, "change_g": change.grams} for line, change in self.lines],
        }


def read_correction(
    kind: str, enterprise: JsonObject, lines: Sequence[Mapping[str, Any]], reason: str, corrects: str | None
) -> Correction:
    """Check a correction. Raises InputError."""
    if not reason.strip():
        raise InputError("reason: a text that says why expected")
    read = tuple(_read_line(line, f"lines.{place}", kind) for place, line in enumerate(lines))
    return Correction(kind, enterprise, read, reason.strip(), corrects)


def _read_line(line: Mapping[str, Any], place: str, kind: str) -> tuple[JsonObject, Mass]:
    change: Mass = line["change"]
    if change.grams == 0:
        raise InputError(f"{place}.change_kg: a change expected, found 0")
    if kind == OPENING and change.grams < 0:
        raise InputError(f"{place}.change_kg: opening stock above 0 expected, found {change.kg}")
    cas = line.get("cas")
    if cas and not cas_check_digit_fits(cas):
        raise InputError(f"{place}.cas: a CAS number with its check digit expected, found {cas!r}")
    return {name: line[name] for name in TOLD if line.get(name) not in (None, "", [])}, change
