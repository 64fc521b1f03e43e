"""Bytes that the loop read late are stamped no later than they came."""

from __future__ import annotations

import asyncio
import os
import socket
import struct
import threading
import time

import pytest
import uvloop

from devices.links import arrival
from devices.links.arrival import HELD_UP_S, Arrival
from devices.links.serial import SerialLink
from gate_service.bench.decision import pseudo_terminal
from gate_service.clock import RealClock
from gate_service.domain.errors import LinkLostError


class Seconds:
    """Both clocks in the hand of a test, some seconds apart."""

    def __init__(self, monkeypatch) -> None:
        self.now_s = 50.0
        monkeypatch.setattr(arrival, "monotonic", lambda: self.now_s)

    def monotonic_s(self) -> float:
        return self.now_s + 1000.0


@pytest.fixture
async def seconds(monkeypatch):
    return Seconds(monkeypatch)


@pytest.fixture
async def stamps(seconds):
    ours, theirs = os.pipe()
    stamps = Arrival(seconds)
    stamps.start(ours)
    yield stamps
    stamps.stop()
    os.close(ours)
    os.close(theirs)


async def test_a_loop_that_comes_round_stamps_what_it_reads_with_the_time_it_is(seconds, stamps):
    seconds.now_s += 0.9 * HELD_UP_S
    assert stamps.stamp() == pytest.approx(seconds.monotonic_s())


async def test_after_a_loop_was_held_up_bytes_count_from_when_it_last_looked(seconds, stamps):
    looked_s = seconds.monotonic_s()
    seconds.now_s += 1.5
    assert stamps.stamp() == pytest.approx(looked_s)


async def test_a_reading_is_a_look_so_stamps_never_go_back(seconds, stamps):
    seconds.now_s += 0.15
    first_s = stamps.stamp()
    seconds.now_s += 0.15
    assert stamps.stamp() == pytest.approx(seconds.monotonic_s())
    seconds.now_s += 0.9
    assert stamps.stamp() >= first_s


class Ears:
    """What a link says, and a way to wait for it."""

    def __init__(self) -> None:
        self.heard: list[tuple[bytes, float]] = []
        self.faults: list[str | None] = []
        self._news = asyncio.Event()

    def link(self, port: str) -> SerialLink:
        return SerialLink(port, RealClock(), on_bytes=self._bytes, on_fault=self._fault)

    def _bytes(self, data: bytes, at_s: float) -> None:
        self.heard.append((data, at_s))
        self._news.set()

    def _fault(self, fault: str | None) -> None:
        self.faults.append(fault)
        self._news.set()

    async def until(self, holds) -> None:
        async with asyncio.timeout(20):
            while not holds():
                self._news.clear()
                await self._news.wait()


@pytest.mark.parametrize("held_s", [0.6, 1.2])
async def test_a_frame_that_waited_in_the_line_of_a_held_up_loop_is_not_fresh(held_s):
    """A real port: what came while the loop stood still is as old as it is."""
    ears = Ears()
    with pseudo_terminal() as (other, port):
        async with ears.link(port):
            await ears.until(lambda: ears.faults[-1:] == [None])
            os.write(other, b"1")
            await ears.until(lambda: ears.heard)
            ears.heard.clear()
            os.write(other, b"2")
            came_s = time.monotonic()
            time.sleep(held_s)  # noqa: ASYNC251 - the loop is held up
            await ears.until(lambda: ears.heard)
    data, at_s = ears.heard[0]
    assert data == b"2"
    assert at_s <= came_s


HELD_S = 0.8


async def _stamp_after_a_stall(in_a_reader: bool) -> tuple[float, float]:
    """When a byte came while the loop stood still, and what it was stamped with."""
    ears, came = Ears(), []
    loop = asyncio.get_running_loop()
    ours, theirs = os.pipe()

    with pseudo_terminal() as (other, port):

        def stall() -> None:
            if in_a_reader:
                loop.remove_reader(ours)
            sender = threading.Timer(0.05, lambda: (came.append(time.monotonic()), os.write(other, b"2")))
            sender.start()
            time.sleep(HELD_S)
            sender.join()

        async with ears.link(port):
            await ears.until(lambda: ears.faults[-1:] == [None])
            os.write(other, b"1")
            await ears.until(lambda: ears.heard)
            await asyncio.sleep(0.35)  # some beats
            ears.heard.clear()
            if in_a_reader:
                loop.add_reader(ours, stall)
                os.write(theirs, b"!")
            else:
                loop.call_soon(stall)
            await ears.until(lambda: ears.heard)
    os.close(ours)
    os.close(theirs)
    return came[0], ears.heard[0][1]


@pytest.mark.parametrize("in_a_reader", [True, False])
@pytest.mark.parametrize("new_loop", [asyncio.new_event_loop, uvloop.new_event_loop])
def test_wherever_a_loop_is_held_up_its_stamps_are_not_too_young(new_loop, in_a_reader):
    """uvloop runs its timers between a callback and its next look at the descriptors."""
    with asyncio.Runner(loop_factory=new_loop) as runner:
        came_s, stamped_s = runner.run(_stamp_after_a_stall(in_a_reader))
    assert stamped_s <= came_s


async def _silence_after_a_reset(queued: bytes) -> str | None:
    ears, loop = Ears(), asyncio.get_running_loop()
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.setblocking(False)
        async with ears.link(f"socket://127.0.0.1:{server.getsockname()[1]}"):
            connection, _ = await loop.sock_accept(server)
            await ears.until(lambda: ears.faults[-1:] == [None])
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            if queued:
                connection.send(queued)
            connection.close()
            await ears.until(lambda: ears.faults[-1] is not None)
            return ears.faults[-1]


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")  # pyserial drops a reset socket unclosed
@pytest.mark.parametrize("queued", [b"", b"1234"])
@pytest.mark.parametrize("new_loop", [asyncio.new_event_loop, uvloop.new_event_loop])
def test_a_reset_socket_is_lost_at_once_whatever_was_queued_before_it(new_loop, queued):
    with asyncio.Runner(loop_factory=new_loop) as runner:
        fault = runner.run(_silence_after_a_reset(queued))
    assert "no byte for" not in fault


async def test_a_port_whose_other_end_goes_is_lost_and_let_go_of():
    ears = Ears()
    other, ours = os.openpty()
    try:
        async with ears.link(os.ttyname(ours)) as link:
            await ears.until(lambda: ears.faults[-1:] == [None])
            os.close(other)
            await ears.until(lambda: ears.faults[-1] is not None)
            with pytest.raises(LinkLostError):
                await link.write(b"?")
    finally:
        os.close(ours)
