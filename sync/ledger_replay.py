"""The ledgers as the records' own changes make them, in memory: what `gate verify` holds the tables against."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, Final

from gate_service.domain.record import LedgerKind
from sync.kept import Line
from sync.register_replay import TABLES, RegisterReplay

Row = tuple[Any, ...]
Schema = Mapping[str, frozenset[str]]
"""The columns of each table of a database."""
_OF_SLIPS: Final = frozenset({LedgerKind.SLIP_RESERVED, LedgerKind.SLIP_USED, LedgerKind.SLIP_RETURNED})

_OF_REGIMES: Final = frozenset({LedgerKind.REGIME_USED, LedgerKind.PAPER_TYPED})


def _is_dropped(number: object, dropped_to: int) -> bool:
    return isinstance(number, int) and number <= dropped_to


class LedgerReplay:
    """Follows the stored ledger bytes of each record; the same rules as `sync.ledger`, written once more."""

    def __init__(self) -> None:
        self._slip_uses: dict[Row, Row] = {}
        self._inside: dict[Row, Row] = {}
        self._tares: dict[Row, Row] = {}
        self._overrides: dict[Row, Row] = {}
        self._regimes: dict[Row, Row] = {}
        self._record_of: dict[tuple[str, Row], int] = {}
        self._number = 0
        self._registers = RegisterReplay(self._touched)

    def follow(self, ledger: bytes, number: int, at_us: int) -> None:
        """Take over the changes of one record."""
        for line in json.loads(ledger):
            self._follow(line, number, at_us)

    def follow_kept(self, lines: Iterable[Line]) -> None:
        """Take over what was kept of records that are dropped or erased."""
        for number, at_us, *line in lines:
            self._follow(line, number, at_us)

    def forget_tares(self, passage_id: str) -> None:
        """The tares of a passage were erased."""
        for key in [key for key, value in self._tares.items() if value[0] == passage_id]:
            del self._tares[key]

    def _follow(self, line: list[Any], number: int, at_us: int) -> None:
        self._number = number
        word, key, passage_id, grams = line[:4]
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
        elif kind is LedgerKind.OVERRIDE_USED:
            self._note_first("override_uses", self._overrides, (key, passage_id), (at_us,), number)
        elif kind in _OF_REGIMES:
            state = "released" if kind is LedgerKind.REGIME_USED else "paper"
            self._note_first("regime_uses", self._regimes, (key, passage_id), (state, at_us), number)
        else:
            self._registers.follow(kind, line, at_us)

    def differences(
        self, query: Callable[..., Iterable[Row]], dropped_to: int = 0, schema: Schema | None = None
    ) -> Iterator[tuple[str, int | None]]:
        """What the tables say otherwise, each with the last record that touched it.

        Tares up to `dropped_to` are on their way out and count for nothing. `schema` names the tables and columns of a
        database of an earlier revision: what it lacks is not compared.
        """
        own = (
            ("slip_uses", self._slip_uses, "slip_no, passage_id", "state, at_us"),
            ("vehicles_inside", self._inside, "plate", "since_us, passage_id, came_in_g"),
            ("tares", self._tares, "plate, record_number", "passage_id, tare_g"),
            ("override_uses", self._overrides, "key, passage_id", "at_us"),
            ("regime_uses", self._regimes, "key, passage_id", "state, at_us"),
        )
        registers = ((name, self._registers.rows[name], keys, columns) for name, keys, columns in TABLES)
        for table, expected, key_columns, columns in (*own, *registers):
            if schema is not None and table not in schema:
                continue
            keys, names = key_columns.split(", "), columns.split(", ")
            kept = [at for at, name in enumerate(names) if schema is None or name in schema[table]]
            found = _rows(query, table, keys, [names[at] for at in kept])
            if table == "tares":
                found = {key: value for key, value in found.items() if not _is_dropped(key[1], dropped_to)}
            wanted = {key: tuple(values[at] for at in kept) for key, values in expected.items()}
            for key in sorted(wanted.keys() | found.keys()):
                if wanted.get(key) != found.get(key):
                    text = f"{table} {key}: {wanted.get(key)} by the records expected, found {found.get(key)}"
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

    def _touched(self, table: str, key: Row, values: Row) -> None:
        del values
        self._record_of[table, key] = self._number


def _rows(query: Callable[..., Iterable[Row]], table: str, keys: list[str], columns: list[str]) -> dict[Row, Row]:
    sql = f"SELECT {', '.join([*keys, *columns])} FROM {table}"  # noqa: S608 - our own names
    return {tuple(row[: len(keys)]): tuple(row[len(keys) :]) for row in query(sql)}
