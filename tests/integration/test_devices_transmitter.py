"""A weighing transmitter over real Modbus TCP: right, or no weight; against the emulator, and a slave others wrote."""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from devices.registry import make_modules, make_weighbridge, shared_buses
from devices.signals.module import ModuleSettings
from devices.simulator.indicators.transmitter import MAKES, Transmitter
from devices.simulator.wire_io import WireModule
from devices.weighbridge.settings import WeighbridgeSettings
from devices.weighbridge.transmitter import TransmitterDriver
from gate_service.clock import RealClock
from gate_service.domain.mass import Mass
from gate_service.domain.reading import StabilityFrom, WeightStatus
from tests.fakes.held_port import HeldPort
from tests.fakes.lane_devices import KeepingSink, until
from tests.integration.peers.programs import libmodbus_slave, program

CLOCK = RealClock()


def settings(url: str, profile: str, **changes: object) -> WeighbridgeSettings:
    options = {"profile": profile}
    return WeighbridgeSettings("wb-1", "modbus", url, options=options, stale_s=1.0, **changes)  # type: ignore[arg-type]


@asynccontextmanager
async def weighing(
    make: str, **changes: object
) -> AsyncIterator[tuple[WireModule[Transmitter], TransmitterDriver, KeepingSink]]:
    sink = KeepingSink()
    with HeldPort() as held:  # cut, and back on its port
        async with WireModule(Transmitter(make), port=held.number) as wire:
            wire.module.deck.decimals = 3 if changes.get("unit") == "t" else 0
            driver = TransmitterDriver(settings(wire.url, make, **changes), CLOCK, sink)
            async with driver:
                await until(lambda: driver.health().fault is None)
                yield wire, driver, sink


@pytest.mark.parametrize("make", MAKES)
async def test_every_make_is_read_over_the_wire(make: str) -> None:
    async with weighing(make) as (wire, driver, sink):
        wire.module.deck.show(31_240)
        await until(lambda: sink.readings[-1].value == Mass.from_kg(31_240))
        reading = sink.readings[-1]
        assert (reading.status, reading.is_stable, reading.displayed) == (WeightStatus.OK, True, "31240 kg")
        assert reading.stability_from is StabilityFrom.REPORTED
        shown = driver.snapshot()
        assert (shown["quality"], shown["fault"]) == ("from the manual only", None)
        assert shown["last_received"]


@pytest.mark.parametrize("fault", ["cut", "silence", "short_answer", "out_of_step", "wrong_unit"])
async def test_on_a_bad_line_there_is_no_weight_and_afterwards_there_is(fault: str) -> None:
    async with weighing("laumas-w100") as (wire, driver, sink):
        wire.module.deck.show(31_240)
        await until(lambda: sink.readings[-1].value == Mass.from_kg(31_240))
        await wire.switch(fault, on=True)
        await until(lambda: sink.readings[-1].status is WeightStatus.NO_DATA)
        assert driver.health().fault is not None
        wire.module.deck.show(20)
        await wire.switch(fault, on=False)
        await until(lambda: sink.readings[-1].value == Mass.from_kg(20))
        lost_at = max(i for i, reading in enumerate(sink.readings) if reading.status is WeightStatus.NO_DATA)
        assert all(reading.value == Mass.from_kg(20) for reading in sink.readings[lost_at + 1 :])
        await until(lambda: driver.health().fault is None)


async def test_a_converter_that_stands_behind_a_living_interface_is_no_weight() -> None:
    async with weighing("flintec-ft112") as (wire, driver, sink):
        wire.module.deck.is_frozen = True
        await until(lambda: sink.readings[-1].status is WeightStatus.NO_DATA)
        assert driver.health().rejects["frozen"] > 0


async def test_another_device_at_the_address_is_refused_with_what_it_said() -> None:
    sink = KeepingSink()
    async with (
        WireModule(Transmitter("dini-dgt4x")) as wire,
        TransmitterDriver(settings(wire.url, "laumas-w100"), CLOCK, sink) as driver,
    ):
        await until(lambda: "exception 2" in (driver.health().fault or ""))
        assert all(reading.value is None for reading in sink.readings)


async def test_a_decimal_that_contradicts_the_site_is_never_stable() -> None:
    async with weighing("hbm-wtx110", unit="t", decimals=3) as (wire, driver, sink):
        wire.module.deck.decimals = 2
        wire.module.deck.show(3124)
        await until(lambda: sink.readings[-1].displayed == "31.24 t")
        assert sink.readings[-1].is_stable is False
        await until(lambda: "3 decimals are configured" in (driver.health().fault or ""))


async def test_a_slave_run_by_libmodbus_reads_alike_and_shares_its_bus_with_a_module() -> None:
    async with program(*libmodbus_slave("tcp", "0")) as (_, port):
        url = f"modbus-tcp://127.0.0.1:{port}/1"
        bridge, module = settings(url, "laumas-w100"), ModuleSettings("io-1", url, "beckhoff-bk9000")
        buses = shared_buses([module], [bridge], CLOCK)
        assert list(buses) == [f"127.0.0.1:{port}"]
        sink = KeepingSink()
        driver = make_weighbridge(bridge, CLOCK, sink, buses)
        async with buses[f"127.0.0.1:{port}"], make_modules([module], CLOCK, buses)["io-1"] as io, driver:
            await until(lambda: sink.readings and sink.readings[-1].value == Mass.from_kg(31_240))
            await until(lambda: io.health().fault is None)


async def test_gate_read_shows_the_registers_of_a_transmitter(tmp_path: Path) -> None:
    async with WireModule(Transmitter("hbm-wtx110")) as wire:
        wire.module.deck.show(10_000)
        capture = tmp_path / "capture"
        command = [str(Path(sys.executable).parent / "gate"), "read", "modbus", wire.url, "--count", "2"]
        command += ["--option", "profile=hbm-wtx110", "--record", str(capture)]
        process = await asyncio.create_subprocess_exec(*command, stdout=asyncio.subprocess.PIPE)
        out, _ = await asyncio.wait_for(process.communicate(), 60)
        lines = [json.loads(line) for line in out.splitlines()]
        assert (process.returncode, len(lines)) == (0, 2)
        assert (lines[0]["value"], lines[0]["stable"], lines[0]["status"]) == ("10000", True, "ok")
        assert lines[0]["raw"] == "00 00 27 10 00 00 27 10 00 00 00 00"
        assert capture.stat().st_size > 0
