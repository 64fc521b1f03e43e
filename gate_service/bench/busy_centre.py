"""A central system that says the time and asks for an hour's patience: the site then works from its own copy.

Without one the clock's error is unknown and nothing is released; with one that answers, its line would be measured.
"""

from __future__ import annotations

import asyncio
from email.utils import format_datetime
from types import TracebackType
from typing import Final, Self

from gate_service.domain.ports import Clock

PATIENCE_S: Final = 3600


class BusyCentre:
    """Listens on loopback while entered. Changes and events are to wait (429); slips get no answer of use (503)."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._server: asyncio.Server | None = None
        self.asked = asyncio.Event()
        """Set once the time was told."""

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._answer, "127.0.0.1", 0)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, exc: BaseException | None, trace: TracebackType | None
    ) -> None:
        assert self._server is not None
        self._server.close()
        await self._server.wait_closed()

    @property
    def url(self) -> str:
        """Base address."""
        assert self._server is not None
        return f"http://127.0.0.1:{self._server.sockets[0].getsockname()[1]}"

    async def _answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Task root of one connection."""
        try:
            request = await reader.readuntil(b"\r\n\r\n")
            status = "503 Down" if b"/v1/slips" in request else "429 Wait"
            date = format_datetime(self._clock.now(), usegmt=True)
            head = f"HTTP/1.1 {status}\r\nDate: {date}\r\nRetry-After: {PATIENCE_S}\r\n"
            writer.write(f"{head}Content-Length: 0\r\nConnection: close\r\n\r\n".encode("ascii"))
            await writer.drain()
            self.asked.set()
        except (asyncio.IncompleteReadError, ConnectionError):
            return  # the asker went
        finally:
            writer.close()
