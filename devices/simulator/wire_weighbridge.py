"""Puts an indicator on a wire: a TCP listener as a serial server has it, or a pseudo-terminal as a cable has it.

The port stays the same from start to stop, whoever connects, however often. `silence` and `half_open` look alike to a
listener: the link stays up and nothing comes; that is what makes a dead peer hard to tell from a quiet one.
"""

from __future__ import annotations

import array
import asyncio
import contextlib
import fcntl
import os
import socket
import termios
import tty
from collections.abc import Callable
from typing import Final, Self

from devices.simulator.indicator import FRAMES_PER_S, Indicator

UNREAD_BYTES: Final = 120
"""A cable does not remember: what nobody read for ten frames is lost, as in the FIFO of a closed port."""


class WireWeighbridge:
    """One indicator on its link; an async context manager. `felt_kg` is asked at the moment of each frame."""

    def __init__(self, indicator: Indicator, felt_kg: Callable[[], float], *, link: str = "tcp", port: int = 0) -> None:
        self.indicator = indicator
        self.port_url = ""
        self.frames = 0
        self._felt_kg = felt_kg
        self._link = link
        self._port = port
        self._server: asyncio.Server | None = None
        self._writers: dict[asyncio.StreamWriter, asyncio.Task[None] | None] = {}
        self._pty: tuple[int, int] | None = None
        self._sender: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Self:
        if self._link == "pty":
            self._open_pty()
        else:
            self._server = await asyncio.start_server(self._welcome, "127.0.0.1", self._port)
            self._port = self._server.sockets[0].getsockname()[1]
            self.port_url = f"socket://127.0.0.1:{self._port}"
        self._sender = asyncio.create_task(self._send_forever())
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._sender is not None:
            self._sender.cancel()
            await asyncio.gather(self._sender, return_exceptions=True)
        if self._server is not None:
            self._server.close()
        serving = [task for task in self._writers.values() if task is not None]
        for writer in list(self._writers):
            writer.transport.abort()
        await asyncio.gather(*serving, return_exceptions=True)
        if self._pty is not None:
            for end in self._pty:
                os.close(end)

    def switch(self, name: str, *, on: bool) -> None:
        """Turn a fault on or off."""
        self.indicator.switch(name, on=on)

    def _open_pty(self) -> None:
        master, slave = os.openpty()
        tty.setraw(slave)
        os.set_blocking(master, False)
        self._pty = (master, slave)  # our own slave end stays open: a reader that goes does not hang up the line
        self.port_url = os.ttyname(slave)

    async def _welcome(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Task root of one connection: it listens to nothing and lives until the peer goes."""
        peer: socket.socket | None = writer.get_extra_info("socket")
        if peer is not None:
            peer.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._writers[writer] = asyncio.current_task()
        try:
            while await reader.read(256):
                pass
        except ConnectionError:
            pass  # the peer went without a word
        finally:
            self._writers.pop(writer, None)
            writer.close()

    async def _send_forever(self) -> None:
        """Task root: one frame every 80 ms of real time."""
        loop = asyncio.get_running_loop()
        due_s = loop.time()
        while True:
            due_s = max(due_s + 1 / FRAMES_PER_S, loop.time() - 1.0)
            await asyncio.sleep(due_s - loop.time())
            sent = self.indicator.next_bytes(self._felt_kg())
            if sent:
                self.frames += 1
                self._put(sent)

    def _put(self, sent: bytes) -> None:
        for writer in self._writers:
            if writer.transport.get_write_buffer_size() < 4 * UNREAD_BYTES:
                writer.write(sent)
        if self._pty is not None:
            master, slave = self._pty
            waiting = array.array("i", [0])
            fcntl.ioctl(slave, termios.FIONREAD, waiting)
            if waiting[0] > UNREAD_BYTES:
                termios.tcflush(slave, termios.TCIFLUSH)
            with contextlib.suppress(BlockingIOError):
                os.write(master, sent)
