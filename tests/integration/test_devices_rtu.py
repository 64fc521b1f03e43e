"""Modbus RTU over a pseudo-terminal: an answer that comes late must never be taken for the next question's."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path

import pytest

from devices.links.address import parse_modbus
from devices.links.modbus import ModbusBus
from devices.links.order import Order
from gate_service.clock import RealClock
from gate_service.domain.errors import LinkLostError, NotConfirmedError
from tests.fakes.lane_devices import until
from tests.integration.peers.terminal import Cable

CLOCK = RealClock()


def crc16(data: bytes) -> bytes:
    crc = 0xFFFF
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = crc >> 1 ^ 0xA001 if crc & 1 else crc >> 1
    return crc.to_bytes(2, "little")


class Slave:
    """Answers function 2 with the low byte of the address as the eight bits, after `delays_s` in turn."""

    def __init__(self) -> None:
        self.delays_s: list[float] = []
        self.requests: list[bytes] = []
        self.cable: Cable | None = None
        self.spoil: Callable[[bytes], bytes] = lambda answer: answer
        self._unread = b""
        self._free_s = 0.0

    def received(self, data: bytes) -> None:
        self._unread += data
        while len(self._unread) >= 8:
            frame, self._unread = self._unread[:8], self._unread[8:]
            self.requests.append(frame)
            delay_s = self.delays_s.pop(0) if self.delays_s else 0.0
            body = bytes([frame[0], frame[1], 1, frame[3]])
            answer = self.spoil(body + crc16(body))
            assert self.cable is not None
            loop = asyncio.get_running_loop()
            self._free_s = max(self._free_s, loop.time()) + delay_s  # one question after the other, as a slave does
            loop.call_at(self._free_s, self.cable.write, answer)


@pytest.fixture
async def line(tmp_path: Path):
    slave = Slave()
    with Cable(tmp_path / "port", slave.received) as cable:
        slave.cable = cable
        async with ModbusBus(
            parse_modbus(f"modbus-rtu://{cable.path}/1?baud=19200"), CLOCK, timeout_s=1.0, lock_directory=tmp_path
        ) as bus:
            await until(lambda: bus.fault is None)
            yield slave, bus


async def read(bus: ModbusBus, address: int) -> int:
    bits = await bus.unit(1).read_bits(address, 8, are_coils=False)
    return sum(bit << place for place, bit in enumerate(bits))


async def test_a_late_answer_is_not_taken_for_the_next_question(line: tuple[Slave, ModbusBus]) -> None:
    slave, bus = line
    assert await read(bus, 7) == 7
    slave.delays_s = [1.1]
    with pytest.raises(LinkLostError):
        await read(bus, 1)
    assert [await read(bus, address) for address in range(2, 9)] == list(range(2, 9))


async def test_a_cancelled_question_does_not_shift_the_answers(line: tuple[Slave, ModbusBus]) -> None:
    slave, bus = line
    slave.delays_s = [0.15]
    question = asyncio.create_task(read(bus, 1))
    await until(lambda: slave.requests)
    question.cancel()
    assert [await read(bus, address) for address in (2, 3)] == [2, 3]


@pytest.mark.parametrize("is_command", [True, False])
async def test_a_command_that_waits_while_an_answer_fails_is_not_sent(
    line: tuple[Slave, ModbusBus], is_command: bool
) -> None:
    """It was ordered on inputs that nobody knows any more. Switching off is sent all the same."""
    slave, bus = line
    slave.delays_s = [1.2]
    question = asyncio.create_task(read(bus, 1))
    await until(lambda: slave.requests)
    order = Order(CLOCK.monotonic_s() + 5.0) if is_command else None
    command = asyncio.create_task(bus.unit(1).write_coil(9, 0xFF00, order=order))
    found = await asyncio.gather(question, command, return_exceptions=True)
    assert [type(one) for one in found] == [LinkLostError, NotConfirmedError if is_command else LinkLostError]
    assert [frame[1] for frame in slave.requests] == ([2] if is_command else [2, 5])


async def test_a_damaged_answer_is_no_answer(line: tuple[Slave, ModbusBus]) -> None:
    slave, bus = line
    slave.spoil = lambda answer: bytes([*answer[:3], answer[3] ^ 1, *answer[4:]])
    with pytest.raises(LinkLostError):
        await read(bus, 6)
    assert len(slave.requests) == 1
    slave.spoil = lambda answer: answer
    assert await read(bus, 6) == 6


async def test_a_pulled_port_is_used_again_when_it_returns(line: tuple[Slave, ModbusBus]) -> None:
    slave, bus = line
    assert slave.cable is not None
    assert await read(bus, 5) == 5
    slave.cable.unplug()
    await until(lambda: bus.fault is not None)
    with pytest.raises(LinkLostError):
        await read(bus, 5)
    slave.cable.plug()
    await until(lambda: bus.fault is None)
    assert await read(bus, 6) == 6
