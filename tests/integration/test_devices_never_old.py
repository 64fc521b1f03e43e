"""No input is ever taken from old or foreign data, whatever the line does: every answer that counts was made after its
question. The peers here number their answers: the input bits are a counter, so an old answer shows itself.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from devices.links.address import parse_modbus
from devices.links.modbus import ModbusBus
from devices.signals.module import InputsAnswer, IoModule, ModuleSettings
from gate_service.clock import RealClock
from gate_service.domain.errors import EchoMismatchError
from gate_service.domain.reading import DeviceHealth
from tests.fakes.lane_devices import until
from tests.integration.peers.scripted_modbus import ScriptedPeer, mbap, right_pdu
from tests.integration.peers.terminal import Cable
from tests.integration.test_devices_rtu import crc16

CLOCK = RealClock()
BITS = 12
TIMEOUT_S = QUIET_S = 0.08
SECONDS = 4.0


class Counting:
    """Every look at the inputs makes the next number; remembers when."""

    def __init__(self) -> None:
        self.made_s: dict[int, float] = {}
        self.number = 0

    def look(self) -> bytes:
        """The inputs now, packed."""
        self.number = (self.number + 1) % (1 << BITS)
        self.made_s[self.number] = CLOCK.monotonic_s()
        return self.number.to_bytes(2, "little")


class Listener:
    """A lane that only keeps what it is told."""

    inputs = frozenset(range(BITS))
    power_ok = None
    safe_outputs: dict[int, bool]

    def __init__(self) -> None:
        self.safe_outputs = {0: False, 1: False, 4: True}
        self.answers: list[InputsAnswer] = []

    def answered(self, answer: InputsAnswer) -> None:
        self.answers.append(answer)

    def module_health_changed(self, health: DeviceHealth) -> None:
        del health

    def ages_s(self, counting: Counting) -> list[float]:
        """For each answer that counted: how long after its question it was made. Negative is old data."""
        ages = []
        for answer in self.answers:
            if answer.bits is not None:
                number = sum(bit << place for place, bit in enumerate(answer.bits))
                ages.append(counting.made_s[number] - answer.taken_monotonic_s)
        return ages


@asynccontextmanager
async def listening(url: str, folder: Path, is_enough: Callable[[Listener], bool]) -> AsyncIterator[Listener]:
    """A module polled as fast as its line allows, for so long, and on a busy machine until that is enough."""
    address = parse_modbus(url)
    bus = ModbusBus(address, CLOCK, timeout_s=TIMEOUT_S, quiet_s=QUIET_S, lock_directory=folder)
    lane = Listener()
    module = IoModule(ModuleSettings("io-1", url, "wago-750", poll_ms=10), CLOCK, bus)
    module.attach(lane)
    async with bus, module:
        await asyncio.sleep(SECONDS)
        await until(lambda: is_enough(lane), 60)
    yield lane


async def habit_of(peer: ScriptedPeer, rng: random.Random, frame: bytes, pdu: bytes, before: bytes) -> bytes | None:
    """What a peer with every bad habit answers; `before` is what it should have answered last."""
    right = mbap(frame, pdu)
    habits = {
        "late": (right, 5),  # perhaps after the next question
        "late by one, under its own number": (before, 4),
        "late by one, without a number": (b"\0\0" + before[2:], 4),
        "doubled": (before + right, 3),
        "another unit": (mbap(frame, pdu, unit=7), 3),
        "short": (mbap(frame, pdu[:-1]), 2),
        "exception": (mbap(frame, bytes([frame[7] | 0x80, 6])), 2),
        "silent": (None, 2),
        "cut": (None, 2),
        "right": (right, 73 if frame[7] == 2 else 700),  # so that a start, some ten questions, mostly succeeds
    }
    [habit] = rng.choices(list(habits), [weight for _, weight in habits.values()])
    if habit == "late":
        await asyncio.sleep(rng.uniform(0, 3 * TIMEOUT_S))
    if habit == "cut":
        await peer.cut()
        await peer.restore()
    return habits[habit][0]


def misbehave(rng: random.Random, counting: Counting) -> Callable[[ScriptedPeer, bytes], object]:
    """A Modbus TCP peer with every bad habit, each now and then."""
    before = b""

    async def answer(peer: ScriptedPeer, frame: bytes) -> bytes | None:
        nonlocal before
        pdu = bytes([2, 2]) + counting.look() if frame[7] == 2 else right_pdu(peer, frame)
        last, before = before, mbap(frame, pdu)
        return await habit_of(peer, rng, frame, pdu, last or before)

    return answer


async def test_over_tcp_no_answer_that_counts_is_older_than_its_question(tmp_path: Path) -> None:
    rng, counting = random.Random(20261122), Counting()
    async with ScriptedPeer() as peer:
        peer.answer = misbehave(rng, counting)  # type: ignore[assignment]

        def is_enough(lane: Listener) -> bool:  # the habits were there
            return len(lane.ages_s(counting)) > 40 and sum(answer.bits is None for answer in lane.answers) > 5

        async with listening(peer.url, tmp_path, is_enough) as lane:
            ages = lane.ages_s(counting)
    assert min(ages) >= 0, sorted(ages)[:5]


class CountingSlave:
    """A slave on a serial line: one question after the other, some answers very late, some damaged, some lost."""

    def __init__(self, rng: random.Random, counting: Counting) -> None:
        self.rng, self.counting = rng, counting
        self.peer = ScriptedPeer()
        self.cable: Cable | None = None
        self.late = 0
        self._unread = b""
        self._free_s = 0.0

    def received(self, data: bytes) -> None:
        self._unread += data
        while len(self._unread) >= 8:
            frame, self._unread = self._unread[:8], self._unread[8:]
            if crc16(frame[:6]) == frame[6:]:
                self._take(frame)

    def _take(self, frame: bytes) -> None:
        function = frame[1]
        as_tcp = bytes(6) + frame[:6]
        loop, habit = asyncio.get_running_loop(), self.rng.random()
        delay_s = 0.002
        if habit > 0.96:  # beyond time-out and quiet together: its answer may meet the next question
            delay_s = self.rng.uniform(0.8, 2.4) * (TIMEOUT_S + QUIET_S)
            self.late += 1
        pdu = bytes([2, 2]) + self.counting.look() if function == 2 else right_pdu(self.peer, as_tcp)
        answer = frame[:1] + pdu
        answer += crc16(answer)
        if 0.93 < habit <= 0.96:
            answer = answer[:-1] if habit < 0.945 else answer[:3] + bytes([answer[3] ^ 0x10]) + answer[4:]
        self._free_s = max(self._free_s, loop.time()) + delay_s
        loop.call_at(self._free_s, self._write, answer)

    def _write(self, answer: bytes) -> None:
        assert self.cable is not None
        self.cable.write(answer)


@pytest.mark.parametrize("seed", [1, 2])
async def test_over_a_serial_line_no_answer_that_counts_is_older_than_its_question(tmp_path: Path, seed: int) -> None:
    counting = Counting()
    slave = CountingSlave(random.Random(seed), counting)
    with Cable(tmp_path / "port", slave.received) as cable:
        slave.cable = cable
        url = f"modbus-rtu://{cable.path}/1?baud=115200"
        async with listening(url, tmp_path, lambda lane: slave.late >= 2 and len(lane.ages_s(counting)) > 30) as lane:
            ages = lane.ages_s(counting)
    assert min(ages) >= 0, sorted(ages)[:5]


async def test_an_echo_that_is_late_by_one_confirms_nothing_and_neither_does_the_next(tmp_path: Path) -> None:
    """After a wrong echo the right one is still on its way: it must not be taken for the echo of a second write."""
    loop, seen = asyncio.get_running_loop(), list[float]()

    def received(data: bytes) -> None:
        seen.append(loop.time())
        late_by_one = data[:3] + bytes([data[3] - 1]) + data[4:6]
        if len(seen) == 1:
            cable.write(late_by_one + crc16(late_by_one))
            loop.call_later(0.03, cable.write, data)
        else:
            loop.call_later(0.05, cable.write, data)

    with Cable(tmp_path / "port", received) as cable:
        address = parse_modbus(f"modbus-rtu://{cable.path}/1?baud=115200")
        async with ModbusBus(address, CLOCK, timeout_s=10.0, quiet_s=0.5, lock_directory=tmp_path) as bus:
            await until(lambda: bus.fault is None)
            with pytest.raises(EchoMismatchError):
                await bus.unit(1).write_coil(2, 0xFF00)
            await bus.unit(1).write_coil(2, 0)
            confirmed_s = loop.time()
    assert seen[1] - seen[0] > 0.08
    assert confirmed_s - seen[1] > 0.04
