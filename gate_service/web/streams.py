"""Long answers: server-sent events and the WebSocket. Each ends when its caller loses access or the server stops."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Final

from fastapi import WebSocket
from fastapi.responses import StreamingResponse
from starlette.websockets import WebSocketDisconnect, WebSocketState

from gate_service.web.context import Web
from gate_service.web.live import Mailbox, encode
from sync.accounts import Caller

LOOK_AGAIN_S: Final = 30.0  # for sessions that end by time; ends by hand are seen at once through `changes`
POLICY_VIOLATION: Final = 1008  # RFC 6455 7.4.1
GOING_AWAY: Final = 1001


class StillAdmitted:
    """Asks again whether a caller may go on listening, but only when something could have changed."""

    def __init__(self, web: Web, caller: Caller) -> None:
        self._web = web
        self._caller = caller
        self._seen = web.accounts.changes
        self._next_look_s = web.clock.monotonic_s() + LOOK_AGAIN_S

    async def __call__(self) -> bool:
        """Whether the session or token still stands."""
        now_s = self._web.clock.monotonic_s()
        if self._web.accounts.changes == self._seen and now_s < self._next_look_s:
            return True
        self._seen = self._web.accounts.changes
        self._next_look_s = now_s + LOOK_AGAIN_S
        if self._caller.role is None:
            return await self._web.tokens.is_token_open(self._caller)
        return await self._web.accounts.is_session_open(self._caller)


def event_stream(events: AsyncIterator[str]) -> StreamingResponse:
    """An answer of server-sent events that no proxy may hold back."""
    headers = {"cache-control": "no-store", "x-accel-buffering": "no"}
    return StreamingResponse(events, media_type="text/event-stream", headers=headers)


async def lane_events(web: Web, caller: Caller) -> AsyncIterator[str]:
    """Every lane (of the token's own) once, then every change, as `event: lane`; `event: beat` once a second."""
    is_admitted = StillAdmitted(web, caller)
    with web.hub.listen(only=caller.lanes) as mailbox:
        while (taken := await mailbox.take()) is not None and await is_admitted():
            lanes, beat = taken
            for text in lanes:
                yield f"event: lane\ndata: {text}\n\n"
            if beat is not None:
                yield f"event: beat\ndata: {beat}\n\n"


async def serve_socket(web: Web, socket: WebSocket, caller: Caller, lane: str | None) -> None:
    """Send lanes and beats until either side goes; what the page sends is read and ignored."""
    await socket.accept()
    with web.hub.listen(lane) as mailbox:
        sending = asyncio.create_task(_send(web, socket, mailbox, StillAdmitted(web, caller)))
        reading = asyncio.create_task(_read(socket))
        try:
            await asyncio.wait({sending, reading}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in (sending, reading):
                task.cancel()
            results = await asyncio.gather(sending, reading, return_exceptions=True)
    if socket.client_state is WebSocketState.CONNECTED and socket.application_state is WebSocketState.CONNECTED:
        await socket.close(results[0] if isinstance(results[0], int) else GOING_AWAY)


async def _send(web: Web, socket: WebSocket, mailbox: Mailbox, is_admitted: StillAdmitted) -> int:
    """Returns the close code."""
    hello = {"type": "hello", "site": web.gate.site(), "at": web.clock.now().isoformat()}
    await socket.send_text(encode(hello))
    if mailbox.lane is None:
        await socket.send_text(encode(web.hub.curves()))
    while (taken := await mailbox.take()) is not None:
        if not await is_admitted():
            return POLICY_VIOLATION
        lanes, beat = taken
        if lanes:
            await socket.send_text(f'{{"type":"lanes","lanes":[{",".join(lanes)}]}}')
        if beat is not None:
            await socket.send_text(beat)
    return GOING_AWAY


async def _read(socket: WebSocket) -> None:
    try:
        while True:
            await socket.receive_text()
    except (WebSocketDisconnect, KeyError):  # KeyError: a binary message, which nobody of ours sends
        return
