"""The I/O module of the bench: a process of its own that answers Modbus TCP as fast as it can and stamps what it sees.

`python -m gate_service.bench.module_server` prints two ports (Modbus, control) and ends with its standard input. Its
booms move at once. On the control connection it takes `I` + 16 bits of detectors and answers `A`; it sends `W`, the
coil and the monotonic nanosecond (one clock for all processes of a machine) of each write of 1 to a watched coil.
"""

from __future__ import annotations

import selectors
import socket
import struct
import sys
import time
from typing import Final

INPUTS: Final = 16
WATCHDOG: Final = {0x1000: 10, 0x1001: 1, 0x1006: 1}  # WAGO 750: a watchdog of 1 s that runs
ENTRY_RAISE, ENTRY_LOWER, EXIT_RAISE, EXIT_LOWER = range(4)
ENTRY_UP, ENTRY_DOWN, EXIT_UP, EXIT_DOWN, FIRE, POWER_OK = range(5, 11)
READBACK: Final = 512
FLOOR_COIL: Final = 15
"""Written by the floor's measurement; wired to nothing."""
WATCHED: Final = frozenset({ENTRY_RAISE, EXIT_RAISE, FLOOR_COIL})
MOVES: Final = {
    ENTRY_RAISE: (ENTRY_UP, ENTRY_DOWN),
    ENTRY_LOWER: (ENTRY_DOWN, ENTRY_UP),
    EXIT_RAISE: (EXIT_UP, EXIT_DOWN),
    EXIT_LOWER: (EXIT_DOWN, EXIT_UP),
}
"""Coil switched on -> limit reached, limit left."""
TOLD: Final = struct.Struct(">cBQ")


class Points:
    """Inputs and coils of the module and its two booms. Pure."""

    def __init__(self) -> None:
        self.inputs = [False] * INPUTS
        self.coils = [False] * INPUTS
        for number in (ENTRY_DOWN, EXIT_DOWN, POWER_OK):
            self.inputs[number] = True

    def set_detectors(self, bits: int) -> None:
        """Set inputs 0 to 4 from the lowest bits."""
        for number in range(ENTRY_UP):
            self.inputs[number] = bool(bits >> number & 1)

    def write(self, coil: int, *, is_on: bool) -> None:
        """Switch one coil; a boom is where it was sent in the same moment."""
        self.coils[coil] = is_on
        if is_on and coil in MOVES:
            reached, left = MOVES[coil]
            self.inputs[reached], self.inputs[left] = True, False

    def answer(self, request: bytes) -> bytes:
        """Answer functions 1, 2, 3 and 5; exception 2 or 1 for everything else."""
        function, address, value = struct.unpack(">BHH", request[:5])
        if function == 5 and address < INPUTS:
            self.write(address, is_on=value == 0xFF00)
            return request[:5]
        if function in {1, 2}:
            points = self.inputs if function == 2 else self.coils
            base = READBACK if function == 1 and address >= READBACK else 0
            bits = points[address - base : address - base + value]
            if len(bits) == value:
                packed = sum(bit << place for place, bit in enumerate(bits)).to_bytes((value + 7) // 8, "little")
                return bytes([function, len(packed)]) + packed
        if function == 3 and value == 1:
            return struct.pack(">BBH", 3, 2, WATCHDOG.get(address, 0))
        return bytes([function | 0x80, 2 if function in {1, 2, 3, 5} else 1])


class ModuleServer:
    """Serves `Points` on loopback until its standard input ends."""

    def __init__(self) -> None:
        self._points = Points()
        self._selector = selectors.DefaultSelector()
        self._buffers: dict[socket.socket, bytes] = {}
        self._control: socket.socket | None = None
        self._modbus_port = socket.create_server(("127.0.0.1", 0))
        self._control_port = socket.create_server(("127.0.0.1", 0))

    def run(self) -> None:
        """Print the ports and serve."""
        for listener in (self._modbus_port, self._control_port):
            self._selector.register(listener, selectors.EVENT_READ)
        self._selector.register(sys.stdin.buffer, selectors.EVENT_READ)
        ports = (listener.getsockname()[1] for listener in (self._modbus_port, self._control_port))
        sys.stdout.write(" ".join(map(str, ports)) + "\n")
        sys.stdout.flush()
        while True:
            for key, _ in self._selector.select():
                if key.fileobj is sys.stdin.buffer:
                    return
                assert isinstance(key.fileobj, socket.socket)
                self._serve(key.fileobj)

    def _serve(self, ready: socket.socket) -> None:
        if ready in {self._modbus_port, self._control_port}:
            connection, _ = ready.accept()
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self._buffers[connection] = b""
            self._selector.register(connection, selectors.EVENT_READ)
            if ready is self._control_port:
                self._control = connection
            return
        try:
            data = ready.recv(4096)
        except ConnectionError:
            data = b""
        at_ns = time.monotonic_ns()
        if not data:
            self._selector.unregister(ready)
            del self._buffers[ready]
            ready.close()
            return
        take = self._take_control if ready is self._control else self._take_modbus
        self._buffers[ready] = take(ready, self._buffers[ready] + data, at_ns)

    def _take_modbus(self, connection: socket.socket, data: bytes, at_ns: int) -> bytes:
        while len(data) >= 7 and len(data) >= 6 + (length := int.from_bytes(data[4:6], "big")):
            request = data[7 : 6 + length]
            answer = self._points.answer(request)
            connection.sendall(data[:4] + struct.pack(">HB", len(answer) + 1, data[6]) + answer)
            if request[0] == 5 and request[3] == 0xFF and request[2] in WATCHED and self._control is not None:
                self._control.sendall(TOLD.pack(b"W", request[2], at_ns))
            data = data[6 + length :]
        return data

    def _take_control(self, connection: socket.socket, data: bytes, at_ns: int) -> bytes:
        while len(data) >= 3:
            self._points.set_detectors(int.from_bytes(data[1:3], "big"))
            connection.sendall(TOLD.pack(b"A", 0, at_ns))
            data = data[3:]
        return data


if __name__ == "__main__":
    ModuleServer().run()
