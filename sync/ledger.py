"""The site's ledgers: slips, vehicles, tares, declarations, overrides, regimes. Changed only inside a transaction."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection

from gate_service.domain.errors import LedgerRefusedError, SlipTakenError
from gate_service.domain.mass import Mass
from gate_service.domain.record import LedgerChange, LedgerKind
from sync import register_ledger
from sync.columns import from_us
from sync.statements import marks, run, scalar

TAKEN_BY_OTHERS = "SELECT count(*) FROM slip_uses WHERE slip_no = ? AND passage_id <> ? AND state <> 'returned'"
RESERVE = (
    "INSERT INTO slip_uses (slip_no, passage_id, state, at_us) SELECT ?, ?, 'reserved', ?"
    f" WHERE ({TAKEN_BY_OTHERS}) < ?"
    " ON CONFLICT (slip_no, passage_id) DO UPDATE SET state = 'reserved', at_us = excluded.at_us"
    " WHERE slip_uses.state = 'returned'"
)
USE = (
    "INSERT INTO slip_uses (slip_no, passage_id, state, at_us) VALUES (?, ?, 'used', ?)"
    " ON CONFLICT (slip_no, passage_id) DO UPDATE SET state = 'used', at_us = excluded.at_us"
    " WHERE slip_uses.state <> 'used'"
)
RETURN = (
    "INSERT INTO slip_uses (slip_no, passage_id, state, at_us) VALUES (?, ?, 'returned', ?)"
    " ON CONFLICT (slip_no, passage_id) DO UPDATE SET state = 'returned', at_us = excluded.at_us"
    " WHERE slip_uses.state <> 'used'"
)
COME_IN = (
    "INSERT INTO vehicles_inside (plate, since_us, passage_id, came_in_g) VALUES (?, ?, ?, ?)"
    " ON CONFLICT (plate) DO UPDATE SET since_us = excluded.since_us, passage_id = excluded.passage_id,"
    " came_in_g = excluded.came_in_g"
)
GO_OUT = "DELETE FROM vehicles_inside WHERE plate = ?"
TARE = (
    "INSERT INTO tares (plate, record_number, passage_id, tare_g) VALUES (?, ?, ?, ?)"
    " ON CONFLICT (plate, record_number) DO UPDATE SET passage_id = excluded.passage_id, tare_g = excluded.tare_g"
)

OVERRIDE = (
    "INSERT INTO override_uses (key, passage_id, at_us) VALUES (?, ?, ?) ON CONFLICT (key, passage_id) DO NOTHING"
)
REGIME_TAKEN = "SELECT count(*) FROM regime_uses WHERE key = ? AND passage_id <> ? AND state = 'released'"
REGIME = (
    "INSERT INTO regime_uses (key, passage_id, state, at_us) VALUES (?, ?, ?, ?)"
    " ON CONFLICT (key, passage_id) DO NOTHING"
)


@dataclass(frozen=True, slots=True)
class LedgerFacts:
    """What the ledgers know of some slips, plates and declarations, for the `known` of a case."""

    used: dict[str, int]
    """By slip: how many OTHER passages use it or hold it reserved."""
    inside_since: dict[str, datetime]
    """By plate, of those that are inside."""
    came_in: dict[str, Mass]
    """By plate inside: the gross mass it came with, where it was weighed."""
    tares: dict[str, tuple[Mass, ...]]
    """By plate, oldest first."""
    declarations_passed: dict[str, Mass]
    """By declaration: goods mass of the trucks of OTHER passages, those on their way through included."""


def apply(connection: Connection, changes: Sequence[LedgerChange], number: int, at_us: int) -> None:
    """Carry out the ledger changes of one record. Raises SlipTakenError, LedgerRefusedError."""
    for change in changes:
        match change.kind:
            case LedgerKind.SLIP_RESERVED:
                _reserve(connection, change, at_us)
            case LedgerKind.SLIP_USED:
                run(connection, USE, (change.key, change.passage_id, at_us))
            case LedgerKind.SLIP_RETURNED:
                _give_back(connection, change, at_us)
            case LedgerKind.VEHICLE_IN:
                came_in_g = change.mass.grams if change.mass else None
                run(connection, COME_IN, (change.key, at_us, change.passage_id, came_in_g))
            case LedgerKind.VEHICLE_OUT:
                run(connection, GO_OUT, (change.key,))
            case LedgerKind.TARE_SEEN:
                run(connection, TARE, (change.key, number, change.passage_id, _grams(change)))
            case LedgerKind.OVERRIDE_USED:
                run(connection, OVERRIDE, (change.key, change.passage_id, at_us))
            case LedgerKind.REGIME_USED:
                _use_regime(connection, change, at_us)
            case LedgerKind.PAPER_TYPED:
                run(connection, REGIME, (change.key, change.passage_id, "paper", at_us))
            case _:
                register_ledger.apply(connection, change, at_us)


def facts(
    connection: Connection, slip_nos: Sequence[str], plates: Sequence[str], declaration_nos: Sequence[str], own: str
) -> LedgerFacts:
    """Look up; `own` is the passage that asks."""
    used = run(
        connection,
        f"SELECT slip_no, count(*) FROM slip_uses WHERE slip_no IN ({marks(slip_nos)})"  # noqa: S608 - only places
        " AND passage_id <> ? AND state <> 'returned' GROUP BY slip_no",
        (*slip_nos, own),
    ).fetchall()
    inside = run(
        connection,
        f"SELECT plate, since_us, came_in_g FROM vehicles_inside WHERE plate IN ({marks(plates)})",  # noqa: S608
        tuple(plates),
    ).fetchall()
    tares = run(
        connection,
        f"SELECT plate, tare_g FROM tares WHERE plate IN ({marks(plates)}) ORDER BY record_number",  # noqa: S608
        tuple(plates),
    ).fetchall()
    passed = run(
        connection,
        "SELECT declaration_no, sum(passed_g) FROM declaration_passed"  # noqa: S608 - only places
        f" WHERE declaration_no IN ({marks(declaration_nos)}) AND passage_id <> ? AND state <> 'returned'"
        " GROUP BY declaration_no",
        (*declaration_nos, own),
    ).fetchall()
    return LedgerFacts(
        used={row[0]: int(row[1]) for row in used},
        inside_since={row[0]: from_us(row[1]) for row in inside},
        came_in={row[0]: Mass(row[2]) for row in inside if row[2] is not None},
        tares={plate: tuple(Mass(row[1]) for row in tares if row[0] == plate) for plate, _ in tares},
        declarations_passed={row[0]: Mass(int(row[1])) for row in passed},
    )


def _reserve(connection: Connection, change: LedgerChange, at_us: int) -> None:
    key = (change.key, change.passage_id)
    if run(connection, RESERVE, (*key, at_us, *key, change.limit)).rowcount > 0:
        return
    taken = scalar(connection, TAKEN_BY_OTHERS, key)
    if taken >= change.limit:  # else it is reserved by this passage already
        raise SlipTakenError(
            f"slip {change.key}: fewer than {change.limit} other passages expected, {taken} use it or hold it reserved"
        )


def _give_back(connection: Connection, change: LedgerChange, at_us: int) -> None:
    if run(connection, RETURN, (change.key, change.passage_id, at_us)).rowcount == 0:
        raise LedgerRefusedError(
            f"slip {change.key}: reserved by passage {change.passage_id} expected, found used; a crossing stands"
        )


def _use_regime(connection: Connection, change: LedgerChange, at_us: int) -> None:
    """Two lanes may release at once: what the regime allows is counted here, where they meet."""
    taken = scalar(connection, REGIME_TAKEN, (change.key, change.passage_id))
    if taken >= change.limit:
        raise LedgerRefusedError(f"regime {change.key}: at most {change.limit} passages, {taken} were released in it")
    run(connection, REGIME, (change.key, change.passage_id, "released", at_us))


def _grams(change: LedgerChange) -> int:
    if change.mass is None:
        raise TypeError(f"ledger {change.kind}: a mass expected, found none")
    return change.mass.grams
