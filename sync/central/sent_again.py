"""Sends a request again whose kept connection the centre closed in the same moment: no server tells before it does.

Servers close idle connections after 2 to 75 s as they are set. Only a connection from before is given this second
chance, once, and only where no answer came whose head can be read; every request of CONTRACT 3 may come twice.
"""

from __future__ import annotations

from typing import Any, Final

import httpx

BROKEN: Final = (httpx.ReadError, httpx.WriteError, httpx.RemoteProtocolError)


class SentAgain(httpx.AsyncBaseTransport):
    """Around the transport that has the connections."""

    def __init__(self, inner: httpx.AsyncBaseTransport) -> None:
        self._inner = inner

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Raises as the inner transport."""
        steps: set[str] = set()

        async def note(step: str, _: dict[str, Any]) -> None:
            steps.add(step)

        request.extensions = {**request.extensions, "trace": note}
        try:
            return await self._inner.handle_async_request(request)
        except BROKEN:
            was_kept = "http11.send_request_headers.started" in steps
            if not was_kept or "connection.connect_tcp.started" in steps:
                raise
            return await self._inner.handle_async_request(request)

    async def aclose(self) -> None:
        """Close what is kept."""
        await self._inner.aclose()
