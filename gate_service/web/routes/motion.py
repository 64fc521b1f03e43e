"""The ledger of unexplained motion, to read. The shift's addresses take a person's word (`routes.duty`)."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query

from gate_service.web import guard
from gate_service.web.context import Limit, Parts
from gate_service.web.guard import Admitted

router = APIRouter(prefix="/api/v1/motion", tags=["lanes"], dependencies=[Depends(guard.admit)])


@router.get("")
async def motion(
    web: Parts,
    caller: Admitted,
    limit: Limit = 50,
    before: Annotated[int | None, Query(ge=1, lt=2**62)] = None,
    open: Annotated[bool, Query(description="only what nobody has explained yet")] = False,  # noqa: A002 - the query's own name
) -> dict[str, Any]:
    """Motion that no command explains, booms moved by hand, emergencies to review. Newest first. A token bound to
    lanes gets those of its lanes.
    """
    return await web.gate.motion(limit, before, open_only=open, lanes=caller.lanes or None)
