"""The lines outside: how they stand, what is parked, what contradicts."""

from __future__ import annotations

from typing import Annotated, Any, Final, Literal

from fastapi import APIRouter, Depends

from gate_service.web import guard
from gate_service.web.bodies import ConflictClosing, SendAgain, described, reader
from gate_service.web.context import Limit, Parts
from gate_service.web.guard import Admitted

router = APIRouter(prefix="/api/v1/sync", tags=["sync"], dependencies=[Depends(guard.admit)])

Queue = Literal["outbox", "feed"]
SHOWN: Final = 100


@router.get("")
async def sync_status(web: Parts) -> dict[str, Any]:
    """What waits to be told, how the lines stand, how old the slip copy is, how long the disk lasts."""
    return await web.gate.sync_status()


@router.get("/parked")
async def parked(web: Parts, queue: Queue = "outbox", limit: Limit = SHOWN) -> dict[str, Any]:
    """Events that were put aside, with the reason, newest first."""
    return await web.gate.sync_parked(queue, limit)


@router.post("/parked", openapi_extra=described(SendAgain))
async def send_again(
    web: Parts, caller: Admitted, body: Annotated[SendAgain, Depends(reader(SendAgain))]
) -> dict[str, Any]:
    """Take parked events up again; `ids` null takes all of the queue. Twice is no mistake: an event is told once."""
    return await web.gate.sync_send_again(body.queue, body.ids, caller.actor)


@router.get("/conflicts")
async def conflicts(web: Parts, limit: Limit = SHOWN) -> dict[str, Any]:
    """What was done here against what the centre says, both sides; open ones first."""
    return await web.gate.sync_conflicts(limit)


@router.post("/conflicts/{conflict_id}/close", openapi_extra=described(ConflictClosing))
async def close_conflict(
    web: Parts,
    caller: Admitted,
    conflict_id: str,
    body: Annotated[ConflictClosing, Depends(reader(ConflictClosing))],
) -> dict[str, Any]:
    """A person has dealt with a conflict, and says how."""
    return await web.gate.sync_close_conflict(conflict_id, body.reason, caller.actor)
