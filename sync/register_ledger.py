"""Ledgers of declarations, temporary exits and inspections: one statement for each kind of change, and their replay.

Applied only inside a record's transaction (`sync.ledger.apply`). Several lanes meet here: a truck reserves its share of
a declaration with its decision, and the reservation is refused where another lane took some since it was judged.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any, Final

from sqlalchemy import Connection

from gate_service.domain.errors import SlipTakenError
from gate_service.domain.record import LedgerChange, LedgerKind
from sync.statements import run, scalar

OTHERS: Final = (
    "SELECT COALESCE(SUM(passed_g), 0) FROM declaration_passed WHERE declaration_no = ? AND passage_id <> ?"
    " AND state <> 'returned'"
)
RESERVE: Final = (
    "INSERT INTO declaration_passed (declaration_no, passage_id, passed_g, quantity_milli, state)"
    " VALUES (?, ?, ?, ?, 'reserved') ON CONFLICT (declaration_no, passage_id) DO UPDATE SET"
    " passed_g = excluded.passed_g, quantity_milli = excluded.quantity_milli, state = 'reserved'"
    " WHERE declaration_passed.state <> 'passed'"
)
CROSS: Final = (
    "INSERT INTO declaration_passed (declaration_no, passage_id, passed_g, quantity_milli, state)"
    " VALUES (?, ?, ?, ?, 'passed') ON CONFLICT (declaration_no, passage_id) DO UPDATE SET"
    " passed_g = excluded.passed_g + CASE WHEN declaration_passed.state = 'passed'"
    " THEN declaration_passed.passed_g ELSE 0 END,"
    " quantity_milli = excluded.quantity_milli, state = 'passed'"
)
RETURN: Final = (
    "UPDATE declaration_passed SET state = 'returned'"
    " WHERE declaration_no = ? AND passage_id = ? AND state = 'reserved'"
)
EXIT: Final = (
    "INSERT INTO temporary_exits (slip_no, passage_id, customs_code, return_due_us, left_at_us) VALUES (?, ?, ?, ?, ?)"
    " ON CONFLICT (slip_no) DO NOTHING"
)
COME_BACK: Final = (
    "UPDATE temporary_exits SET return_passage_id = ?, returned_at_us = ? WHERE slip_no = ? AND returned_at_us IS NULL"
)
ORDER: Final = (
    "INSERT INTO inspections (passage_id, place, ordered_at_us) VALUES (?, ?, ?)"
    " ON CONFLICT (passage_id) DO UPDATE SET place = excluded.place WHERE inspections.found IS NULL"
)
OF_SLIP: Final = "INSERT INTO inspected_slips (slip_no, passage_id) VALUES (?, ?) ON CONFLICT DO NOTHING"
DONE: Final = (
    "UPDATE inspections SET found = ?, done_at_us = ?, done_by = ?, result = ? WHERE passage_id = ? AND found IS NULL"
)


def apply(connection: Connection, change: LedgerChange, at_us: int) -> None:
    """Carry out one change. Raises SlipTakenError where another lane took from the declaration since."""
    APPLY[change.kind](connection, change, at_us)


def _reserve(connection: Connection, change: LedgerChange, at_us: int) -> None:
    del at_us
    others = int(scalar(connection, OTHERS, (change.key, change.passage_id)))
    if 0 <= change.limit < others:
        raise SlipTakenError(
            f"declaration {change.key}: {change.limit} g of other trucks seen at the decision, {others} g now"
        )
    run(connection, RESERVE, _share(change))


def _pass(connection: Connection, change: LedgerChange, at_us: int) -> None:
    del at_us
    run(connection, CROSS, _share(change))


def _give_back(connection: Connection, change: LedgerChange, at_us: int) -> None:
    del at_us
    run(connection, RETURN, (change.key, change.passage_id))


def _leave(connection: Connection, change: LedgerChange, at_us: int) -> None:
    customs_code, due_us = json.loads(change.detail)
    run(connection, EXIT, (change.key, change.passage_id, customs_code, due_us, at_us))


def _come_back(connection: Connection, change: LedgerChange, at_us: int) -> None:
    run(connection, COME_BACK, (change.passage_id, at_us, change.key))


def _order(connection: Connection, change: LedgerChange, at_us: int) -> None:
    run(connection, ORDER, (change.passage_id, change.key, at_us))
    for slip_no in json.loads(change.detail or "[]"):
        run(connection, OF_SLIP, (slip_no, change.passage_id))


def _done(connection: Connection, change: LedgerChange, at_us: int) -> None:
    by, what = json.loads(change.detail)
    run(connection, DONE, (change.key == "found", at_us, by, what, change.passage_id))


APPLY: Final[dict[LedgerKind, Callable[[Connection, LedgerChange, int], None]]] = {
    LedgerKind.DECLARATION_RESERVED: _reserve,
    LedgerKind.DECLARATION_PASSED: _pass,
    LedgerKind.DECLARATION_RETURNED: _give_back,
    LedgerKind.TEMPORARY_EXIT: _leave,
    LedgerKind.TEMPORARY_RETURN: _come_back,
    LedgerKind.INSPECTION_ORDERED: _order,
    LedgerKind.INSPECTION_DONE: _done,
}


def _share(change: LedgerChange) -> tuple[Any, ...]:
    if change.mass is None:
        raise TypeError(f"ledger {change.kind}: a mass expected, found none")
    return change.key, change.passage_id, change.mass.grams, int(change.detail) if change.detail else None
