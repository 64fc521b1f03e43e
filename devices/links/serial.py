"""Serial ports by URL through pyserial; reopened by the link keeper. Bytes only, no meaning.

A daemon thread for each opens and closes it, which may take long. The event loop itself reads a port that has a
descriptor, and takes at once whatever is there, so a frame's last byte is not held back (`devices.links.arrival` says
when it came); one without (`rfc2217://`, `loop://`) is read by the thread. Nothing is sent unless `write` is called.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import select
import termios
import threading
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Self

import serial

from devices.link_keeper import LinkKeeper
from devices.links.address import SerialLine, parse_line
from devices.links.arrival import Arrival
from gate_service.domain.errors import LinkLostError
from gate_service.domain.ports import Clock

WRITE_TIMEOUT_S: Final = 1.0  # questions are a few bytes: longer means that nobody takes them
READ_TIMEOUT_S: Final = 0.2  # how long a closing link may take to notice; data never waits for it
LARGEST_READ: Final = 4096
MOST_READS: Final = 16  # of a socket at a time: whoever floods it holds up nobody else
SILENT_SOCKET_S: Final = 10.0  # a serial server that vanished without a FIN is only seen by its silence

GONE: Final = "the other end is gone"
SEVEN_BITS: Final = bytes(byte & 0x7F for byte in range(256))

OnBytes = Callable[[bytes, float], None]
"""Bytes as one read gave them, and the monotonic time when they came: that of the read, or earlier (`Arrival`)."""


class SerialLink:
    """One port kept open. `on_bytes` and `on_fault` (None: open) are called on the event loop."""

    def __init__(
        self,
        url: str,
        clock: Clock,
        *,
        on_bytes: OnBytes,
        on_fault: Callable[[str | None], None],
        silent_socket_s: float = SILENT_SOCKET_S,
    ) -> None:
        self.line = parse_line(url)
        self._clock = clock
        self._on_bytes = on_bytes
        self._on_fault = on_fault
        self._silent_socket_s = silent_socket_s if self.line.is_socket else None
        self._reader: _PortReader | None = None
        self._keeper: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Self:
        keeper = LinkKeeper(self, self._clock, self._on_fault)
        self._keeper = asyncio.create_task(keeper.run(), name=f"port {self.line.device}")
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, exc: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._keeper is not None:
            self._keeper.cancel()
            await asyncio.gather(self._keeper, return_exceptions=True)
        if self._reader is not None:
            self._reader.stop()
            await asyncio.to_thread(self._reader.join)

    async def write(self, data: bytes) -> None:
        """Send. Raises LinkLostError when the port is not open or does not take the bytes."""
        if self._reader is None:
            raise LinkLostError(f"{self.line.device}: not open")
        await asyncio.to_thread(self._reader.write, data)

    async def open(self) -> None:
        """Open the port once (for the keeper). Raises LinkLostError."""
        if self._reader is not None:
            await asyncio.to_thread(self._reader.join)  # its thread has ended: the port is closed before it is reopened
        self._reader = _PortReader(self.line, self._clock, self._on_bytes, self._silent_socket_s)
        await self._reader.opened

    async def wait_lost(self) -> str:
        """Return the reason once the port is gone (for the keeper)."""
        assert self._reader is not None
        return await self._reader.lost

    def is_proven(self) -> bool:
        """Whether a byte came since the port was opened (for the keeper)."""
        return self._reader is not None and self._reader.has_read


class _PortReader:
    """One opening of a port: its thread opens, waits or reads until stopped or lost, and closes."""

    def __init__(self, line: SerialLine, clock: Clock, on_bytes: OnBytes, silent_s: float | None) -> None:
        self._line = line
        self._clock = clock
        self._on_bytes = on_bytes
        self._silent_s = silent_s
        self._loop = asyncio.get_running_loop()
        self._stopped = threading.Event()
        self._failure: OSError | None = None  # of a read on the loop
        self._arrival = Arrival(clock)
        self._last_s = 0.0
        self._port: Any = None
        self._writing = threading.Lock()  # the port is not closed under a write
        self.opened: asyncio.Future[None] = self._loop.create_future()
        self.lost: asyncio.Future[str] = self._loop.create_future()
        self.has_read = False
        self._thread = threading.Thread(target=self._run, name=f"read {line.device}", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Let the thread end within the read time-out."""
        self._stopped.set()

    def join(self) -> None:
        """Wait for the thread."""
        self._thread.join(timeout=6.0)  # pyserial's socket:// gives up connecting after 5 s

    def write(self, data: bytes) -> None:
        """Send, from any thread. Raises LinkLostError."""
        with self._writing:
            if self._port is None:
                raise LinkLostError(f"{self._line.device}: not open")
            try:
                self._port.write(data)
            except OSError as exc:  # SerialException and its time-out are OSErrors
                raise LinkLostError(f"{self._line.device}: cannot be written: {exc}") from exc

    def _run(self) -> None:
        try:
            self._port = port = open_port(self._line)
        except (OSError, ValueError) as exc:  # SerialException is an OSError; ValueError: settings the port refuses
            self._on_loop(self._open_failed, f"{self._line.device}: cannot be opened: {exc}")
            return
        self._on_loop(self._open_succeeded)
        try:
            self._last_s = self._clock.monotonic_s()
            descriptor = _descriptor_of(port)
            if descriptor is None:
                self._read_until_stopped(reader_of(port))
            else:
                self._let_loop_read(descriptor)
            reason = "closed"
        except (OSError, TypeError) as exc:  # TypeError: pyserial when another thread closed the port under it
            reason = str(exc)
        finally:
            with self._writing, contextlib.suppress(OSError):
                self._port = None
                port.close()
        self._on_loop(self._set_lost, f"{self._line.device}: {reason}")

    def _read_until_stopped(self, read_some: Callable[[], bytes]) -> None:
        while not self._stopped.is_set():
            data = read_some()
            if data:
                self._last_s = self._clock.monotonic_s()
                self._on_loop(self._take, data, self._last_s)
            else:
                self._check_silence()

    def _let_loop_read(self, descriptor: int) -> None:
        """In the thread: let the loop read until stopped or lost, and wait until it has let go of the descriptor."""
        has_let_go = threading.Event()
        self._on_loop(self._begin_reading, descriptor)
        try:
            while not self._stopped.wait(READ_TIMEOUT_S):
                self._check_silence()
        finally:
            self._on_loop(self._end_reading, descriptor, has_let_go)
            while not has_let_go.wait(READ_TIMEOUT_S) and not self._loop.is_closed():
                pass  # closed too early, its number may be another port's by the time the loop lets go of it
        if self._failure is not None:
            raise self._failure

    def _begin_reading(self, descriptor: int) -> None:
        self._arrival.start(descriptor)
        try:
            self._loop.add_reader(descriptor, self._read_on_loop, descriptor)
        except OSError as exc:  # something that cannot be waited for
            self._fail(exc, descriptor)

    def _end_reading(self, descriptor: int, has_let_go: threading.Event) -> None:
        self._arrival.stop()
        self._loop.remove_reader(descriptor)
        has_let_go.set()

    def _read_on_loop(self, descriptor: int) -> None:
        """There is something to read, or the port is lost.

        A socket is read on until it has no more: uvloop tells of a reset once, together with what was queued before it.
        """
        for _ in range(MOST_READS if self._line.is_socket else 1):
            try:
                data = os.read(descriptor, LARGEST_READ)
            except BlockingIOError:
                return
            except OSError as exc:
                self._fail(exc, descriptor)
                return
            if not data:
                self._fail(LinkSilentError(GONE), descriptor)
                return
            self._last_s = self._arrival.stamp()
            self._take(data, self._last_s)

    def _fail(self, failure: OSError, descriptor: int) -> None:
        self._failure = failure
        self._loop.remove_reader(descriptor)
        self._stopped.set()

    def _take(self, data: bytes, at_s: float) -> None:
        """On the loop."""
        self.has_read = True
        # A converter that knows only eight bits leaves parity in the eighth.
        self._on_bytes(data.translate(SEVEN_BITS) if self._line.bytesize == 7 else data, at_s)

    def _check_silence(self) -> None:
        if self._silent_s is not None and self._clock.monotonic_s() - self._last_s > self._silent_s:
            raise LinkSilentError(f"no byte for {self._silent_s:g} s, connecting anew")

    def _on_loop(self, call: Callable[..., None], *args: object) -> None:
        with contextlib.suppress(RuntimeError):  # the loop is closed: nobody is left to be told
            self._loop.call_soon_threadsafe(call, *args)

    def _open_succeeded(self) -> None:
        if not self.opened.done():
            self.opened.set_result(None)

    def _open_failed(self, reason: str) -> None:
        if not self.opened.done():
            self.opened.set_exception(LinkLostError(reason))

    def _set_lost(self, reason: str) -> None:
        if not self.lost.done():
            self.lost.set_result(reason)


