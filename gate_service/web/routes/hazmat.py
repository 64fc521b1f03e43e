"""The zone authority's pull addresses (CONTRACT 5)."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Annotated, Any, Final

from fastapi import APIRouter, Depends, Header, Response

from gate_service.web import guard
from gate_service.web.context import Cursor, Limit, Parts, Web
from gate_service.web.guard import Admitted
from gate_service.web.live import encode
from gate_service.web.streams import StillAdmitted, event_stream
from sync.accounts import Caller

router = APIRouter(prefix="/api/v1/hazmat", tags=["hazmat"], dependencies=[Depends(guard.admit)])

PAGE: Final = 100
LOOK_EVERY_S: Final = 1.0


@router.get("/entries")
async def entries(web: Parts, after: Cursor = None, limit: Limit = 100) -> dict[str, Any]:
    """Events after a cursor, oldest first."""
    return await web.gate.hazmat_entries(after, limit)


@router.get("/inventory")
async def inventory(web: Parts) -> dict[str, Any]:
    """What is in the zone now, with S and R of GB 18218."""
    return await web.gate.hazmat_inventory()


@router.get("/stream")
async def stream(
    web: Parts, caller: Admitted, last_event_id: Annotated[str | None, Header(max_length=128)] = None
) -> Response:
    """The same events as they come (server-sent events); Last-Event-ID resumes after a cursor."""
    return event_stream(_entries_from(web, caller, last_event_id))


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
