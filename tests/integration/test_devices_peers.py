"""The I/O module against Modbus peers written by others, each in its own process."""

from __future__ import annotations

import asyncio
import shutil
import signal
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from devices.barrier.barrier import BarrierSettings, IoBarrier
from devices.signals.lane_io import LaneIo
from devices.signals.lights import IoSignals
from devices.signals.module import IoModule, ModuleSettings
from gate_service.clock import RealClock
from gate_service.domain.errors import NotConfirmedError
from gate_service.domain.reading import Aspect, Detector, Presence, Side
from tests.fakes.lane_devices import KeepingSink, believed, missed_until_told, until, wiring
from tests.integration.peers.programs import libmodbus_slave, npm_server, program, pymodbus_server
from tests.integration.peers.terminal import Cable

CLOCK = RealClock()
AT_ONCE = 1  # look at the inputs that may have been answered just before
WITHIN_A_SECOND = 50 + AT_ONCE  # looks, one every 20 ms
LONGEST_S = 2.0  # between attempts, so that a unit on a port of its own is used again within three seconds
PEERS: dict[str, tuple[Callable[[], list[str]], str]] = {
    "npm modbus-serial": (npm_server, "wago-750"),
    "pymodbus": (pymodbus_server, "beckhoff-bk9000"),
    "libmodbus": (lambda: libmodbus_slave("tcp", "0"), "beckhoff-bk9000"),
}


async def drive(url: str, profile: str) -> None:
    """Start, lights, one raise that no limit confirms, and the read-back of all outputs."""
    module = IoModule(ModuleSettings("io-1", url, profile, poll_ms=20, timeout_s=30.0), CLOCK)  # no answer is given up
    sink = KeepingSink()
    lane_io = LaneIo(module, wiring(travel_s=0.3), sink)
    async with module:
        await until(lambda: sink.inputs and sink.latest.unknown_because is None)
        assert sink.health[-1].is_safe_state_confirmed is True
        assert sink.latest.detectors[Detector.APPROACH] is Presence.CLEAR
        await IoSignals(lane_io).show({Side.ENTRY: Aspect.GREEN, Side.EXIT: Aspect.RED})
        with pytest.raises(NotConfirmedError):
            await IoBarrier(lane_io, Side.ENTRY, BarrierSettings(pulse_ms=100), CLOCK).raise_boom()
        polls = len(sink.inputs)
        await until(lambda: len(sink.inputs) > polls + 40)  # past a read-back: all outputs are as written
        assert sink.health[-1].fault is None
        assert module.snapshot()["outputs"]["5"] is True
        assert module.snapshot()["rejects"] == {}


@pytest.mark.parametrize("name", PEERS)
async def test_a_module_works_with_a_server_of_others(name: str) -> None:
    command, profile = PEERS[name]
    async with program(*command()) as (_, port):
        await drive(f"modbus-tcp://127.0.0.1:{port}/1", profile)


async def test_a_module_works_with_libmodbus_over_a_serial_line(tmp_path: Path) -> None:
    ours = Cable(tmp_path / "master")
    with Cable(tmp_path / "slave", ours.write) as theirs, ours:
        ours.on_bytes = theirs.write
        async with program(*libmodbus_slave("rtu", str(theirs.path))):
            await drive(f"modbus-rtu://{ours.path}/1?baud=19200", "beckhoff-bk9000")


async def test_a_server_that_is_killed_is_unknown_at_once() -> None:
    async with program(*npm_server()) as (process, port):
        module = IoModule(ModuleSettings("io-1", f"modbus-tcp://127.0.0.1:{port}/1", "wago-750", poll_ms=20), CLOCK)
        sink = KeepingSink()
        LaneIo(module, wiring(), sink)
        async with module:
            await until(lambda: sink.inputs and sink.latest.unknown_because is None)
            looks = len(sink.inputs)
            process.kill()
            await until(lambda: sink.latest.unknown_because)
            assert believed(sink.inputs[looks:]) <= AT_ONCE


class NotingClock(RealClock):
    """Remembers how long was waited between attempts to connect; polls are shorter."""

    def __init__(self) -> None:
        self.waits_s: list[float] = []

    async def sleep(self, duration_s: float) -> None:
        if duration_s >= 0.1:
            self.waits_s.append(duration_s)
        await super().sleep(duration_s)


@asynccontextmanager
async def lane_at(url: str, profile: str) -> AsyncIterator[tuple[IoModule, KeepingSink, NotingClock]]:
    """A module of a lane, once its inputs are known."""
    clock = NotingClock()
    module = IoModule(ModuleSettings("io-1", url, profile, poll_ms=20, timeout_s=1.0), clock)
    sink = KeepingSink()
    LaneIo(module, wiring(), sink)
    async with module:
        await until(lambda: sink.inputs and sink.latest.unknown_because is None)
        yield module, sink, clock


