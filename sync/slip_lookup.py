"""Reads the copy for one passage: its slips, and of the registers what this vehicle and these slips can touch."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection

from gate_service.domain.events import JsonObject
from gate_service.domain.mass import Mass
from gate_service.domain.vehicle import comparable_plate
from sync.columns import from_us
from sync.register_ledger import OTHERS
from sync.slip_cache import CopyState, read_state
from sync.statements import marks, run, scalar


@dataclass(frozen=True, slots=True)
class CopyRow:
    """One slip of the copy. `document` None: revoked before it came, or its newest version cannot be read."""

    slip_no: str
    version: int
    document: JsonObject | None
    is_tombstone: bool
    as_of: datetime


@dataclass(frozen=True, slots=True)
class Registers:
    """What the copy knows besides slips, narrowed; and the revoked numbers among those asked for."""

    declarations: list[dict[str, Any]]
    enterprises: list[JsonObject]
    vehicles: list[JsonObject]
    holds: list[JsonObject]
    revoked: list[str]


@dataclass(frozen=True, slots=True)
class Touched:
    """Everything by which registers and ledgers may know this vehicle and these slips."""

    slip_nos: tuple[str, ...]
    plates: tuple[str, ...]
    documents: tuple[str, ...]
    declarations: tuple[str, ...]
    enterprises: tuple[str, ...]

    @classmethod
    def by(cls, slips: Sequence[JsonObject], scanned: Sequence[str], plate: str | None) -> Touched:
        """Collect; plates both as written and in their comparable form."""
        plates: list[str] = [plate or ""]
        documents: list[str] = []
        declarations: list[str] = []
        enterprises: list[str] = []
        for slip in slips:
            vehicle = _object(slip.get("vehicle"))
            plates += [_text(vehicle.get("plate")), _text(vehicle.get("trailer_plate"))]
            for document in _objects(slip.get("documents")):
                documents += [_text(document.get("number")), _text(document.get("declaration_no"))]
                declarations.append(_text(document.get("declaration_no")))
            enterprise = _object(slip.get("enterprise"))
            enterprises += [_text(enterprise.get("customs_code")), _text(enterprise.get("uscc"))]
        numbers = [*scanned, *(str(slip.get("slip_no")) for slip in slips)]
        return cls(
            _distinct(numbers),
            _distinct([*plates, *(comparable_plate(p) for p in plates)]),
            _distinct(documents),
            _distinct(declarations),
            _distinct(enterprises),
        )


def slips_by_number(connection: Connection, numbers: Sequence[str]) -> tuple[CopyState, dict[str, CopyRow]]:
    """Rows of the current copy."""
    state = read_state(connection)
    rows = run(
        connection,
        "SELECT key, version, document, is_tombstone, as_of_us FROM slips"  # noqa: S608 - only places
        f" WHERE generation = ? AND key IN ({marks(numbers)})",
        (state.generation, *numbers),
    )
    return state, {row[0]: _row(row) for row in rows}


def slips_by_plate(
    connection: Connection, plate: str, direction: str, status: str = "approved"
) -> tuple[CopyState, dict[str, CopyRow]]:
    """Slips of the current copy with this status that are not revoked."""
    state = read_state(connection)
    rows = run(
        connection,
        "SELECT key, version, document, is_tombstone, as_of_us FROM slips WHERE generation = ? AND plate = ?"
        " AND direction = ? AND status = ? AND NOT is_tombstone AND document IS NOT NULL",
        (state.generation, comparable_plate(plate), direction, status),
    )
    return state, {row[0]: _row(row) for row in rows}


def registers(connection: Connection, touched: Touched, passage_id: str) -> Registers:
    """Declarations with the site's own trucks that the centre cannot know yet, enterprises, vehicles, holds."""
    generation = read_state(connection).generation
    enterprises = _documents(connection, "enterprises", generation, column="key", values=touched.enterprises)
    enterprises |= _documents(connection, "enterprises", generation, column="uscc", values=touched.enterprises)
    holds: dict[str, JsonObject] = {}
    targets = {
        "slip": touched.slip_nos,
        "document": touched.documents,
        "enterprise": touched.enterprises,
        "vehicle": touched.plates,
    }
    for target_type, ids in targets.items():
        holds |= _documents(connection, "holds", generation, column="target_id", values=ids, target_type=target_type)
    revoked = run(
        connection,
        f"SELECT key FROM slips WHERE generation = ? AND is_tombstone AND key IN ({marks(touched.slip_nos)})",  # noqa: S608
        (generation, *touched.slip_nos),
    )
    return Registers(
        _declarations(connection, generation, touched.declarations, passage_id),
        list(enterprises.values()),
        list(_documents(connection, "vehicles", generation, column="key", values=touched.plates).values()),
        list(holds.values()),
        [row[0] for row in revoked],
    )


