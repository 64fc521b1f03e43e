"""What the zone authority can ask for itself: its events again with a cursor, and what is in the zone by this gate.

Reads the feed as it was recorded; delivered or not makes no difference.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Any, Final

from sqlalchemy import Connection

from gate_service.domain.errors import InputError
from sync.authority import cloud_event
from sync.database import Database
from sync.queue_rows import FeedRow
from sync.statements import run

LARGEST_PAGE: Final = 1000
SIGNS: Final[Mapping[str, int]] = {"hazmat.entered": 1, "hazmat.exited": -1}
"""What each event does to the balance of its storage unit; a load turned away does nothing to it."""


class FeedQueries:
    """Answers of the pull interface (CONTRACT 5)."""

    def __init__(self, database: Database, site_id: str) -> None:
        self._database = database
        self._site_id = site_id

    async def entries(self, after: str | None, limit: int) -> dict[str, Any]:
        """Events as CloudEvents in the order of the record: `{"entries", "after", "more"}`."""
        record, seq = _read_cursor(after)
        size = max(1, min(limit, LARGEST_PAGE))
        rows = await self._database.read(lambda connection: _page(connection, record, seq, size + 1))
        page = rows[:size]
        entries = [json.loads(cloud_event(row, self._site_id)) for _, row in page]
        cursor = f"{page[-1][0]}-{page[-1][1].seq}" if page else after
        return {"entries": entries, "after": cursor, "more": len(rows) > size}

    async def inventory(self) -> dict[str, Any]:
        """Balances per storage unit, enterprise, UN number and CAS: entries minus exits, below zero shown as such."""
        events = await self._database.read(_all)
        return {"balances": balances(events)}


def balances(events: Iterable[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Sum hazardous lines of entries and exits by storage unit, enterprise, UN number and CAS, in decimal kilograms.

    A line without a net mass makes its balance incomplete (`unknown_lines`), never zero.
    """
    sums: dict[tuple[str, str, str, str], dict[str, Any]] = {}
    for event in events:
        sign = SIGNS.get(str(event.get("type")))
        data = event.get("data")
        if sign is None or not isinstance(data, Mapping):
            continue
        enterprise = data.get("enterprise")
        code = str(enterprise.get("customs_code") or "") if isinstance(enterprise, Mapping) else ""
        for line in data.get("lines", ()):
            key = (str(line.get("storage_unit") or ""), code, str(line.get("un_no") or ""), str(line.get("cas") or ""))
            entry = sums.setdefault(key, {"net": Decimal(0), "unknown_lines": 0, "name": line.get("name")})
            net_kg = line.get("net_kg")
            if isinstance(net_kg, int | float) and not isinstance(net_kg, bool):
                entry["net"] += sign * Decimal(str(net_kg))
            else:
                entry["unknown_lines"] += 1
    return [
        {
            "storage_unit": unit,
            "customs_code": code,
            "un_no": un_no,
            "cas": cas,
            "name": entry["name"],
            "net_kg": float(entry["net"]),
            "unmatched": entry["net"] < 0,
            "unknown_lines": entry["unknown_lines"],
        }
        for (unit, code, un_no, cas), entry in sorted(sums.items())
    ]


def _read_cursor(after: str | None) -> tuple[int, int]:
    if after is None or after == "":
        return 0, 0
    record, _, seq = after.partition("-")
    if not (record.isascii() and record.isdigit() and seq.isascii() and seq.isdigit() and len(after) <= 40):
        raise InputError(f"after: a cursor of this address expected, found {after[:60]!r}")
    return int(record), int(seq)


def _page(connection: Connection, record: int, seq: int, limit: int) -> list[tuple[int, FeedRow]]:
    rows = run(
        connection,
        "SELECT record_number, epoch, seq, id, passage_id, attempts, payload FROM feed"
        " WHERE record_number > ? OR (record_number = ? AND seq > ?) ORDER BY record_number, seq LIMIT ?",
        (record, record, seq, limit),
    ).fetchall()
    return [(row[0], FeedRow(*row[1:])) for row in rows]


def _all(connection: Connection) -> list[Mapping[str, Any]]:
    rows = run(connection, "SELECT payload FROM feed ORDER BY record_number, seq")
    return [json.loads(row[0]) for row in rows]
