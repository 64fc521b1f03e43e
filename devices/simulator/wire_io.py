"""Puts a module on Modbus TCP: its own small server, a log of every request, and faults that are switched by name.

Nothing of a Modbus library: what the service's library gets wrong must not be got wrong alike at both ends.
"""

from __future__ import annotations

import asyncio
import contextlib
import struct
import time
from collections import deque
from collections.abc import Callable
from typing import Final, Generic, NamedTuple, Protocol, Self, TypeVar

from devices.simulator.wago import POINTS, WagoModule

FAULTS: Final = (
    "cut",
    "silence",
    "slow",
    "wrong_echo",
    "no_echo",
    "short_answer",
    "zeros",
    "foreign_write",
    "out_of_step",
    "wrong_unit",
)
OF_IO_ONLY: Final = frozenset({"zeros", "foreign_write"})
READING: Final = frozenset({1, 2, 3, 4})
WRITING: Final = frozenset({5, 6, 15, 16})
SLOW_S: Final = 0.7
TICK_S: Final = 0.02
LOG_LENGTH: Final = 4000
FOREIGN_OUTPUT: Final = 5  # entry green: a light, so that nothing moves unless a test says so


class Exchange(NamedTuple):
    """One request and its answer as they were on the wire; `answer` None: none was given."""

    at_s: float
    peer: str
    request: bytes
    answer: bytes | None


class WireUnit(Protocol):
    """What is put on the wire: an I/O module, a weighing transmitter."""

    def answer(self, request: bytes, now_s: float) -> bytes:
        """One request unit (function code and data) to its answer unit, exceptions included."""
        ...

    def tick(self, now_s: float) -> bool:
        """Let its watchdog look at the time; True when it ran out just now."""
        ...


Unit = TypeVar("Unit", bound=WireUnit)


class WireModule(Generic[Unit]):
    """One module on its TCP port; an async context manager. The port stays the same until the end.

    Faults: `cut` connections and port closed; `silence` taken and never answered (half-open); `slow` answers late;
    `wrong_echo` writes are done and echoed wrongly; `no_echo` writes are done and never answered; `short_answer` fewer
    bytes than asked; `zeros` all inputs 0, the known-on one included; `foreign_write` another master flips an output;
    `out_of_step` each answer is the previous one; `wrong_unit` answers in the name of another unit.
    """

    def __init__(self, module: Unit, *, port: int = 0, clock: Callable[[], float] = time.monotonic) -> None:
        self.module = module
        self.faults: set[str] = set()
        self.log: deque[Exchange] = deque(maxlen=LOG_LENGTH)
        self.requests = 0
        self.port = port
        self._clock = clock
        self._server: asyncio.Server | None = None
        self._writers: dict[asyncio.StreamWriter, asyncio.Task[None] | None] = {}
        self._ticker: asyncio.Task[None] | None = None

    @property
    def url(self) -> str:
        """Where the module is."""
        return f"modbus-tcp://127.0.0.1:{self.port}/1"

    async def __aenter__(self) -> Self:
        await self._open()
        self._ticker = asyncio.create_task(self._tick_forever())
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._ticker is not None:
            self._ticker.cancel()
            await asyncio.gather(self._ticker, return_exceptions=True)
        serving = [task for task in self._writers.values() if task is not None]
        self._close()
        await asyncio.gather(*serving, return_exceptions=True)

    async def _open(self) -> None:
        if self._server is None:
            self._server = await asyncio.start_server(self._serve, "127.0.0.1", self.port)
            self.port = self._server.sockets[0].getsockname()[1]

    def _close(self) -> None:
        if self._server is not None:
            self._server.close()
            self._server = None
        for writer in list(self._writers):
            writer.transport.abort()

    async def switch(self, name: str, *, on: bool, output: int = FOREIGN_OUTPUT) -> None:
        """Turn a fault on or off. `output`: the one that `foreign_write` flips, each time it is switched."""
        if name not in FAULTS:
            raise ValueError(f"I/O module: fault must be one of {', '.join(FAULTS)}, found {name!r}")
        if not 0 <= output < POINTS:
            raise ValueError(f"I/O module: output must be 0 to {POINTS - 1}, found {output}")
        module = self.module
        if name in OF_IO_ONLY and not isinstance(module, WagoModule):
            raise ValueError(f"fault {name}: only an I/O module has it")
        (self.faults.add if on else self.faults.discard)(name)
        if name == "zeros" and isinstance(module, WagoModule):
            module.are_inputs_zero = on
        elif name == "foreign_write" and isinstance(module, WagoModule):
            module.set_output(output, on=not module.outputs[output], foreign=True)
        elif name == "cut" and on:
            self._close()
        elif name == "cut":
            await self._open()

    async def _tick_forever(self) -> None:
        """Task root: the watchdog's own time."""
        while True:
            await asyncio.sleep(TICK_S)
            module = self.module
            if module.tick(self._clock()) and isinstance(module, WagoModule) and module.watchdog.registers[0x1009]:
                for writer in list(self._writers):
                    writer.close()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Task root of one connection."""
        self._writers[writer] = asyncio.current_task()
        peer = "{}:{}".format(*writer.get_extra_info("peername")[:2])
        previous: bytes | None = None
        try:
            while True:
                header = await reader.readexactly(7)
                _, protocol, length, _ = struct.unpack(">HHHB", header)
                if protocol != 0 or not 2 <= length <= 254:
                    break  # not Modbus TCP: a real coupler drops the connection
                request = await reader.readexactly(length - 1)
                answer = self._respond(header, request, peer)
                if "slow" in self.faults:
                    await asyncio.sleep(SLOW_S)
                if "out_of_step" in self.faults:
                    answer, previous = previous, answer
                if answer is not None:
                    writer.write(answer)
                    await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError):
            pass  # the peer went
        finally:
            self._writers.pop(writer, None)
            with contextlib.suppress(ConnectionError):
                writer.close()

    def _respond(self, header: bytes, request: bytes, peer: str) -> bytes | None:
        """Carry a request out and make the bytes of its answer."""
        now_s = self._clock()
        self.requests += 1
        answer: bytes | None = None
        if "silence" not in self.faults:
            unit = self._spoil(request[0], self.module.answer(request, now_s))
            number = header[6] ^ 0x40 if "wrong_unit" in self.faults else header[6]
            if not ("no_echo" in self.faults and request[0] in WRITING):
                answer = header[:2] + struct.pack(">HHB", 0, len(unit) + 1, number) + unit
        self.log.append(Exchange(now_s, peer, header + request, answer))
        return answer

    def _spoil(self, function: int, unit: bytes) -> bytes:
        if "wrong_echo" in self.faults and function in WRITING and unit[0] == function:
            return unit[:3] + bytes((unit[3] ^ 0xFF,)) + unit[4:]
        if "short_answer" in self.faults and function in READING and unit[0] == function:
            return bytes((function, unit[1] - 1)) + unit[2:-1]
        return unit
