"""Lanes: look, report a scan or a plate, give a command, ask for a lane, listen."""

from __future__ import annotations

import hashlib
import json
import re
from typing import Annotated, Any, Final

from fastapi import APIRouter, Depends, Header, Query, Request, Response, WebSocket
from fastapi.responses import JSONResponse

from gate_service.domain.commands import Command, CommandRequest, PlateRead
from gate_service.domain.errors import (
    GateError,
    IdempotencyError,
    InputError,
    NotFoundError,
    NotPermittedError,
    OutcomeUnknownError,
    RecordError,
)
from gate_service.web import guard
from gate_service.web.access import COMMANDS, TABLE
from gate_service.web.bodies import (
    Approval,
    LaneCommand,
    Plate,
    Scan,
    described,
    media_type,
    read_bytes,
    read_object,
    reader,
)
from gate_service.web.context import Parts, Web, web_of
from gate_service.web.guard import Admitted
from gate_service.web.problems import problem_of, status_of
from gate_service.web.second_person import second_person
from gate_service.web.streams import POLICY_VIOLATION, event_stream, lane_events, serve_socket
from sync.accounts import Caller
from sync.files import LARGEST_BYTES
from sync.idempotency import Answer

router = APIRouter(prefix="/api/v1", tags=["lanes"], dependencies=[Depends(guard.admit)])
live_router = APIRouter(prefix="/api/v1")

PHOTOS: Final = {
    "image/jpeg": re.compile(rb"\xff\xd8\xff"),  # ISO/IEC 10918-1: SOI and the first marker
    "image/png": re.compile(rb"\x89PNG\r\n\x1a\n"),  # ISO/IEC 15948, 5.2
    "image/webp": re.compile(rb"RIFF.{4}WEBP", re.DOTALL),  # RFC 9649, 2.4
}
PHOTO_BODY: Final = {
    "requestBody": {
        "required": True,
        "content": {kind: {"schema": {"type": "string", "format": "binary"}} for kind in PHOTOS},
    }
}
KEY: Final = re.compile(r"[\x21-\x7e]{1,128}")
Key = Annotated[str | None, Header(alias="Idempotency-Key", description="one per intended act; repeats are answered")]


@router.get("/lanes")
async def lanes(web: Parts, caller: Admitted) -> dict[str, Any]:
    """Every lane as it is now."""
    found = [lane for lane in web.gate.lanes() if not caller.lanes or lane["id"] in caller.lanes]
    return {"site": web.gate.site(), "lanes": found}


@router.get("/lanes/{lane}")
async def lane_now(web: Parts, lane: str) -> dict[str, Any]:
    """One lane as it is now."""
    return dict(web.gate.lane(lane))


@router.post("/lanes/{lane}/scan", openapi_extra=described(Scan))
async def scan(
    web: Parts, caller: Admitted, lane: str, body: Annotated[Scan, Depends(reader(Scan))], response: Response
) -> dict[str, Any]:
    """A scanner read a slip. The same `read_id` again changes nothing. 202: not of the vehicle in the lane, see
    `kept_for_next` and `for_person`.
    """
    web.gate.lane(lane)
    return _read_answer(await web.gate.scan(lane, body.code, caller.actor, body.read_id, body.at), response)


def _read_answer(taken: dict[str, Any], response: Response) -> dict[str, Any]:
    """202 for a read that counts for no passage yet."""
    if "passage_id" not in taken:
        response.status_code = 202
    return taken


@router.post("/lanes/{lane}/plate", openapi_extra=described(Plate))
async def plate(
    web: Parts, caller: Admitted, lane: str, body: Annotated[Plate, Depends(reader(Plate))], response: Response
) -> dict[str, Any]:
    """A camera looked at a vehicle. The same `read_id` again changes nothing. 202 as for a scan."""
    web.gate.lane(lane)
    read = PlateRead(
        plate=body.plate,
        trailer_plate=body.trailer_plate,
        containers=None if body.containers is None else tuple(body.containers),
        seals=None if body.seals is None else tuple(body.seals),
        confidence_permille=None if body.confidence is None else round(body.confidence * 1000),
        read_id=body.read_id,
        at=body.at,
    )
    return _read_answer(await web.gate.plate(lane, read, caller.actor), response)


@router.post("/lanes/{lane}/photos", openapi_extra=PHOTO_BODY)
async def photo(web: Parts, caller: Admitted, request: Request, lane: str) -> dict[str, Any]:
    """A photo for the lane's passage, as its bytes: JPEG, PNG or WebP, at most 8 MiB. On disk before it is answered."""
    web.gate.lane(lane)
    kind = media_type(request)

    async def receive() -> bytes:
        content = await read_bytes(request, LARGEST_BYTES, tuple(PHOTOS))
        if PHOTOS[kind].match(content) is None:
            raise InputError(f"photo: {kind} expected, found bytes that begin {content[:4].hex(' ') or 'nowhere'}")
        return content

    return await web.gate.photo(lane, receive, kind, caller.actor)