class LinkSilentError(OSError):
    """A socket link on which nothing came for too long; treated as any loss of the port."""


def open_port(line: SerialLine) -> Any:
    """Open a port exclusively with its modem lines as the site wants them. Raises OSError or ValueError.

    A pseudo-terminal carries eight bits without parity whatever is asked (and may refuse to be asked): it is opened so.
    """
    bytesize, parity = (8, "N") if _is_pseudo_terminal(line.device) else (line.bytesize, line.parity)
    port = serial.serial_for_url(
        line.device,
        do_not_open=True,
        baudrate=line.baud,
        bytesize=bytesize,
        parity=parity,
        stopbits=line.stopbits,
        timeout=READ_TIMEOUT_S,
        write_timeout=WRITE_TIMEOUT_S,
        exclusive=None if line.is_socket else True,
    )
    port.dtr, port.rts = line.dtr, line.rts
    try:
        port.open()
    except termios.error as exc:  # no OSError of its own: settings that the hardware does not have
        raise OSError(*exc.args) from exc
    return port


def _is_pseudo_terminal(device: str) -> bool:
    """Linux: majors 136 to 143 (Documentation/admin-guide/devices.txt)."""
    try:
        return 136 <= os.major(Path(device).stat().st_rdev) <= 143
    except (OSError, ValueError):  # not there, or a URL
        return False


def _descriptor_of(port: Any) -> int | None:
    """None for rfc2217:// and loop://, which read through threads of their own."""
    try:
        return int(port.fileno())
    except (AttributeError, OSError):
        return None


def reader_of(port: Any) -> Callable[[], bytes]:
    """Give a function that waits up to the read time-out and returns what is there, or raises OSError when lost."""
    descriptor = _descriptor_of(port)
    if descriptor is None:
        return lambda: bytes(port.read(1)) + bytes(port.read(port.in_waiting))
    poll = select.poll()
    poll.register(descriptor, select.POLLIN)

    def read_some() -> bytes:
        if not poll.poll(READ_TIMEOUT_S * 1000):
            return b""
        data = os.read(descriptor, LARGEST_READ)
        if not data:  # readable, but nothing to read: unplugged, or the other end closed
            raise LinkSilentError(GONE)
        return data

    return read_some
