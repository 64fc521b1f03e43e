"""The registers as lists: vehicles, gate-registered goods, vehicles inside, tares, temporary exits. Reads only."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from sqlalchemy import Connection

from gate_service.domain.mass import Mass
from sync.columns import from_us, to_us
from sync.slip_cache import read_state
from sync.statements import Row, run

JsonRow = dict[str, Any]
MOST_TARES: Final = 5000


@dataclass(frozen=True, slots=True)
class Question:
    """What a page asks: a piece of a number, plate or name, at most so many rows, as of now."""

    text: str
    limit: int
    now: datetime

    @property
    def like(self) -> str:
        """For LIKE with ESCAPE '!'; an empty text fits everything."""
        wanted = self.text.strip().upper()
        for special in ("!", "%", "_"):
            wanted = wanted.replace(special, f"!{special}")
        return f"%{wanted}%"


def at(at_us: int | None) -> str | None:
    """RFC 3339 or null."""
    return None if at_us is None else from_us(at_us).isoformat()


def kg(grams: int | None) -> float | None:
    """Kilograms or null."""
    return None if grams is None else Mass(int(grams)).to_json()


def vehicles(connection: Connection, asked: Question) -> list[JsonRow]:
    """The centre's register and the site's own lines; which is which stands in `origin`."""
    now_us = to_us(asked.now)
    own = run(
        connection,
        "SELECT plate, valid_from_us, valid_until_us, longest_stay_h, note, changed_by, changed_at_us, is_ended"
        " FROM service_vehicles WHERE UPPER(plate) LIKE ? ESCAPE '!' ORDER BY is_ended, plate LIMIT ?",
        (asked.like, asked.limit),
    ).fetchall()
    found = [
        {
            "plate": row[0], "valid_from_at": at(row[1]), "valid_until_at": at(row[2]), "longest_stay_h": row[3],
            "note": row[4], "changed_by": row[5], "changed_at": at(row[6]), "origin": "site",
            "state": "ended" if row[7] else _validity(row[1], row[2], now_us),
        }
        for row in own
    ]  # fmt: skip
    central = run(
        connection,
        "SELECT key, document FROM vehicles WHERE generation = ? AND NOT is_tombstone AND document IS NOT NULL"
        " AND UPPER(key) LIKE ? ESCAPE '!' ORDER BY key LIMIT ?",
        (read_state(connection).generation, asked.like, asked.limit),
    ).fetchall()
    return found + [_central_vehicle(row[0], json.loads(row[1]), now_us) for row in central]


def _central_vehicle(plate: str, document: Mapping[str, Any], now_us: int) -> JsonRow:
    start, end = document.get("valid_from_at") or None, document.get("valid_until_at") or None
    return {
        "plate": plate, "valid_from_at": start, "valid_until_at": end,
        "longest_stay_h": document.get("longest_stay_h"), "note": "", "changed_by": None, "changed_at": None,
        "origin": "central", "state": _validity(_us(start), _us(end), now_us),
    }  # fmt: skip


def _validity(start_us: int | None, end_us: int | None, now_us: int) -> str:
    if start_us is not None and now_us < start_us:
        return "not_yet"
    return "expired" if end_us is not None and now_us > end_us else "valid"


def _us(text: object) -> int | None:
    try:
        found = datetime.fromisoformat(text) if isinstance(text, str) else None
    except ValueError:
        return None
    return None if found is None or found.tzinfo is None else to_us(found)


def goods(connection: Connection, asked: Question) -> list[JsonRow]:
    """Gate-registered goods by the form, newest first."""
    rows = run(
        connection,
        "SELECT l.slip_no, l.document, l.made_by, l.made_at_us, l.voided_record,"
        " (SELECT COUNT(*) FROM slip_uses u WHERE u.slip_no = l.slip_no AND u.state = 'used') FROM local_slips l"
        " WHERE UPPER(l.slip_no) LIKE ? ESCAPE '!' OR UPPER(l.plate) LIKE ? ESCAPE '!'"
        " ORDER BY l.made_at_us DESC, l.slip_no DESC LIMIT ?",
        (asked.like, asked.like, asked.limit),
    )
    found = []
    for slip_no, content, made_by, made_at_us, voided, uses in rows:
        slip = json.loads(content)
        found.append(
            {
                "slip_no": slip_no, "plate": slip["vehicle"]["plate"], "direction": slip["direction"],
                "category": slip["category"], "enterprise": slip["enterprise"]["name"],
                "customs_code": slip["enterprise"]["customs_code"], "goods": [line["name"] for line in slip["goods"]],
                "goods_gross_kg": slip["goods_gross_kg"], "total_kg": slip["total_kg"],
                "valid_until_at": slip["valid_until_at"], "made_by": made_by, "made_at": at(made_at_us),
                "state": "void" if voided else "used" if uses else "open",
            }
        )  # fmt: skip
    return found


def inside(connection: Connection, asked: Question) -> list[JsonRow]:
    """Vehicles inside by this gate's crossings, longest first, and whether they stay longer than they may."""
    rows = run(
        connection,
        "SELECT v.plate, v.since_us, v.came_in_g, v.passage_id, p.document FROM vehicles_inside v"
        " LEFT JOIN passages p ON p.id = v.passage_id WHERE UPPER(v.plate) LIKE ? ESCAPE '!'"
        " ORDER BY v.since_us LIMIT ?",
        (asked.like, asked.limit),
    ).fetchall()
    return [_inside(row, asked.now) for row in rows]


