"""The devices of many lanes: a process of its own that sends weighing frames on time and answers Modbus as it is asked.

`python -m gate_service.bench.yard_server FILE LANES FRAMES_PER_S [numbered]` prints a weighbridge and a module port for
each lane, then the port of a bus of RTU units behind a serial server, and ends with its standard input. FILE is shared
memory: for each lane a row of stamps (monotonic nanoseconds, one clock for all processes of a machine) of the frames it
sent, then a row of the answers of function 2. `numbered`: each frame's mass tells which it is, else all say zero.
"""

from __future__ import annotations

import mmap
import selectors
import socket
import struct
import sys
import time
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Final

from gate_service.bench.module_server import Points

STAMPS: Final = 8192  # of each kind, for each lane: minutes of frames and polls
STAMP: Final = struct.Struct("=Q")
FRAME: Final = bytes.fromhex("02 2b 30 30 30 30 30 30 30 31 42 03")
"""XK3190 continuous: +000000, no decimals, XOR 0x1B as two characters (`reference` layout: `docs/protocols/`)."""
STEP_KG: Final = 20
NUMBERS: Final = 3900
"""Numbered frames begin again after so many: 0 to 77,980 kg, on a platform of 80 t."""

SILENT_UNIT: Final = 4
"""Of the bus of RTU units this one never answers."""


def numbered_frame(index: int) -> bytes:
    """The frame whose mass says its number, in the layout of `FRAME`."""
    body = b"+%06d0" % (index % NUMBERS * STEP_KG)
    check = 0
    for byte in body:
        check ^= byte
    return b"\x02" + body + b"%02X" % check + b"\x03"


def place(lane: int, row: int, index: int) -> int:
    """Offset of a stamp; row 0 holds frames, row 1 answers."""
    return ((lane * 2 + row) * STAMPS + index) * STAMP.size


def size_of(lanes: int) -> int:
    """Bytes of the shared file."""
    return lanes * 2 * STAMPS * STAMP.size


def crc16(data: bytes) -> bytes:
    """MODBUS over Serial Line V1.02, 6.2.2."""
    crc = 0xFFFF
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = crc >> 1 ^ 0xA001 if crc & 1 else crc >> 1
    return crc.to_bytes(2, "little")


class _Lane:
    """One weighbridge and one module."""

    def __init__(self, number: int, stamps: mmap.mmap, *, is_numbered: bool) -> None:
        self._number = number
        self._is_numbered = is_numbered
        self._stamps = stamps
        self._counts = [0, 0]
        self._points = Points()
        self.listener: socket.socket | None = None
        self._indicator: socket.socket | None = None

    def connected(self, connection: socket.socket) -> None:
        """The driver reads the indicator from now on."""
        self._indicator = connection

    def send_frame(self) -> None:
        """Send one frame if someone listens."""
        if self._indicator is None:
            return
        frame = numbered_frame(self._counts[0]) if self._is_numbered else FRAME
        self._stamp(0)
        try:
            self._indicator.sendall(frame)
        except OSError:
            self._indicator = None

    def answer(self, connection: socket.socket, data: bytes) -> bytes:
        """Answer the whole questions in `data`; give what is left."""
        while len(data) >= 7 and len(data) >= 6 + (length := int.from_bytes(data[4:6], "big")):
            request = data[7 : 6 + length]
            pdu = self._points.answer(request)
            if request[0] == 2:
                self._stamp(1)
            connection.sendall(data[:4] + struct.pack(">HB", len(pdu) + 1, data[6]) + pdu)
            data = data[6 + length :]
        return data

    def _stamp(self, row: int) -> None:
        if self._counts[row] < STAMPS:
            STAMP.pack_into(self._stamps, place(self._number, row, self._counts[row]), time.monotonic_ns())
            self._counts[row] += 1


def answer_rtu(connection: socket.socket, data: bytes) -> bytes:
    """Answer function 2 for every unit but the silent one."""
    while len(data) >= 8:
        frame, data = data[:8], data[8:]
        if frame[0] != SILENT_UNIT:
            body = bytes([frame[0], frame[1], 1, 0])
            connection.sendall(body + crc16(body))
    return data


class YardServer:
    """Serves everything on loopback until its standard input ends."""

    def __init__(self, stamps: mmap.mmap, lanes: int, frames_per_s: float, *, is_numbered: bool = False) -> None:
        self._lanes = [_Lane(number, stamps, is_numbered=is_numbered) for number in range(lanes)]
        self._period_s = 1 / frames_per_s
        self._selector = selectors.DefaultSelector()
        self._buffers: dict[socket.socket, bytes] = {}

    def run(self) -> None:
        """Print the ports and serve."""
        ports = [port for lane in self._lanes for port in self._listen_for(lane)]
        ports.append(self._listen(partial(self._accept, answer_rtu)))
        self._selector.register(sys.stdin.buffer, selectors.EVENT_READ, None)
        sys.stdout.write(" ".join(map(str, ports)) + "\n")
        sys.stdout.flush()
        due = self._due()
        lane, due_s = next(due)
        while True:
            for key, _ in self._selector.select(max(0.0, due_s - time.monotonic())):
                if key.data is None:
                    return
                key.data(key.fileobj)
            while time.monotonic() >= due_s:
                lane.send_frame()
                lane, due_s = next(due)

    def _due(self) -> Iterator[tuple[_Lane, float]]:
        """Every lane in turn, evenly over the period."""
        due_s = time.monotonic()
        while True:
            for lane in self._lanes:
                due_s += self._period_s / len(self._lanes)
                yield lane, due_s

    def _listen_for(self, lane: _Lane) -> tuple[int, int]:
        def indicator(listener: socket.socket) -> None:
            connection, _ = listener.accept()
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            lane.connected(connection)

        return self._listen(indicator), self._listen(partial(self._accept, lane.answer))

    def _listen(self, accept: object) -> int:
        listener = socket.create_server(("127.0.0.1", 0))
        self._selector.register(listener, selectors.EVENT_READ, accept)
        port: int = listener.getsockname()[1]
        return port

    def _accept(self, answer: object, listener: socket.socket) -> None:
        connection, _ = listener.accept()
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._buffers[connection] = b""
        self._selector.register(connection, selectors.EVENT_READ, partial(self._read, answer))

    def _read(self, answer: object, connection: socket.socket) -> None:
        try:
            data = connection.recv(4096)
        except ConnectionError:
            data = b""
        if not data:
            self._selector.unregister(connection)
            del self._buffers[connection]
            connection.close()
            return
        assert callable(answer)
        self._buffers[connection] = answer(connection, self._buffers[connection] + data)


def main(file: str, lanes: str, frames_per_s: str, frames: str = "zero") -> None:
    """Map the file and serve."""
    with Path(file).open("r+b") as opened, mmap.mmap(opened.fileno(), 0) as stamps:
        YardServer(stamps, int(lanes), float(frames_per_s), is_numbered=frames == "numbered").run()


if __name__ == "__main__":
    main(*sys.argv[1:])
