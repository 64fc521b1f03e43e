"""Tables for spreadsheets: CSV in UTF-8 with a mark that Excel knows, no cell that a spreadsheet would run."""

from __future__ import annotations

import csv
import io
from collections.abc import AsyncIterator, Mapping, Sequence
from typing import Any, Final

from fastapi.responses import StreamingResponse

BALANCE_COLUMNS: Final = (
    "storage_unit", "customs_code", "enterprise", "un_no", "cas", "name", "class", "subsidiary", "packing_group",
    "net_kg", "unmatched", "unknown_lines", "emergency_phone", "sds", "last_at",
)  # fmt: skip
ENTRY_COLUMNS: Final = (
    "time", "type", "id", "passage", "lane", "slip_no", "plate", "customs_code", "enterprise", "storage_unit", "un_no",
    "cas", "name", "class", "subsidiary", "packing_group", "net_kg", "packages", "emergency_phone", "sds",
    "tables_edition",
)  # fmt: skip
RUNS: Final = ("=", "+", "-", "@", "\t", "\r")
"""A cell that begins so is a formula to a spreadsheet (OWASP, CSV injection); numbers are written as numbers."""


def csv_answer(name: str, columns: Sequence[str], pages: AsyncIterator[list[dict[str, Any]]]) -> StreamingResponse:
    """A table that is sent as it is read."""
    headers = {"content-disposition": f'attachment; filename="{name}"'}
    return StreamingResponse(_text(columns, pages), media_type="text/csv; charset=utf-8", headers=headers)


async def _text(columns: Sequence[str], pages: AsyncIterator[list[dict[str, Any]]]) -> AsyncIterator[str]:
    yield "\ufeff" + _lines([columns])
    async for rows in pages:
        yield _lines([_cell(row.get(column)) for column in columns] for row in rows)


def _lines(rows: Any) -> str:
    out = io.StringIO()
    csv.writer(out).writerows(rows)
    return out.getvalue()


def _cell(value: object) -> object:
    if isinstance(value, list | tuple):
        value = " ".join(str(one) for one in value)
    if isinstance(value, str) and value.startswith(RUNS):
        return "'" + value
    return "" if value is None else value


def rows_of(entry: Mapping[str, Any]) -> list[dict[str, Any]]:
    """One row per hazardous line of an event."""
    data = entry.get("data") or {}
    enterprise, vehicle = data.get("enterprise") or {}, data.get("vehicle") or {}
    common = {
        "time": entry.get("time"),
        "type": entry.get("type"),
        "id": entry.get("id"),
        "passage": entry.get("subject"),
        "lane": data.get("lane"),
        "slip_no": data.get("slip_no"),
        "plate": vehicle.get("plate"),
        "customs_code": enterprise.get("customs_code"),
        "enterprise": enterprise.get("name"),
        "tables_edition": data.get("tables_edition"),
    }
    return [{**line, **common} for line in data.get("lines") or () if isinstance(line, Mapping)]
