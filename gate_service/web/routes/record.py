"""Passages, slips and the audit, to read."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query, Response

from gate_service.web import guard
from gate_service.web.context import Cursor, Limit, Parts
from gate_service.web.guard import Admitted

router = APIRouter(prefix="/api/v1", tags=["record"], dependencies=[Depends(guard.admit)])


@router.get("/passages")
async def passages(
    web: Parts,
    caller: Admitted,
    limit: Limit = 50,
    before: Cursor = None,
    lane: Annotated[str | None, Query(max_length=64)] = None,
) -> dict[str, Any]:
    """Newest first. A token bound to lanes gets those of its lanes."""
    if lane is not None:
        guard.check_lane_of(caller, lane, f"lane {lane!r}")
    lanes = caller.lanes or None if lane is None else {lane}
    return await web.gate.passages(limit, before, lanes)


@router.get("/passages/{passage_id}")
async def passage(web: Parts, caller: Admitted, passage_id: str) -> dict[str, Any]:
    """One passage, whole."""
    found = await web.gate.passage(passage_id)
    guard.check_lane_of(caller, found["lane"], f"passage {passage_id!r}")
    return found


@router.get("/files/{sha256}", response_class=Response)
async def file(web: Parts, sha256: str) -> Response:
    """A file that a record names, by its SHA-256. It never changes."""
    content, kind = await web.gate.file(sha256)
    return Response(content, media_type=kind, headers={"content-disposition": "inline", "etag": f'"{sha256}"'})


@router.get("/slips/{slip_no}")
async def slip(web: Parts, slip_no: str) -> dict[str, Any]:
    """What is known of one slip."""
    return await web.gate.slip(slip_no)


@router.get("/reasons")
async def reasons(web: Parts) -> dict[str, Any]:
    """How often each reason code was given with each command lately; a form shows the frequent ones first."""
    return await web.gate.reasons()


@router.get("/audit")
async def audit(web: Parts, after: Annotated[int, Query(ge=0, lt=2**62)] = 0, limit: Limit = 100) -> dict[str, Any]:
    """Records above a number, oldest first."""
    return await web.gate.audit(after, limit)
