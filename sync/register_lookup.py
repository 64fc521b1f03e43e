"""What the site's own registers know of one vehicle and its slips; read in the same moment as the copy."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection

from gate_service.domain.events import JsonObject
from gate_service.domain.vehicle import comparable_plate
from sync.columns import from_us
from sync.slip_lookup import CopyRow
from sync.statements import Row, marks, run

LOCAL = "SELECT slip_no, document, voided_record FROM local_slips WHERE"


def local_slips(
    connection: Connection, numbers: Sequence[str], plate: str | None, direction: str, now: datetime
) -> dict[str, CopyRow]:
    """Slips made by the form at this gate, by number, or with none asked for by plate. The site itself is their
    source, so they are as old as now; a voided one is there as a tombstone.
    """
    if numbers:
        rows = run(connection, f"{LOCAL} slip_no IN ({marks(numbers)})", tuple(numbers))
    elif plate is not None:
        values = (comparable_plate(plate), direction)
        rows = run(connection, f"{LOCAL} plate = ? AND direction = ? AND voided_record IS NULL", values)
    else:
        return {}
    return {row[0]: CopyRow(row[0], 1, json.loads(row[1]), row[2] is not None, now) for row in rows}


def service_vehicles(connection: Connection, plates: Sequence[str]) -> list[JsonObject]:
    """The site's own lines of the register of vehicles, in the shape of CONTRACT 2."""
    rows = run(
        connection,
        "SELECT plate, valid_from_us, valid_until_us, longest_stay_h FROM service_vehicles"  # noqa: S608 - only places
        f" WHERE NOT is_ended AND plate IN ({marks(plates)})",
        tuple(plates),
    )
    return [
        {"plate": row[0], "valid_from_at": _at(row[1]), "valid_until_at": _at(row[2]), "longest_stay_h": row[3]}
        for row in rows
    ]


def temporary_exits(connection: Connection, enterprises: Sequence[str]) -> list[JsonObject]:
    """What these enterprises took out for a time and have not brought back."""
    rows = run(
        connection,
        "SELECT slip_no, customs_code, return_due_us FROM temporary_exits"  # noqa: S608 - only places
        f" WHERE returned_at_us IS NULL AND customs_code IN ({marks(enterprises)}) ORDER BY return_due_us",
        tuple(enterprises),
    )
    return [
        {"slip_no": row[0], "customs_code": row[1], "return_due_at": _at(row[2]), "returned_at": None} for row in rows
    ]


def with_inspections(connection: Connection, slips: Sequence[JsonObject]) -> list[JsonObject]:
    """The slips; where an inspection at this site found nothing, their documents say that it is done (RULES 3)."""
    numbers = [str(slip.get("slip_no")) for slip in slips]
    rows: list[Row] = run(
        connection,
        "SELECT DISTINCT s.slip_no FROM inspected_slips s JOIN inspections i ON i.passage_id = s.passage_id"  # noqa: S608
        f" WHERE i.found IS NOT NULL AND NOT i.found AND s.slip_no IN ({marks(numbers)})",
        tuple(numbers),
    ).fetchall()
    done = {row[0] for row in rows}
    return [_done(slip) if slip.get("slip_no") in done else slip for slip in slips]


def _done(slip: JsonObject) -> JsonObject:
    documents = slip.get("documents")
    if not isinstance(documents, list):
        return slip
    return {**slip, "documents": [_inspected(one) if isinstance(one, Mapping) else one for one in documents]}


def _inspected(document: Mapping[str, Any]) -> dict[str, Any]:
    inspection = document.get("inspection")
    known = inspection if isinstance(inspection, Mapping) else {}
    return {**document, "inspection": {**known, "done": True}} if known else dict(document)


def _at(at_us: int | None) -> str | None:
    return None if at_us is None else from_us(at_us).isoformat()
