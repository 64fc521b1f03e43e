"""Lists of the risk work: declarations under way, slips that would be stopped, inspections, slips between two gates."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, Final

from sqlalchemy import Connection

from gate_service.domain.mass import Mass
from sync.columns import to_us
from sync.register_lists import JsonRow, Question, at, kg
from sync.slip_cache import read_state
from sync.slip_lookup import passed_unknown_to_centre_g
from sync.statements import Row, marks, run

MOST_DECLARATIONS: Final = 100


def declarations(connection: Connection, asked: Question) -> list[JsonRow]:
    """Declarations of many trucks, newest version first, each with its trucks of this site."""
    generation = read_state(connection).generation
    rows = run(
        connection,
        "SELECT key, document, as_of_us FROM declarations WHERE generation = ? AND NOT is_tombstone"
        " AND document IS NOT NULL AND UPPER(key) LIKE ? ESCAPE '!' ORDER BY as_of_us DESC, key LIMIT ?",
        (generation, asked.like, min(asked.limit, MOST_DECLARATIONS)),
    ).fetchall()
    trucks = _trucks(connection, [row[0] for row in rows])
    return [_declaration(connection, row, trucks.get(row[0], [])) for row in rows]


def _trucks(connection: Connection, numbers: list[str]) -> dict[str, list[JsonRow]]:
    """By declaration: what this site let through or lets through now, in the order of arrival."""
    rows = run(
        connection,
        "SELECT d.declaration_no, d.passage_id, d.passed_g, d.quantity_milli, d.state, p.plate, p.lane,"  # noqa: S608
        " p.opened_at_us, p.document FROM declaration_passed d LEFT JOIN passages p ON p.id = d.passage_id"
        f" WHERE d.declaration_no IN ({marks(numbers)}) AND d.state <> 'returned' ORDER BY p.opened_record",
        tuple(numbers),
    )
    found: dict[str, list[JsonRow]] = {}
    for number, passage_id, passed_g, quantity_milli, state, plate, lane, opened_us, content in rows:
        found.setdefault(number, []).append(
            {
                "passage_id": passage_id, "plate": plate, "lane": lane, "at": at(opened_us), "state": state,
                "gross_kg": kg(passed_g), "quantity": _whole(quantity_milli), "is_last": _is_last(content, number),
            }
        )  # fmt: skip
    return found


def _declaration(connection: Connection, row: Row, trucks: list[JsonRow]) -> JsonRow:
    number, content, as_of_us = row
    document = json.loads(content)
    centre = Mass.from_kg(document.get("passed_gross_kg") or 0)
    here = passed_unknown_to_centre_g(connection, number, as_of_us, "")
    return {
        "number": number,
        "trucks": document.get("trucks"),
        "total_gross_kg": document.get("total_gross_kg"),
        "total_quantity": document.get("total_quantity"),
        "is_closed": document.get("closed") is True,
        "as_of": at(as_of_us),
        "passed_gross_kg": kg(centre.grams + here),  # as the rules count it: the centre's, and what it cannot know
        "here": {
            "trucks": len(trucks),
            "on_the_way": sum(truck["state"] == "reserved" for truck in trucks),
            "gross_kg": Mass(sum(Mass.from_kg(truck["gross_kg"]).grams for truck in trucks)).to_json(),
            "quantity": _sum(trucks),
        },
        "is_last_passed": any(truck["is_last"] and truck["state"] == "passed" for truck in trucks),
        "passages": trucks,
    }


def _sum(trucks: list[JsonRow]) -> float | None:
    known = [truck["quantity"] for truck in trucks if truck["quantity"] is not None]
    return round(sum(known), 3) if known else None


def _whole(milli: int | None) -> float | None:
    return None if milli is None else milli // 1000 if milli % 1000 == 0 else milli / 1000


def _is_last(content: bytes | None, number: str) -> bool:
    """Whether a slip of this passage says that it is the last of the declaration."""
    for slip in _slips(content):
        numbers = {one.get("declaration_no") for one in slip.get("documents") or () if isinstance(one, Mapping)}
        if slip.get("last_of_declaration") is True and number in numbers:
            return True
    return False


def _slips(content: bytes | None) -> list[Mapping[str, Any]]:
    case = {} if content is None else json.loads(content).get("case") or {}
    return [slip for slip in case.get("slips", ()) if isinstance(slip, Mapping)]


def preassessed(connection: Connection, asked: Question) -> list[JsonRow]:
    """Slips that would be stopped if their truck came now, newest first; used and changed ones are gone from here."""
    rows = run(
        connection,
        "SELECT a.slip_no, a.version, a.verdict, a.checks, a.at_us, s.plate, s.direction, s.document"
        " FROM preassessments a JOIN slips s ON s.key = a.slip_no AND s.version = a.version AND s.generation = ?"
        " WHERE a.verdict IS NOT NULL AND a.verdict <> 'release'"
        " AND NOT EXISTS (SELECT 1 FROM slip_uses u WHERE u.slip_no = a.slip_no AND u.state = 'used')"
        " AND (UPPER(a.slip_no) LIKE ? ESCAPE '!' OR UPPER(COALESCE(s.plate, '')) LIKE ? ESCAPE '!')"
        " ORDER BY a.at_us DESC, a.slip_no LIMIT ?",
        (read_state(connection).generation, asked.like, asked.like, asked.limit),
    ).fetchall()
    return [
        {
            "slip_no": row[0], "version": row[1], "verdict": row[2], "checks": json.loads(row[3]),
            "assessed_at": at(row[4]), "plate": row[5], "direction": row[6], "enterprise": _enterprise(row[7]),
        }
        for row in rows
    ]  # fmt: skip


def _enterprise(content: bytes | None) -> str | None:
    enterprise = {} if content is None else json.loads(content).get("enterprise")
    return enterprise.get("name") if isinstance(enterprise, Mapping) else None


def inspections(connection: Connection, asked: Question) -> list[JsonRow]:
    """Orders that wait for their result first, then the done ones, newest first."""
    rows = run(
        connection,
        "SELECT i.passage_id, i.place, i.ordered_at_us, i.found, i.done_at_us, i.done_by, i.result, p.plate, p.lane,"
        " p.document FROM inspections i LEFT JOIN passages p ON p.id = i.passage_id"
        " WHERE UPPER(COALESCE(p.plate, '')) LIKE ? ESCAPE '!' OR EXISTS (SELECT 1 FROM inspected_slips s"
        " WHERE s.passage_id = i.passage_id AND UPPER(s.slip_no) LIKE ? ESCAPE '!')"
        " ORDER BY i.found IS NOT NULL, i.ordered_at_us DESC LIMIT ?",
        (asked.like, asked.like, asked.limit),
    ).fetchall()
    return [_inspection(row) for row in rows]


def _inspection(row: Row) -> JsonRow:
    slips = _slips(row[9])
    answer = {} if row[9] is None else json.loads(row[9]).get("assessment") or {}
    enterprise = next((e for s in slips if isinstance(e := s.get("enterprise"), Mapping)), {})
    return {
        "passage_id": row[0], "place": row[1], "ordered_at": at(row[2]),
        "found": None if row[3] is None else bool(row[3]),
        "done_at": at(row[4]), "done_by": row[5], "result": row[6], "plate": row[7], "lane": row[8],
        "slips": [slip.get("slip_no") for slip in slips], "enterprise": enterprise.get("name"),
        "credit": enterprise.get("credit"),
        "reasons": [c["reason_code"] for c in answer.get("checks", ()) if c.get("verdict") != "release"],
    }  # fmt: skip


def between_gates(connection: Connection, asked: Question, gate: str, within_us: int) -> list[JsonRow]:
    """Slips that passed one gate of two and were not seen at the other; empty where the site is no such gate.

    The first gate knows its own uses, and from the centre which have passed the second; the second knows from the
    centre which have passed the first, and its own uses.
    """
    if gate == "single":
        return []
    sql = FROM_FIRST if gate == "first" else FROM_SECOND
    rows = run(connection, sql, (read_state(connection).generation, asked.like, asked.like, asked.limit)).fetchall()
    now_us = to_us(asked.now)
    return [
        {
            "slip_no": row[0], "plate": row[1], "direction": row[2], "passed_first_at": at(row[3]),
            "minutes": (now_us - row[3]) // 60_000_000, "is_late": now_us - row[3] > within_us,
        }
        for row in rows
    ]  # fmt: skip


_FIT: Final = " AND (UPPER({0}) LIKE ? ESCAPE '!' OR UPPER(COALESCE(s.plate, '')) LIKE ? ESCAPE '!')"
FROM_FIRST: Final = (
    "SELECT u.slip_no, s.plate, s.direction, u.at_us FROM slip_uses u"  # noqa: S608 - our own words
    " JOIN slips s ON s.key = u.slip_no AND s.generation = ? WHERE u.state = 'used'"
    " AND s.status IN ('approved', 'first_gate_passed') AND NOT s.is_tombstone"
    + _FIT.format("u.slip_no")
    + " ORDER BY u.at_us LIMIT ?"
)
FROM_SECOND: Final = (
    "SELECT s.key, s.plate, s.direction, s.as_of_us FROM slips s WHERE s.generation = ?"  # noqa: S608 - our own words
    " AND s.status = 'first_gate_passed' AND NOT s.is_tombstone"
    " AND NOT EXISTS (SELECT 1 FROM slip_uses u WHERE u.slip_no = s.key AND u.state = 'used')"
    + _FIT.format("s.key")
    + " ORDER BY s.as_of_us LIMIT ?"
)
