"""The I/O module against Modbus peers written by others, each in its own process."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path

import pytest

from devices.barrier.barrier import BarrierSettings, IoBarrier
from devices.signals.lane_io import LaneIo
from devices.signals.lights import IoSignals
from devices.signals.module import IoModule, ModuleSettings
from gate_service.clock import RealClock
from gate_service.domain.errors import NotConfirmedError
from gate_service.domain.reading import Aspect, Detector, Presence, Side
from tests.fakes.lane_devices import KeepingSink, until, wiring
from tests.integration.peers.programs import libmodbus_slave, npm_server, program, pymodbus_server
from tests.integration.peers.terminal import Cable

CLOCK = RealClock()
PEERS: dict[str, tuple[Callable[[], list[str]], str]] = {
    "npm modbus-serial": (npm_server, "wago-750"),
    "pymodbus": (pymodbus_server, "beckhoff-bk9000"),
    "libmodbus": (lambda: libmodbus_slave("tcp", "0"), "beckhoff-bk9000"),
}


async def drive(url: str, profile: str) -> None:
    """Start, lights, one raise that no limit confirms, and the read-back of all outputs."""
    module = IoModule(ModuleSettings("io-1", url, profile, poll_ms=20), CLOCK)
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
            process.kill()
            await until(lambda: sink.latest.unknown_because, 0.5)
            await asyncio.sleep(0)
