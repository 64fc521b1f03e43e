"""The bench's side of its module server: starts it, sets detectors, and hears when a watched coil was written."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import struct
import sys
from collections import deque
from types import TracebackType
from typing import Final, Self

from gate_service.bench.module_server import FLOOR_COIL, TOLD

ANSWER_S: Final = 10.0  # far beyond anything measured: then the run is broken, not slow
WRITE_ON: Final = struct.Struct(">HHHBBHH")


class BenchModule:
    """A module server in its own process, while entered."""

    def __init__(self) -> None:
        self._process: asyncio.subprocess.Process | None = None
        self._reader: asyncio.StreamReader | None = None
        self._writer: asyncio.StreamWriter | None = None
        self._hearing: asyncio.Task[None] | None = None
        self._acknowledged = asyncio.Event()
        self._written: dict[int, deque[int]] = {}
        self._news = asyncio.Event()
        self._floor: socket.socket | None = None
        self._transaction = 0
        self.port = 0

    async def __aenter__(self) -> Self:
        self._process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "gate_service.bench.module_server",
            stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE,
        )  # fmt: skip
        assert self._process.stdout is not None
        ports = await asyncio.wait_for(self._process.stdout.readline(), ANSWER_S)
        self.port, control = map(int, ports.split())
        self._reader, self._writer = await asyncio.open_connection("127.0.0.1", control)
        self._hearing = asyncio.create_task(self._hear(self._reader), name="bench module")
        self._floor = socket.create_connection(("127.0.0.1", self.port))
        self._floor.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, exc: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._hearing is not None:
            self._hearing.cancel()
            await asyncio.gather(self._hearing, return_exceptions=True)
        if self._floor is not None:
            self._floor.close()
        if self._writer is not None:
            self._writer.close()
            with contextlib.suppress(ConnectionError):
                await self._writer.wait_closed()
        if self._process is not None:
            assert self._process.stdin is not None
            self._process.stdin.close()
            await self._process.wait()

    @property
    def url(self) -> str:
        """As a site file names it."""
        return f"modbus-tcp://127.0.0.1:{self.port}/1"

    async def set_detectors(self, *occupied: int) -> None:
        """These inputs are on, the other detectors off; returns when the next poll will see it."""
        assert self._writer is not None
        self._acknowledged.clear()
        self._writer.write(b"I" + sum(1 << number for number in occupied).to_bytes(2, "big"))
        await asyncio.wait_for(self._acknowledged.wait(), ANSWER_S)

    def forget_writes(self, coil: int) -> None:
        """Only later writes of this coil are of interest."""
        self._written.pop(coil, None)

    async def written_ns(self, coil: int, within_s: float = ANSWER_S) -> int:
        """When the server read the next write of 1 to this coil, in monotonic nanoseconds. Raises TimeoutError."""
        async with asyncio.timeout(within_s):
            while not self._written.get(coil):
                self._news.clear()
                await self._news.wait()
        return self._written[coil].popleft()

    def write_floor(self) -> None:
        """Write the floor's coil as plainly as can be: one `send`."""
        assert self._floor is not None
        self._transaction = (self._transaction + 1) & 0xFFFF
        self._floor.sendall(WRITE_ON.pack(self._transaction, 0, 6, 1, 5, FLOOR_COIL, 0xFF00))

    def read_floor_echo(self) -> None:
        """Take the echo off the floor's connection."""
        assert self._floor is not None
        self._floor.recv(WRITE_ON.size)

    async def _hear(self, reader: asyncio.StreamReader) -> None:
        while True:
            tag, coil, at_ns = TOLD.unpack(await reader.readexactly(TOLD.size))
            if tag == b"A":
                self._acknowledged.set()
            else:
                self._written.setdefault(coil, deque()).append(at_ns)
                self._news.set()
