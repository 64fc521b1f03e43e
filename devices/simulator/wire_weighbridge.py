"""Puts an indicator on a wire: a TCP listener as a serial server has it, or a pseudo-terminal as a cable has it.

The port stays the same from start to stop, whoever connects, however often. `silence` and `half_open` look alike to a
listener: the link stays up and nothing comes; that is what makes a dead peer hard to tell from a quiet one. What one
listener asks, all hear answered, as on a serial server or a shared line.
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
from typing import Any, Final, Protocol, Self

from devices.simulator.indicator import FRAMES_PER_S
from devices.simulator.indicators.line import Line, heard

UNREAD_BYTES: Final = 120
"""A cable does not remember: what nobody read for ten frames is lost, as in the FIFO of a closed port."""


LINE_BAUDS: Final = {
    getattr(termios, f"B{baud}"): baud for baud in (600, 1200, 2400, 4800, 9600, 19200, 38400, 57600, 115200)
}


class Speaker(Protocol):
    """What can be put on a wire: an indicator."""

    def switch(self, name: str, *, on: bool) -> None:
        """Turn a fault on or off."""
        ...

    def next_bytes(self, felt_kg: float) -> bytes:
        """What goes on the line in this frame's time."""
        ...

    def hear(self, data: bytes, felt_kg: float) -> bytes:
        """Take what was sent to it; return what it answers."""
        ...


class WireWeighbridge:
    """One indicator on its link; an async context manager. `felt_kg` is asked at the moment of each frame.

    `line` on a pseudo-terminal: whoever listens with other settings hears what a UART would. None: always clean.
    """

    def __init__(
        self,
        indicator: Speaker,
        felt_kg: Callable[[], float],
        *,
        link: str = "tcp",
        port: int = 0,
        line: Line | None = None,
        frames_per_s: float = FRAMES_PER_S,
    ) -> None:
        self._line = line
        self._frame_s = 1 / frames_per_s
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
            asyncio.get_running_loop().remove_reader(self._pty[0])
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
        asyncio.get_running_loop().add_reader(master, self._pty_readable, master, slave)
        self.port_url = os.ttyname(slave)

    def _pty_readable(self, master: int, slave: int) -> None:
        with contextlib.suppress(OSError):
            data = os.read(master, 256)
            self._hear(data if self._line is None else heard(data, _settings(slave), self._line))

    def _hear(self, data: bytes) -> None:
        answer = self.indicator.hear(data, self._felt_kg())
        if answer:
            self.frames += 1
            self._put(answer)

    async def _welcome(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Task root of one connection: it listens until the peer goes."""
        peer: socket.socket | None = writer.get_extra_info("socket")
        if peer is not None:
            peer.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._writers[writer] = asyncio.current_task()
        try:
            while data := await reader.read(256):
                self._hear(data)
        except ConnectionError:
            pass  # the peer went without a word
        finally:
            self._writers.pop(writer, None)
            writer.close()

    async def _send_forever(self) -> None:
        """Task root: one frame in each frame time (80 ms) of real time."""
        loop = asyncio.get_running_loop()
        due_s = loop.time()
        while True:
            due_s = max(due_s + self._frame_s, loop.time() - 1.0)
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
                os.write(master, sent if self._line is None else heard(sent, self._line, _settings(slave)))


def _settings(slave: int) -> Line:
    """What the reader has set on the terminal. The kernel forces 8N1 on every pseudo-terminal; the rate it keeps."""
    attributes: list[Any] = termios.tcgetattr(slave)
    flags = attributes[2]
    parity = "N" if not flags & termios.PARENB else "O" if flags & termios.PARODD else "E"
    bits = 7 if flags & termios.CSIZE == termios.CS7 else 8
    return Line(LINE_BAUDS.get(attributes[5], 0) or 38400, bits, parity)