async def is_back_after_one_wait(sink: KeepingSink, clock: NotingClock) -> bool:
    """Known again with the attempt that was waited for when the unit returned, or the next; none waits longer than it
    may. Counted and not measured: a busy machine takes seconds of its own.
    """
    waits = len(clock.waits_s)
    await until(lambda: sink.latest.unknown_because is None)
    return len(clock.waits_s) <= waits + 1 and max(clock.waits_s) <= LONGEST_S


@asynccontextmanager
async def transparent_server(slave: Cable) -> AsyncIterator[int]:
    """What a transparent serial server does: bytes of one TCP connection to a line and back, nothing understood."""
    writers: list[asyncio.StreamWriter] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writers.append(writer)
        while data := await reader.read(512):
            slave.write(data)
        writer.close()

    slave.on_bytes = lambda data: writers[-1].write(data) if writers else None
    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    async with server:
        yield server.sockets[0].getsockname()[1]
        for writer in writers:
            writer.transport.abort()


async def test_a_module_works_with_libmodbus_behind_a_transparent_serial_server(tmp_path: Path) -> None:
    with Cable(tmp_path / "slave") as line:
        async with program(*libmodbus_slave("rtu", str(line.path))), transparent_server(line) as port:
            await drive(f"modbus-rtu-tcp://127.0.0.1:{port}/1", "beckhoff-bk9000")


async def test_a_pulled_port_makes_everything_unknown_and_is_back_within_three_seconds(tmp_path: Path) -> None:
    ours = Cable(tmp_path / "master")
    with Cable(tmp_path / "slave", ours.write) as theirs, ours:
        ours.on_bytes = theirs.write
        async with (
            program(*libmodbus_slave("rtu", str(theirs.path))),
            lane_at(f"modbus-rtu://{ours.path}/1?baud=19200", "beckhoff-bk9000") as (_, sink, clock),
        ):
            looks = len(sink.inputs)
            ours.unplug()
            await until(lambda: sink.latest.unknown_because)
            assert believed(sink.inputs[looks:]) <= AT_ONCE
            assert set(sink.latest.detectors.values()) == {Presence.UNKNOWN}
            await asyncio.sleep(2.5)  # long enough for the longest wait between attempts
            assert sink.latest.unknown_because
            ours.plug()
            assert await is_back_after_one_wait(sink, clock)


async def test_a_half_open_connection_is_unknown_and_back_within_three_seconds_of_its_return() -> None:
    async with (
        program(*npm_server()) as (process, port),
        lane_at(f"modbus-tcp://127.0.0.1:{port}/1", "wago-750") as (module, sink, clock),
    ):
        looks, told, before = len(sink.inputs), len(sink.health), module.health().rejects
        process.send_signal(signal.SIGSTOP)  # the kernel still takes connections and bytes; nobody answers
        await until(lambda: sink.latest.unknown_because)
        assert believed(sink.inputs[looks:]) <= 2 * AT_ONCE  # a signal takes its time
        assert missed_until_told(sink.health[told:], before) == 1
        assert set(sink.latest.detectors.values()) == {Presence.UNKNOWN}
        await asyncio.sleep(4.0)
        assert sink.latest.unknown_because
        process.send_signal(signal.SIGCONT)
        assert await is_back_after_one_wait(sink, clock)
        assert module.snapshot()["rejects"]["timeout"] >= 2


@pytest.mark.skipif(shutil.which("mbpoll") is None, reason="mbpoll is not installed here; the set-up installs it")
async def test_mbpoll_that_writes_our_outputs_is_noticed_within_a_second_and_undone() -> None:
    async with (
        program(*npm_server()) as (_, port),
        lane_at(f"modbus-tcp://127.0.0.1:{port}/1", "wago-750") as (module, sink, _),
    ):
        mbpoll = await asyncio.create_subprocess_exec(
            "mbpoll", "-m", "tcp", "-p", str(port), "-a", "1", "-0", "-1", "-q", "-t", "0", "-r", "0",
            "127.0.0.1", "1", stdout=asyncio.subprocess.DEVNULL,
        )  # fmt: skip
        looks = len(sink.inputs)
        assert await mbpoll.wait() == 0
        await until(lambda: sink.health[-1].is_tampered)
        assert believed(sink.inputs[looks:]) <= WITHIN_A_SECOND
        assert "output 0: off was written and confirmed, on found" in (sink.latest.unknown_because or "")
        await until(lambda: module.is_known(0, is_on=False))
        shown = await asyncio.create_subprocess_exec(
            "mbpoll", "-m", "tcp", "-p", str(port), "-a", "1", "-0", "-1", "-q", "-t", "0", "-r", "0",
            "127.0.0.1", stdout=asyncio.subprocess.PIPE,
        )  # fmt: skip
        out, _ = await shown.communicate()
        assert out.decode().strip().endswith("0")
