"""The same ledgers as `sync.register_ledger`, in memory, from the stored bytes: what `gate verify` compares with."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any, Final

from gate_service.domain.record import LedgerKind

Row = tuple[Any, ...]
Note = Callable[[str, Row, Row], None]
"""Table, key, values."""

TABLES: Final = (
    ("declaration_passed", "declaration_no, passage_id", "passed_g, quantity_milli, state"),
    ("temporary_exits", "slip_no", ("passage_id, customs_code, return_due_us, left_at_us, return_passage_id,"
      " returned_at_us")),
    ("inspections", "passage_id", "place, ordered_at_us, found, done_at_us, done_by, result"),
)  # fmt: skip


class RegisterReplay:
    """Rows by table; `note` tells which record touched a row last."""

    def __init__(self, note: Note) -> None:
        self.rows: dict[str, dict[Row, Row]] = {name: {} for name, _, _ in TABLES}
        self._note = note

    def follow(self, kind: LedgerKind, line: list[Any], at_us: int) -> None:
        """One line of a record's ledger changes."""
        _word, key, passage_id, grams, _limit, *rest = line
        detail = rest[0] if rest else ""
        if kind in _OF_DECLARATIONS:
            self._declare(kind, (key, passage_id), grams, int(detail) if detail else None)
        elif kind is LedgerKind.TEMPORARY_EXIT:
            if (key,) not in self.rows["temporary_exits"]:
                self._put("temporary_exits", (key,), (passage_id, *json.loads(detail), at_us, None, None))
        elif kind is LedgerKind.TEMPORARY_RETURN:
            before = self.rows["temporary_exits"].get((key,))
            if before is not None and before[5] is None:
                self._put("temporary_exits", (key,), (*before[:4], passage_id, at_us))
        else:
            self._inspect(kind, key, passage_id, detail, at_us)

    def _declare(self, kind: LedgerKind, key: Row, grams: int, quantity: int | None) -> None:
        before = self.rows["declaration_passed"].get(key, (0, None, ""))
        if kind is LedgerKind.DECLARATION_PASSED:
            earlier = before[0] if before[2] == "passed" else 0
            self._put("declaration_passed", key, (grams + earlier, quantity, "passed"))
        elif kind is LedgerKind.DECLARATION_RESERVED and before[2] != "passed":
            self._put("declaration_passed", key, (grams, quantity, "reserved"))
        elif kind is LedgerKind.DECLARATION_RETURNED and before[2] == "reserved":
            self._put("declaration_passed", key, (before[0], before[1], "returned"))

    def _inspect(self, kind: LedgerKind, key: str, passage_id: str, detail: str, at_us: int) -> None:
        before = self.rows["inspections"].get((passage_id,))
        is_open = before is None or before[2] is None
        if kind is LedgerKind.INSPECTION_ORDERED and is_open:
            ordered_at_us = at_us if before is None else before[1]
            self._put("inspections", (passage_id,), (key, ordered_at_us, None, None, None, None))
        elif kind is LedgerKind.INSPECTION_DONE and before is not None and is_open:
            by, what = json.loads(detail)
            self._put("inspections", (passage_id,), (*before[:2], key == "found", at_us, by, what))

    def _put(self, table: str, key: Row, values: Row) -> None:
        self.rows[table][key] = values
        self._note(table, key, values)


_OF_DECLARATIONS: Final = frozenset(
    {LedgerKind.DECLARATION_RESERVED, LedgerKind.DECLARATION_PASSED, LedgerKind.DECLARATION_RETURNED}
)