def _documents(
    connection: Connection,
    table: str,
    generation: int,
    *,
    column: str,
    values: Sequence[str],
    target_type: str | None = None,
) -> dict[str, JsonObject]:
    """Living rows by one of their search columns."""
    typed = "" if target_type is None else " AND target_type = ?"
    rows = run(
        connection,
        f"SELECT key, document FROM {table} WHERE generation = ?{typed}"  # noqa: S608 - our own names
        f" AND {column} IN ({marks(values)}) AND NOT is_tombstone AND document IS NOT NULL",
        (generation, *(() if target_type is None else (target_type,)), *values),
    )
    return {row[0]: json.loads(row[1]) for row in rows}


def _declarations(
    connection: Connection, generation: int, numbers: Sequence[str], passage_id: str
) -> list[dict[str, Any]]:
    rows = run(
        connection,
        "SELECT key, document, as_of_us FROM declarations WHERE generation = ?"  # noqa: S608 - only places
        f" AND key IN ({marks(numbers)}) AND NOT is_tombstone AND document IS NOT NULL",
        (generation, *numbers),
    ).fetchall()
    found = []
    for number, content, as_of_us in rows:
        document = json.loads(content)
        own = Mass(passed_unknown_to_centre_g(connection, number, as_of_us, passage_id))
        if own.grams:
            document["passed_gross_kg"] = (Mass.from_kg(document.get("passed_gross_kg") or 0) + own).to_json()
        here = Mass(int(scalar(connection, OTHERS, (number, passage_id))))
        found.append({**document, "here_gross_kg": here.to_json()})  # what a reservation is checked against
    return found


def passed_unknown_to_centre_g(connection: Connection, number: str, as_of_us: int, passage_id: str) -> int:
    """Goods of the site's other trucks told to the centre after this version of the declaration was written, or not
    yet, and of those that are on their way through: no truck may pass twice on the same remainder."""
    row = run(
        connection,
        "SELECT COALESCE(SUM(d.passed_g), 0) FROM declaration_passed d WHERE d.declaration_no = ? AND d.passage_id <> ?"
        " AND d.state <> 'returned' AND (d.state = 'reserved'"
        " OR EXISTS (SELECT 1 FROM outbox o WHERE o.passage_id = d.passage_id"
        " AND (o.state <> 'delivered' OR o.delivered_at_us > ?)))",
        (number, passage_id, as_of_us),
    ).fetchone()
    return 0 if row is None else int(row[0])


def _row(row: Sequence[Any]) -> CopyRow:
    document = None if row[2] is None else json.loads(row[2])
    return CopyRow(row[0], row[1], document, bool(row[3]), from_us(row[4]))


def _object(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}


def _objects(value: object) -> list[Mapping[str, Any]]:
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []


def _text(value: object) -> str:
    return value.strip() if isinstance(value, str) else str(value) if type(value) is int else ""


def _distinct(values: Iterable[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(value for value in values if value))