@router.post("/lanes/{lane}/commands", openapi_extra=described(LaneCommand))
async def command(
    web: Parts,
    caller: Admitted,
    lane: str,
    body: Annotated[LaneCommand, Depends(reader(LaneCommand))],
    key: Key = None,
) -> Response:
    """Give a command. What acts on a vehicle names its passage and facts; 409 `passage_changed` when they moved on."""
    if key is None or KEY.fullmatch(key) is None:
        raise IdempotencyError("Idempotency-Key: a header of 1 to 128 visible ASCII characters expected")
    web.gate.lane(lane)
    _check_command(body, caller)
    asked = json.dumps([lane, body.model_dump(mode="json")], sort_keys=True).encode()
    digest = hashlib.sha256(asked).hexdigest()
    kept = await web.idempotency.once(caller.actor.label, key, digest, lambda: _carry_out(web, caller, lane, body))
    kind = "application/json" if kept.status < 400 else "application/problem+json"
    return Response(kept.body, kept.status, media_type=kind)


def _check_command(body: LaneCommand, caller: Caller) -> None:
    """What can be said without looking at the lane. Raises InputError or NotPermittedError."""
    if caller.actor.role not in COMMANDS[body.command]:
        raise NotPermittedError(f"{body.command}: role {caller.actor.role} may not give this command")
    if body.command.acts_on_vehicle and (body.passage_id is None or body.facts_version is None):
        raise InputError(f"{body.command}: passage_id and facts_version expected, it acts on a vehicle")
    if body.command.needs_reason and not body.reason_code:
        raise InputError(f"{body.command}: reason_code expected")
    if body.reason_code == "other" and not (body.reason or "").strip():
        raise InputError("reason: a text expected with reason_code other")
    moves_boom = body.command in {Command.RAISE_BOOM, Command.LOWER_BOOM}
    if moves_boom and (body.fields is None or body.fields.side is None):
        raise InputError(f"{body.command}: fields.side expected, one of entry, exit")


async def _carry_out(web: Web, caller: Caller, lane: str, body: LaneCommand) -> Answer:
    """Give the command to the lane; what comes of it, refusals too, is answered again when asked again."""
    fields = {} if body.fields is None else body.fields.model_dump(exclude_none=True)
    request = CommandRequest(
        body.command, body.passage_id, body.facts_version, body.reason_code, (body.reason or "").strip() or None, fields
    )
    try:
        done = await web.gate.command(lane, request, caller.actor)
        return Answer(202 if "pending" in done else 200, bytes(JSONResponse(done).body))
    except (RecordError, OutcomeUnknownError):
        raise
    except GateError as error:
        return Answer(status_of(error), bytes(problem_of(error).body))


@router.post("/lanes/{lane}/commands/{command_id}/approve", openapi_extra=described(Approval))
async def approve(
    request: Request,
    web: Parts,
    caller: Admitted,
    lane: str,
    *,
    command_id: str,
    body: Annotated[Approval, Depends(reader(Approval))],
) -> dict[str, Any]:
    """Approve another one's command: with one's own session, or with name and password (or one-time code) there."""
    web.gate.lane(lane)
    actor, how = await second_person(
        request,
        web,
        caller,
        body,
        roles=COMMANDS[Command.RELEASE],
        number=web.gate.request_number(lane, command_id),
    )
    return await web.gate.approve(lane, command_id, actor, how)


@router.post("/routing")
async def routing(web: Parts, document: Annotated[dict[str, Any], Depends(read_object)]) -> dict[str, Any]:
    """Which lane a vehicle should take, and why not the others: a bare `scan` or `plate` (and `direction`, `point`), or
    the shapes of `gate route`.
    """
    return await web.gate.route(document)


@router.get("/points/{point}")
async def point_now(web: Parts, point: str) -> dict[str, Any]:
    """What the display of a place before the lanes shows now."""
    return web.gate.point(point)


@router.get("/events")
async def events(web: Parts, caller: Admitted) -> Response:
    """Lane snapshots as server-sent events, for machines."""
    return event_stream(lane_events(web, caller))


@live_router.websocket("/live")
async def live(socket: WebSocket, lane: Annotated[str | None, Query(max_length=64)] = None) -> None:
    """Lane snapshots for pages. A display sees its own lane only, and only what a driver may."""
    web = web_of(socket)
    try:
        guard.check_same_origin(socket)
        caller = guard.check_admits(TABLE["WS", "/api/v1/live"], await guard.find_caller(socket), lane or "")
        guard.check_state(web, TABLE["WS", "/api/v1/live"], caller)
        if caller is None:
            raise NotFoundError("live: a caller expected")
        if lane is not None:
            web.gate.lane(lane)
        elif caller.actor.role.value == "device":
            raise InputError("lane: the lane of this display expected")
        if caller.lanes and lane not in caller.lanes:
            raise NotPermittedError(f"lane {lane}: this token is for {', '.join(sorted(caller.lanes))}")
    except GateError as error:
        await socket.close(POLICY_VIOLATION, str(error)[:100])  # before accept: the browser sees a 403
        return
    await serve_socket(web, socket, caller, lane)
