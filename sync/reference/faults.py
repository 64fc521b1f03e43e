"""Faults a reference server plays on request: what a wide-area line and a careless far side do to a client."""

from __future__ import annotations

import asyncio
import json
from collections.abc import MutableMapping
from dataclasses import dataclass, field
from typing import Any, Final

from starlette.types import ASGIApp, Message, Receive, Scope, Send

KINDS: Final = ("status", "silent", "slow", "half", "junk")
"""status: that status, nothing done; silent: never answers; slow: answers after `delay_s`; half: the answer breaks off
(with `after_commit` the work was done: the classic lost answer); junk: 200 with a body that is not JSON."""


@dataclass(slots=True)
class Fault:
    """One fault: on which addresses, how often (`times` None = until cleared), and what is seen."""

    kind: str
    path: str = "/"
    times: int | None = 1
    status: int = 500
    headers: dict[str, str] = field(default_factory=dict)
    body: Any = None
    delay_s: float = 1.0
    after_commit: bool = False
    contains: str = ""
    """Only requests whose body holds this text: one poisoned event among good ones."""

    @classmethod
    def from_json(cls, raw: MutableMapping[str, Any]) -> Fault:
        """Read a control message; raises ValueError for an unknown kind or field."""
        try:
            fault = cls(**raw)
        except TypeError as error:
            raise ValueError(f"fault: {error}") from error
        if fault.kind not in KINDS:
            raise ValueError(f"fault kind: one of {KINDS} expected, found {fault.kind!r}")
        return fault


class FaultInjector:
    """ASGI layer before the application. Control addresses are never disturbed."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app
        self.faults: list[Fault] = []
        self.played = 0

    def clear(self) -> None:
        """Behave again."""
        self.faults.clear()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Play the first fault that matches, else pass on."""
        path = scope.get("path", "")
        if scope["type"] != "http" or path.startswith("/control/"):
            await self.app(scope, receive, send)
            return
        body = b""
        if any(fault.contains for fault in self.faults):
            body = await _body(receive)
            receive = _Replay(body, receive)
        fault = self._take(path, body)
        if fault is None:
            await self.app(scope, receive, send)
            return
        self.played += 1
        if fault.after_commit:
            await self.app(scope, receive, _swallow)
        await self._play(fault, scope, receive, send)

    def _take(self, path: str, body: bytes) -> Fault | None:
        for fault in self.faults:
            if not path.startswith(fault.path) or fault.contains.encode() not in body:
                continue
            if fault.times is not None:
                fault.times -= 1
                if fault.times <= 0:
                    self.faults.remove(fault)
            return fault
        return None

    async def _play(self, fault: Fault, scope: Scope, receive: Receive, send: Send) -> None:
        if fault.kind == "silent":
            while (await receive())["type"] != "http.disconnect":
                pass
        elif fault.kind == "slow":
            await asyncio.sleep(fault.delay_s)
            await self.app(scope, receive, send)
        elif fault.kind == "half":
            # A length that is never reached: the server closes the connection in the middle of the body.
            await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"4096")]})
            await send({"type": "http.response.body", "body": b'{"accepted":[[1,', "more_body": True})
        elif fault.kind == "junk":
            await _answer(send, 200, fault.headers, b"<html>maintenance</html>")
        else:
            await _answer(send, fault.status, fault.headers, json.dumps(fault.body).encode())


async def _body(receive: Receive) -> bytes:
    parts = []
    while True:
        message = await receive()
        parts.append(message.get("body", b""))
        if not message.get("more_body", False):
            return b"".join(parts)


class _Replay:
    """Gives a body that was read once more, then goes on with the connection."""

    def __init__(self, body: bytes, receive: Receive) -> None:
        self.body: bytes | None = body
        self.receive = receive

    async def __call__(self) -> Message:
        if self.body is None:
            return await self.receive()
        body, self.body = self.body, None
        return {"type": "http.request", "body": body, "more_body": False}


async def _swallow(message: Message) -> None:
    """Where a lost answer goes."""
    del message


async def _answer(send: Send, status: int, headers: dict[str, str], body: bytes) -> None:
    raw = [(name.lower().encode(), value.encode()) for name, value in headers.items()]
    raw += [(b"content-type", b"application/json"), (b"content-length", str(len(body)).encode())]
    await send({"type": "http.response.start", "status": status, "headers": raw})
    await send({"type": "http.response.body", "body": body})
