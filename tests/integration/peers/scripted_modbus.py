"""A Modbus TCP peer whose misbehaviour is scripted; it logs every request it saw, byte for byte."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Self

from tests.fakes.held_port import HeldPort

Answer = Callable[["ScriptedPeer", bytes], Awaitable[bytes | None]]


class ScriptedPeer:
    """WAGO-like tables: 16 inputs, 16 outputs read back at 512, watchdog registers. `answer` may be replaced."""

    def __init__(self) -> None:
        self.inputs = [False] * 16
        self.outputs = [False] * 16
        self.registers = {0x1000: 10, 0x1001: 0xFF, 0x1006: 1}
        self.requests: list[bytes] = []
        self.connections = 0
        self.answer: Answer = well_behaved
        self.port = 0
        self._held: HeldPort | None = None
        self._server: asyncio.Server | None = None
        self._writers: set[asyncio.StreamWriter] = set()
        self._tasks: set[asyncio.Task[None]] = set()

    async def __aenter__(self) -> Self:
        self._held = HeldPort()  # cut and restored on the same port
        self.port = self._held.number
        await self.restore()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.cut()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        if self._held is not None:
            self._held.close()

    @property
    def url(self) -> str:
        return f"modbus-tcp://127.0.0.1:{self.port}/1"

    async def restore(self) -> None:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", self.port)

    async def cut(self) -> None:
        """Pull the plug: no new connections, the old ones reset."""
        if self._server is not None:
            self._server.close()
        for writer in list(self._writers):
            writer.transport.abort()
        self._writers.clear()
        await asyncio.sleep(0)

    def writes(self) -> list[tuple[int, int]]:
        """Every coil write seen: address and value."""
        return [
            (int.from_bytes(frame[8:10], "big"), int.from_bytes(frame[10:12], "big"))
            for frame in self.requests
            if frame[7] == 5
        ]

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        self._writers.add(writer)
        try:
            while True:
                head = await reader.readexactly(6)
                frame = head + await reader.readexactly(int.from_bytes(head[4:6], "big"))
                self.requests.append(frame)
                task = asyncio.create_task(self._reply(writer, frame))
                self._tasks.add(task)
                task.add_done_callback(self._tasks.discard)
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            self._writers.discard(writer)
            writer.close()

    async def _reply(self, writer: asyncio.StreamWriter, frame: bytes) -> None:
        answer = await self.answer(self, frame)
        if answer is not None and not writer.is_closing():
            writer.write(answer)


def mbap(frame: bytes, pdu: bytes, *, unit: int | None = None, tid: int | None = None) -> bytes:
    head = frame[:2] if tid is None else tid.to_bytes(2, "big")
    return head + b"\0\0" + (len(pdu) + 1).to_bytes(2, "big") + bytes([frame[6] if unit is None else unit]) + pdu


def right_pdu(peer: ScriptedPeer, frame: bytes) -> bytes:
    function = frame[7]
    address, value = int.from_bytes(frame[8:10], "big"), int.from_bytes(frame[10:12], "big")
    if function == 5:
        peer.outputs[address] = value == 0xFF00
        return frame[7:12]
    if function in {1, 2}:
        bits = peer.inputs[address:] if function == 2 else peer.outputs[address - 512 :]
        number = sum(bit << place for place, bit in enumerate(bits[:value]))
        packed = number.to_bytes((value + 7) // 8, "little")
        return bytes([function, len(packed)]) + packed
    if function == 3:
        return bytes([3, 2]) + peer.registers.get(address, 0).to_bytes(2, "big")
    return bytes([function | 0x80, 1])


async def well_behaved(peer: ScriptedPeer, frame: bytes) -> bytes | None:
    return mbap(frame, right_pdu(peer, frame))


async def silent(_peer: ScriptedPeer, _frame: bytes) -> bytes | None:
    return None
