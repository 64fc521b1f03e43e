"""A line to a party that does to real bytes what lines do: cuts, swallows, resets after the far side committed, sends
twice, sends late and again, drips. HTTP/1.1 requests with a length, one after another on each connection.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
import struct
from dataclasses import dataclass, field
from random import Random
from types import TracebackType
from typing import Self
from urllib.parse import urlsplit

from tests.fakes.held_port import HeldPort

FAULTS = ("fine", "stopped", "half_open", "forgotten", "reset_after_commit", "duplicated", "late_again", "slow")
"""stopped: connections are refused. half_open: every byte is swallowed, connections stay. forgotten: as half_open for
connections that were there, new ones work. reset_after_commit: the request arrives, its answer becomes a reset.
duplicated: each request arrives twice. late_again: each arrives, and again after several later ones. slow: each piece
of an answer comes after a pause."""

LATE_BY = 7  # requests
PIECE = 700  # bytes
PAUSE_S = 0.02


@dataclass
class LineProxy:
    """Listens on loopback while entered. `share` of requests meets the fault; the others pass."""

    target: str
    fault: str = "fine"
    share: float = 1.0
    rng: Random = field(default_factory=lambda: Random(1))
    played: int = 0

    def __post_init__(self) -> None:
        self._server: asyncio.Server | None = None
        self._writers: set[asyncio.StreamWriter] = set()
        self._tasks: set[asyncio.Task[None]] = set()
        self._forgotten: set[asyncio.StreamWriter] = set()
        self._late: list[bytes] = []
        self._held: HeldPort | None = None
        self.port = 0

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    async def __aenter__(self) -> Self:
        self._held = HeldPort()  # stopped and played again on the same port
        self.port = self._held.number
        await self._listen()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._stop()
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        if self._held is not None:
            self._held.close()

    async def play(self, fault: str, share: float = 1.0) -> None:
        """From now on."""
        assert fault in FAULTS
        if fault == "stopped":
            await self._stop()
        elif self._server is None:
            await self._listen()
        self._forgotten = set(self._writers) if fault == "forgotten" else set()
        self.fault, self.share = fault, share

    async def _listen(self) -> None:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", self.port)

    async def _stop(self) -> None:
        if self._server is None:
            return
        self._server.close()
        for writer in list(self._writers):
            _reset(writer)
        self._server = None

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        self._writers.add(writer)
        try:
            while True:
                await self._one(await _message(reader), writer)
        except (asyncio.IncompleteReadError, ConnectionError, OSError):
            pass  # one of both sides went
        except asyncio.CancelledError:
            pass  # the test is over
        finally:
            self._writers.discard(writer)
            self._tasks.discard(task)
            writer.close()

    async def _one(self, request: bytes, writer: asyncio.StreamWriter) -> None:
        is_played = writer in self._forgotten or (self.fault != "forgotten" and self.rng.random() < self.share)
        fault = self.fault if is_played and self.fault != "fine" else "fine"
        self.played += fault != "fine"
        if fault in ("half_open", "forgotten"):
            await asyncio.Event().wait()  # for ever: nothing arrives, nothing comes back, nothing is closed
        if fault == "duplicated":
            await self._forward(request)
        answer = await self._forward(request)
        if fault == "late_again":
            self._late.append(request)
            if len(self._late) > LATE_BY:
                await self._forward(self._late.pop(0))
        if fault == "reset_after_commit":
            _reset(writer)
            raise ConnectionResetError
        if fault == "slow":
            for at in range(0, len(answer), PIECE):
                writer.write(answer[at : at + PIECE])
                await writer.drain()
                await asyncio.sleep(PAUSE_S)
            return
        writer.write(answer)
        await writer.drain()

    async def _forward(self, request: bytes) -> bytes:
        """Over a connection of its own to the far side and back."""
        address = urlsplit(self.target)
        reader, writer = await asyncio.open_connection(address.hostname, address.port)
        try:
            writer.write(request)
            await writer.drain()
            return await _message(reader)
        finally:
            writer.close()
            with contextlib.suppress(ConnectionError):
                await writer.wait_closed()


async def _message(reader: asyncio.StreamReader) -> bytes:
    """One HTTP/1.1 message with a length, whole."""
    head = await reader.readuntil(b"\r\n\r\n")
    length = next(
        (int(line.split(b":")[1]) for line in head.split(b"\r\n") if line.lower().startswith(b"content-length:")), 0
    )
    return head + await reader.readexactly(length)


def _reset(writer: asyncio.StreamWriter) -> None:
    """Close with RST: what was under way is lost, and the other side hears of it."""
    found = writer.get_extra_info("socket")
    if found is not None and found.fileno() >= 0:
        found.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    writer.transport.abort()
