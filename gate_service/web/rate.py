"""How fast one caller may ask: a bucket for each peer and credential. Pure ASGI; waits for nobody, refuses at once.

It keeps a program that runs wild, or a guesser, from taking the time that the lanes need; it is no defence against a
flood from many machines.
"""

from __future__ import annotations

import hashlib
from collections import OrderedDict
from http import HTTPStatus
from time import monotonic
from typing import Final

from starlette.requests import HTTPConnection
from starlette.types import ASGIApp, Receive, Scope, Send

from gate_service.web.problems import problem

PER_S: Final = 50.0  # site decision: a terminal asks less than once a second, a busy reader ten times
BURST: Final = 400.0  # terminals that all come back at once after a restart
REMEMBERED: Final = 2000
NOT_COUNTED: Final = ("/healthz", "/static/")  # liveness, and files that cost nothing


class RateLimit:
    """429 with Retry-After once a caller's bucket is empty. `per_s` 0 counts nothing."""

    def __init__(self, app: ASGIApp, per_s: float = PER_S, burst: float = BURST) -> None:
        self.app = app
        self._per_s = per_s
        self._burst = burst
        self._buckets: OrderedDict[str, tuple[float, float]] = OrderedDict()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let one request through or refuse it."""
        if scope["type"] != "http" or not self._per_s or scope["path"].startswith(NOT_COUNTED):
            await self.app(scope, receive, send)
            return
        wait_s = self._take(_caller_of(HTTPConnection(scope)), monotonic())
        if wait_s <= 0:
            await self.app(scope, receive, send)
            return
        seconds = max(1, round(wait_s + 0.5))
        answer = problem(
            HTTPStatus.TOO_MANY_REQUESTS,
            "too_many_requests",
            f"requests: at most {self._per_s:g} a second expected, try again in {seconds} s",
            {"retry-after": str(seconds)},
        )
        await answer(scope, receive, send)

    def _take(self, caller: str, now_s: float) -> float:
        """Take one from the bucket; how long to wait where it is empty."""
        level, at_s = self._buckets.pop(caller, (self._burst, now_s))
        level = min(self._burst, level + (now_s - at_s) * self._per_s)
        is_let_in = level >= 1
        self._buckets[caller] = (level - is_let_in, now_s)
        if len(self._buckets) > REMEMBERED:
            self._buckets.popitem(last=False)
        return 0.0 if is_let_in else (1 - level) / self._per_s


def _caller_of(connection: HTTPConnection) -> str:
    """Who asks: the peer with what it shows as credential. A wrong credential has a bucket of its peer and itself."""
    peer = connection.client.host if connection.client else "unknown"
    shown = connection.headers.get("authorization") or connection.headers.get("cookie") or ""
    return f"{peer}/{hashlib.sha256(shown.encode()).hexdigest()[:16]}"
