"""The zone authority's addresses (CONTRACT 5): pull, live stream, tables, corrections and safety holds."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Annotated, Any, Final, Literal

from fastapi import APIRouter, Depends, Header, Query, Response
from fastapi.responses import FileResponse

from gate_service.domain.corrections import read_correction
from gate_service.domain.mass import Mass
from gate_service.web import guard
from gate_service.web.bodies import Lifting, NewExport, NewHold, StockCorrection, described, reader
from gate_service.web.context import Cursor, Limit, Parts, Web
from gate_service.web.csv_tables import BALANCE_COLUMNS, ENTRY_COLUMNS, csv_answer, rows_of
from gate_service.web.exports import XLSX
from gate_service.web.guard import Admitted
from gate_service.web.live import encode
from gate_service.web.once import Key, once
from gate_service.web.streams import StillAdmitted, event_stream
from sync.accounts import Caller

router = APIRouter(prefix="/api/v1/hazmat", tags=["hazmat"], dependencies=[Depends(guard.admit)])

PAGE: Final = 100
LARGEST_PAGE: Final = 1000
LOOK_EVERY_S: Final = 1.0


@router.get("/entries")
async def entries(web: Parts, after: Cursor = None, limit: Limit = 100, newest: bool = False) -> dict[str, Any]:
    """Events after a cursor, oldest first; with `newest=true` the newest ones, and the cursor to go on from."""
    if newest:
        return await web.gate.hazmat_newest(limit)
    return await web.gate.hazmat_entries(after, limit)


@router.get("/inventory")
async def inventory(web: Parts) -> dict[str, Any]:
    """What is in the zone now, with S and R of GB 18218."""
    return await web.gate.hazmat_inventory()


@router.get("/stream")
async def stream(
    web: Parts,
    caller: Admitted,
    after: Cursor = None,
    last_event_id: Annotated[str | None, Header(max_length=128)] = None,
) -> Response:
    """The same events as they come (server-sent events), after a cursor; Last-Event-ID resumes."""
    start = last_event_id or after
    await web.gate.hazmat_entries(start, 1)  # refuses what is no cursor; once begun, a stream could only break off
    return event_stream(_entries_from(web, caller, start))


@router.get("/inventory.csv")
async def inventory_csv(web: Parts) -> Response:
    """The balances as a table, for spreadsheets."""
    found = await web.gate.hazmat_inventory()
    return csv_answer("inventory.csv", BALANCE_COLUMNS, _pages_of(found["balances"]))


@router.get("/entries.csv")
async def entries_csv(web: Parts, caller: Admitted) -> Response:
    """Every line of every event as a table, sent page by page."""
    return csv_answer("entries.csv", ENTRY_COLUMNS, _entry_rows(web, caller))


@router.get("/history")
async def history(web: Parts, days: Annotated[int, Query(ge=1, le=400)] = 30) -> dict[str, Any]:
    """S of each storage unit over the last days: by the hour up to a week, by the day beyond."""
    return await web.gate.hazmat_history(days)


@router.get("/deliveries")
async def deliveries(
    web: Parts, state: Literal["due", "parked", "delivered"] | None = None, limit: Limit = 100
) -> dict[str, Any]:
    """How far events were told to the zone authority, newest first, with every answer it gave."""
    return await web.gate.hazmat_deliveries(state, limit)


@router.post("/deliveries/{event_id}/again")
async def tell_again(web: Parts, caller: Admitted, event_id: str) -> dict[str, Any]:
    """Tell an event that was delivered or parked once more; the receiver knows the repeat by its id."""
    return await web.gate.tell_hazmat_again(event_id, caller.actor)


@router.post("/exports", status_code=202, openapi_extra=described(NewExport))
async def begin_export(
    web: Parts, caller: Admitted, body: Annotated[NewExport, Depends(reader(NewExport))]
) -> dict[str, Any]:
    """Begin a workbook (XLSX); ask its address how far it is, then fetch `/file`."""
    if body.what == "inventory":
        balances = (await web.gate.hazmat_inventory())["balances"]
        return web.exports.begin(caller.actor.label, "inventory.xlsx", BALANCE_COLUMNS, _pages_of(balances))
    return web.exports.begin(caller.actor.label, "entries.xlsx", ENTRY_COLUMNS, _entry_rows(web, caller))


@router.get("/exports/{export_id}")
async def export(web: Parts, caller: Admitted, export_id: str) -> dict[str, Any]:
    """How far it is: `{"id", "state", "rows", "error"}`; state running, done or failed."""
    return web.exports.of(export_id, caller.actor.label).shown()


@router.get("/exports/{export_id}/file")
async def export_file(web: Parts, caller: Admitted, export_id: str) -> Response:
    """The finished workbook."""
    found = web.exports.finished(export_id, caller.actor.label)
    return FileResponse(found.path, media_type=XLSX, filename=found.name)


@router.post("/corrections", openapi_extra=described(StockCorrection))
async def correct(
    web: Parts,
    caller: Admitted,
    body: Annotated[StockCorrection, Depends(reader(StockCorrection))],
    key: Key = None,
) -> Response:
    """Opening stock, or a mistake put right; told as `hazmat.corrected`. An Idempotency-Key makes repeats harmless."""

    async def work() -> dict[str, Any]:
        lines = [
            {**line.model_dump(by_alias=True, exclude={"change_kg"}), "change": Mass.from_kg(line.change_kg)}
            for line in body.lines
        ]
        enterprise = body.enterprise.model_dump(exclude_none=True)
        correction = read_correction(body.kind, enterprise, lines, body.reason, body.corrects)
        return await web.gate.correct_hazmat(correction, caller.actor)

    return await once(web, caller, key, ["correct", body.model_dump(mode="json")], work)


@router.get("/holds")
async def holds(web: Parts) -> dict[str, Any]:
    """Safety holds placed at this site, standing first, with who and why."""
    return await web.gate.hazmat_holds()


@router.post("/holds", openapi_extra=described(NewHold))
async def place_hold(
    web: Parts, caller: Admitted, body: Annotated[NewHold, Depends(reader(NewHold))], key: Key = None
) -> Response:
    """Place a `safety` hold on an enterprise, vehicle, slip, document, storage unit or substance; obeyed at once."""

    async def work() -> dict[str, Any]:
        return await web.gate.place_hazmat_hold(body.target.model_dump(), body.reason, caller.actor)

    return await once(web, caller, key, ["hold", body.model_dump(mode="json")], work)


@router.post("/holds/{hold_id}/lift", openapi_extra=described(Lifting))
async def lift_hold(
    web: Parts, caller: Admitted, hold_id: str, body: Annotated[Lifting, Depends(reader(Lifting))]
) -> dict[str, Any]:
    """Lift a hold, with the reason."""
    return await web.gate.lift_hazmat_hold(hold_id, body.reason, caller.actor)


async def _pages_of(rows: list[dict[str, Any]]) -> AsyncIterator[list[dict[str, Any]]]:
    yield rows


async def _entry_rows(web: Web, caller: Caller) -> AsyncIterator[list[dict[str, Any]]]:
    """One row per hazardous line, page by page, as long as the caller may."""
    is_admitted, after, more = StillAdmitted(web, caller), None, True
    while more and await is_admitted():
        page = await web.gate.hazmat_entries(after, LARGEST_PAGE)
        after, more = page["after"], page["more"]
        yield [row for entry in page["entries"] for row in rows_of(entry)]


async def _entries_from(web: Web, caller: Caller, after: str | None) -> AsyncIterator[str]:
    """Page by page, then again every second. The last entry of a page carries its cursor: a break inside a page
    repeats the page, never skips, and the receiver knows a repeat by the event's id.
    """
    is_admitted = StillAdmitted(web, caller)
    pause_s = 0.0
    while await web.hub.pause(pause_s) and await is_admitted():
        page = await web.gate.hazmat_entries(after, PAGE)
        found = page["entries"]
        for place, entry in enumerate(found, start=1):
            mark = f"id: {page['after']}\n" if place == len(found) else ""
            yield f"{mark}event: {entry.get('type', 'hazmat')}\ndata: {encode(entry)}\n\n"
        if found:
            after = page["after"]
        else:
            yield ": beat\n\n"
        pause_s = 0.0 if page.get("more") else LOOK_EVERY_S
