"""The ledgers as the records' own changes make them, in memory: what `gate verify` holds the tables against."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator
from typing import Any, Final

from gate_service.domain.record import LedgerKind
from sync.kept import Line

Row = tuple[Any, ...]
_OF_SLIPS: Final = frozenset({LedgerKind.SLIP_RESERVED, LedgerKind.SLIP_USED, LedgerKind.SLIP_RETURNED})

EARLIER: Final = frozenset({"0001", "0002", "0025", "0027", "0024", "0022"})
"""Revisions before 0026, which made the tables below."""
LATER_TABLES: Final = frozenset({"override_uses", "regime_uses"})


def _is_dropped(number: object, dropped_to: int) -> bool:
    return isinstance(number, int) and number <= dropped_to


class LedgerReplay:
    """Follows the stored ledger bytes of each record; the same rules as `sync.ledger`, written once more."""

    def __init__(self) -> None:
        self._slip_uses: dict[Row, Row] = {}
        self._inside: dict[Row, Row] = {}
        self._tares: dict[Row, Row] = {}
        self._declared: dict[Row, Row] = {}
        self._overrides: dict[Row, Row] = {}
        self._regimes: dict[Row, Row] = {}
        self._record_of: dict[tuple[str, Row], int] = {}

    def follow(self, ledger: bytes, number: int, at_us: int) -> None:
        """Take over the changes of one record."""
        for word, key, passage_id, grams, _limit in json.loads(ledger):
            self._follow(word, key, passage_id, grams, at=(number, at_us))

    def follow_kept(self, lines: Iterable[Line]) -> None:
        """Take over what was kept of records that are dropped or erased."""
        for number, at_us, word, key, passage_id, grams, _limit in lines:
            self._follow(word, key, passage_id, grams, at=(number, at_us))

    def forget_tares(self, passage_id: str) -> None:
        """The tares of a passage were erased."""
        for key in [key for key, value in self._tares.items() if value[0] == passage_id]:
            del self._tares[key]

    def _follow(self, word: str, key: str, passage_id: str, grams: int | None, *, at: tuple[int, int]) -> None:
        number, at_us = at
        kind = LedgerKind(word)
        if kind in _OF_SLIPS:
            self._follow_slip(kind, (key, passage_id), number, at_us)
        elif kind is LedgerKind.VEHICLE_IN:
            self._note("vehicles_inside", self._inside, (key,), (at_us, passage_id, grams), number)
        elif kind is LedgerKind.VEHICLE_OUT:
            self._inside.pop((key,), None)
            self._record_of["vehicles_inside", (key,)] = number
        elif kind is LedgerKind.TARE_SEEN:
            self._note("tares", self._tares, (key, number), (passage_id, grams), number)
        elif kind is LedgerKind.DECLARATION_PASSED:
            passed = self._declared.get((key, passage_id), (0,))[0] + (grams or 0)
            self._note("declaration_passed", self._declared, (key, passage_id), (passed,), number)
        elif kind is LedgerKind.OVERRIDE_USED:
            self._note_first("override_uses", self._overrides, (key, passage_id), (at_us,), number)
        else:
            state = "released" if kind is LedgerKind.REGIME_USED else "paper"
            self._note_first("regime_uses", self._regimes, (key, passage_id), (state, at_us), number)

    def differences(self, query: Callable[..., Iterable[Row]], dropped_to: int = 0) -> Iterator[tuple[str, int | None]]:
        """What the tables say otherwise, each with the last record that touched it.

        Tares up to `dropped_to` are on their way out and count for nothing. A table that a database of an earlier
        revision does not have counts as an empty one.
        """
        revision = next(iter(query("SELECT version_num FROM alembic_version")))[0]
        missing = LATER_TABLES if revision in EARLIER else frozenset()
        for table, expected, key_columns, columns in (
            ("slip_uses", self._slip_uses, "slip_no, passage_id", "state, at_us"),
            ("vehicles_inside", self._inside, "plate", "since_us, passage_id, came_in_g"),
            ("tares", self._tares, "plate, record_number", "passage_id, tare_g"),
            ("declaration_passed", self._declared, "declaration_no, passage_id", "passed_g"),
            ("override_uses", self._overrides, "key, passage_id", "at_us"),
            ("regime_uses", self._regimes, "key, passage_id", "state, at_us"),
        ):
            width = key_columns.count(",") + 1
            sql = f"SELECT {key_columns}, {columns} FROM {table}"  # noqa: S608 - our own names
            rows = () if table in missing else query(sql)
            found = {tuple(row[:width]): tuple(row[width:]) for row in rows}
            if table == "tares":
                found = {key: value for key, value in found.items() if not _is_dropped(key[1], dropped_to)}
            for key in sorted(expected.keys() | found.keys()):
                if expected.get(key) != found.get(key):
                    text = f"{table} {key}: {expected.get(key)} by the records expected, found {found.get(key)}"
                    yield text, self._record_of.get((table, key))

    def _follow_slip(self, kind: LedgerKind, key: Row, number: int, at_us: int) -> None:
        """A used slip stays used; a reservation under way keeps its time."""
        state = self._slip_uses.get(key, ("",))[0]
        if state == "used" or (kind is LedgerKind.SLIP_RESERVED and state == "reserved"):
            return
        self._note("slip_uses", self._slip_uses, key, (kind.value.removeprefix("slip_"), at_us), number)

    def _note(self, table: str, rows: dict[Row, Row], key: Row, values: Row, number: int) -> None:
        rows[key] = values
        self._record_of[table, key] = number

    def _note_first(self, table: str, rows: dict[Row, Row], key: Row, values: Row, number: int) -> None:
        """What is noted once stays as it was noted first."""
        if key not in rows:
            self._note(table, rows, key, values, number)