def _inside(row: Row, now: datetime) -> JsonRow:
    plate, since_us, came_in_g, passage_id, content = row
    longest = None if content is None else _longest_stay_h(plate, json.loads(content).get("case") or {})
    hours = (to_us(now) - since_us) / 3_600_000_000
    return {
        "plate": plate, "since_at": at(since_us), "hours": round(hours, 1), "came_in_kg": kg(came_in_g),
        "passage_id": passage_id, "longest_stay_h": longest, "is_overstay": longest is not None and hours > longest,
    }  # fmt: skip


def _longest_stay_h(plate: str, case: Mapping[str, Any]) -> float | None:
    """As rule `overstay` will look at it: the slips it came in with, else its line of the register."""
    lines = [*case.get("slips", ()), *(v for v in case.get("known", {}).get("vehicles", ()) if v.get("plate") == plate)]
    found = [line.get("longest_stay_h") for line in lines if isinstance(line, Mapping)]
    hours = [float(value) for value in found if isinstance(value, int | float) and not isinstance(value, bool)]
    return min(hours, default=None)


def tares(connection: Connection, asked: Question) -> list[JsonRow]:
    """Each plate's tares, newest plate first; `history` oldest first in kilograms, with the time of the newest."""
    rows = run(
        connection,
        "SELECT t.plate, t.tare_g, r.at_us FROM tares t JOIN records r ON r.number = t.record_number"
        " WHERE UPPER(t.plate) LIKE ? ESCAPE '!' ORDER BY t.record_number DESC LIMIT ?",
        (asked.like, MOST_TARES),
    )
    by_plate: dict[str, list[tuple[int, int]]] = {}
    for plate, tare_g, at_us in rows:
        if plate in by_plate or len(by_plate) < asked.limit:
            by_plate.setdefault(plate, []).append((at_us, tare_g))
    return [
        {
            "plate": plate,
            "history_kg": [kg(grams) for _, grams in reversed(seen)],
            "seen_at": [at(at_us) for at_us, _ in reversed(seen)],
            "age_days": (to_us(asked.now) - seen[0][0]) // 86_400_000_000,
        }
        for plate, seen in by_plate.items()
    ]


def temporary_exits(connection: Connection, asked: Question) -> list[JsonRow]:
    """Goods that left for a time; those that are out first, the most overdue first of them."""
    rows = run(
        connection,
        "SELECT e.slip_no, e.customs_code, p.plate, e.left_at_us, e.return_due_us, e.returned_at_us,"
        " e.return_passage_id, e.passage_id FROM temporary_exits e LEFT JOIN passages p ON p.id = e.passage_id"
        " WHERE UPPER(e.slip_no) LIKE ? ESCAPE '!' OR UPPER(e.customs_code) LIKE ? ESCAPE '!'"
        " OR UPPER(COALESCE(p.plate, '')) LIKE ? ESCAPE '!'"
        " ORDER BY e.returned_at_us IS NOT NULL, e.return_due_us LIMIT ?",
        (asked.like, asked.like, asked.like, asked.limit),
    )
    now_us = to_us(asked.now)
    return [
        {
            "slip_no": row[0], "customs_code": row[1], "plate": row[2], "left_at": at(row[3]), "due_at": at(row[4]),
            "returned_at": at(row[5]), "return_passage_id": row[6] or None, "passage_id": row[7],
            "is_overdue": row[5] is None and now_us > row[4],
        }
        for row in rows
    ]  # fmt: skip


List = Callable[[Connection, Question], list[JsonRow]]
