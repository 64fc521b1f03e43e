"""The wire devices before programs of others: pymodbus, mbpoll, npm modbus-serial, pyserial."""

from __future__ import annotations

import asyncio
import json
import shutil
import struct
import subprocess
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Self

import pytest
import serial
from pymodbus.client import AsyncModbusTcpClient
from pymodbus.exceptions import ModbusException

from devices.simulator.indicator import Indicator, frame
from devices.simulator.wago import WagoModule
from devices.simulator.wire_io import WireModule
from devices.simulator.wire_weighbridge import WireWeighbridge
from tests.fakes.held_port import HeldPort
from tests.fakes.lane_devices import until

INPUTS = [True, False, True, False, False, False, True, False, True, False, True, False]
ROOT = Path(__file__).parents[2]


@asynccontextmanager
async def _module() -> AsyncIterator[WireModule]:
    with HeldPort() as held:  # cut, and back on its port
        async with WireModule(WagoModule(lambda: INPUTS, lambda *_: None), port=held.number) as wire:
            yield wire


@asynccontextmanager
async def _client(wire: WireModule, timeout_s: float = 30.0) -> AsyncIterator[AsyncModbusTcpClient]:
    client = AsyncModbusTcpClient("127.0.0.1", port=wire.port, retries=0, timeout=timeout_s)
    assert await client.connect()
    try:
        yield client
    finally:
        client.close()


async def _run(*command: str) -> str:
    process = await asyncio.create_subprocess_exec(
        *command, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT, cwd=ROOT
    )
    out, _ = await asyncio.wait_for(process.communicate(), 60)
    assert process.returncode == 0, out.decode()
    return out.decode()


async def test_pymodbus_reads_and_writes_the_module() -> None:
    async with _module() as wire, _client(wire) as client:
        assert (await client.read_discrete_inputs(0, count=12)).bits[:12] == INPUTS
        assert not (await client.write_coil(3, True)).isError()
        assert not (await client.write_coils(0, [True, False, True])).isError()
        assert (await client.read_coils(512, count=8)).bits[:8] == [True, False, True, True] + [False] * 4
        assert (await client.read_holding_registers(0x1000, count=2)).registers == [0, 0]
        assert (await client.read_coils(100, count=8)).exception_code == 2
        assert (await client.report_device_id()).exception_code == 1
        assert wire.log[0].request[7:] == bytes.fromhex("020000000c")


async def test_mbpoll_reads_and_writes_the_module() -> None:
    mbpoll = shutil.which("mbpoll")
    if mbpoll is None:
        pytest.skip("mbpoll is not installed here")
    async with _module() as wire:
        base = (mbpoll, "-m", "tcp", "-p", str(wire.port), "-a", "1", "-0", "-1", "-q")
        shown = await _run(*base, "-t", "1", "-r", "0", "-c", "12", "127.0.0.1")
        values = [line.split("]:")[1].strip() == "1" for line in shown.splitlines() if line.startswith("[")]
        assert values == INPUTS
        await _run(*base[:-2], "-t", "0", "-r", "4", "127.0.0.1", "1")
        assert wire.module.outputs[4]


async def test_the_npm_client_reads_and_writes_the_module() -> None:
    node = shutil.which("node")
    if node is None:
        pytest.skip("node is not installed here")
    script = """
      const Modbus = require('modbus-serial'); const c = new Modbus();
      (async () => {
        await c.connectTCP('127.0.0.1', {port: +process.argv[1]}); c.setID(1);
        const inputs = (await c.readDiscreteInputs(0, 12)).data.slice(0, 12);
        await c.writeCoil(2, true); const back = (await c.readCoils(512, 8)).data;
        console.log(JSON.stringify({inputs, back})); c.close(() => process.exit(0));
      })();"""
    async with _module() as wire:
        found = json.loads(await _run(node, "-e", script, str(wire.port)))
    assert found["inputs"] == INPUTS
    assert found["back"] == [False, False, True] + [False] * 5


async def test_a_cut_module_is_gone_and_comes_back_on_its_port() -> None:
    async with _module() as wire:
        async with _client(wire, 2.0) as client:
            await wire.switch("cut", on=True)
            with pytest.raises(ModbusException):
                await client.read_discrete_inputs(0, count=12)
            with pytest.raises(ConnectionRefusedError):
                await asyncio.open_connection("127.0.0.1", wire.port)
        await wire.switch("cut", on=False)
        async with _client(wire) as client:
            assert not (await client.read_discrete_inputs(0, count=12)).isError()


async def test_a_silent_module_keeps_its_connections_and_answers_nothing() -> None:
    async with _module() as wire, _client(wire, 2.0) as client:
        await wire.switch("silence", on=True)
        with pytest.raises(ModbusException):
            await client.write_coil(0, True)
        assert not wire.module.outputs[0]
        assert wire.log[-1].answer is None
        await wire.switch("silence", on=False)
        assert not (await client.read_discrete_inputs(0, count=12)).isError()


class _Raw:
    """A socket that says what it got, without a library's opinion."""

    def __init__(self, port: int) -> None:
        self._port = port

    async def __aenter__(self) -> Self:
        self._reader, self._writer = await asyncio.open_connection("127.0.0.1", self._port)
        return self

    async def __aexit__(self, *_: object) -> None:
        self._writer.close()

    async def ask(self, tid: int, request_hex: str) -> tuple[int, int, str]:
        request = bytes.fromhex(request_hex)
        self._writer.write(struct.pack(">HHHB", tid, 0, len(request) + 1, 1) + request)
        answered, _, length, unit = struct.unpack(">HHHB", await asyncio.wait_for(self._reader.readexactly(7), 30))
        return answered, unit, (await self._reader.readexactly(length - 1)).hex()


@pytest.mark.parametrize(
    ("fault", "request_hex", "expected"),
    [
        ("wrong_echo", "050000ff00", (7, 1, "050000" + "00" + "00")),
        ("short_answer", "020000000c", (7, 1, "020145")),
        ("zeros", "020000000c", (7, 1, "02020000")),
        ("wrong_unit", "020000000c", (7, 0x41, "02024505")),
    ],
)
async def test_each_fault_spoils_the_answer_in_its_own_way(
    fault: str, request_hex: str, expected: tuple[int, int, str]
) -> None:
    async with _module() as wire, _Raw(wire.port) as raw:
        good = await raw.ask(7, request_hex)
        assert good != expected
        await wire.switch(fault, on=True)
        assert await raw.ask(7, request_hex) == expected
        await wire.switch(fault, on=False)
        assert await raw.ask(7, request_hex) == good


async def test_a_slow_module_has_done_it_long_before_it_says_so() -> None:
    async with _module() as wire, _Raw(wire.port) as raw:
        await wire.switch("slow", on=True)
        started_s = time.monotonic()
        asking = asyncio.create_task(raw.ask(1, "050000ff00"))
        await until(lambda: wire.module.outputs[0])
        assert not asking.done()
        await asking
        assert time.monotonic() - started_s >= 0.6


async def test_an_answer_out_of_step_is_the_one_before() -> None:
    async with _module() as wire, _Raw(wire.port) as raw:
        await wire.switch("out_of_step", on=True)
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(raw.ask(1, "050000ff00"), 0.3)
        assert await raw.ask(2, "020000000c") == (1, 1, "050000ff00")


async def test_another_master_flips_an_output_that_reads_back_so() -> None:
    async with _module() as wire, _client(wire) as client:
        await wire.switch("foreign_write", on=True, output=7)
        assert (await client.read_coils(512, count=8)).bits[7]
        await wire.switch("foreign_write", on=False, output=7)
        assert not (await client.read_coils(512, count=8)).bits[7]
        with pytest.raises(ValueError, match="fault must be one of cut"):
            await wire.switch("melts", on=True)


async def test_what_is_not_modbus_is_hung_up_on() -> None:
    async with _module() as wire:
        reader, writer = await asyncio.open_connection("127.0.0.1", wire.port)
        writer.write(b"GET / HTTP/1.1\r\n\r\n")
        assert await asyncio.wait_for(reader.read(), 30) == b""
        writer.close()


async def test_outputs_drop_by_the_watchdog_on_the_wire() -> None:
    now_s = 100.0  # the module's own time: on a busy machine three tenths of a second are over at once
    module = WagoModule(lambda: INPUTS, lambda *_: None)
    async with WireModule(module, clock=lambda: now_s) as wire, _client(wire) as client:
        await client.write_register(0x1000, 3)
        await client.write_register(0x1001, 0xFFFF)
        await client.write_register(0x1003, 1)
        await client.write_coil(0, True)
        now_s += 0.15
        await asyncio.sleep(0.15)
        assert wire.module.outputs[0]
        now_s += 0.35
        await until(lambda: not wire.module.outputs[0])
        assert (await client.read_holding_registers(0x1006)).registers == [2]


def _read(port: str, count: int) -> bytes:
    """By pyserial, in a thread of its own."""
    with serial.serial_for_url(port, timeout=20) as line:
        return bytes(line.read(count))


@pytest.mark.parametrize("link", ["tcp", "pty"])
async def test_pyserial_reads_frames_at_the_rate_of_the_real_thing(link: str) -> None:
    async with WireWeighbridge(Indicator(20), lambda: 31_247.0, link=link) as wire:
        started_s = time.monotonic()
        found = await asyncio.to_thread(_read, wire.port_url, 12 * 10)
        took_s = time.monotonic() - started_s
    assert found == frame(31_240) * 10
    assert took_s > 0.6  # ten frames, 80 ms apart
    assert wire._frame_s == 0.08  # and no more, but for what the machine takes


@pytest.mark.parametrize("link", ["tcp", "pty"])
async def test_a_port_can_be_opened_again_and_again(link: str) -> None:
    async with WireWeighbridge(Indicator(20), lambda: 0.0, link=link) as wire:
        port = wire.port_url
        for _ in range(3):
            assert frame(0) in await asyncio.to_thread(_read, port, 24)
        assert wire.port_url == port


async def test_a_cable_does_not_keep_what_nobody_read() -> None:
    felt = [1000.0]
    async with WireWeighbridge(Indicator(20), lambda: felt[0], link="pty") as wire:
        await asyncio.sleep(1.5)
        felt[0] = 2000.0
        found = await asyncio.to_thread(_read, wire.port_url, 12 * 12)
    assert found.count(frame(1000)) <= 11


async def _end_of_what_comes(reader: asyncio.StreamReader) -> None:
    """Read what was on its way; TimeoutError once nothing more comes, and the end of the connection else."""
    while await asyncio.wait_for(reader.read(100), 0.4):
        pass


async def test_a_silent_indicator_keeps_its_connection() -> None:
    async with WireWeighbridge(Indicator(20), lambda: 0.0) as wire:
        reader, writer = await asyncio.open_connection("127.0.0.1", int(wire.port_url.rpartition(":")[2]))
        await reader.readexactly(12)
        wire.switch("silence", on=True)
        with pytest.raises(TimeoutError):
            await _end_of_what_comes(reader)
        wire.switch("silence", on=False)
        await asyncio.wait_for(reader.readexactly(12), 30)
        writer.close()


def test_the_simulator_imports_no_driver() -> None:
    code = (
        "import sys, devices.simulator.process\n"
        "roots = ('devices.', 'lanes', 'sync', 'pymodbus', 'serial', 'gate_')\n"
        "taken = [n for n in sys.modules if n.startswith(roots)]\n"
        "print([n for n in taken if not n.startswith('devices.simulator')])"
    )
    found = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert found.stdout.strip() == "[]"


async def test_wires_listen_on_loopback_only() -> None:
    async with _module() as wire, WireWeighbridge(Indicator(20), lambda: 0.0) as weighbridge:
        for port in (wire.port, int(weighbridge.port_url.rpartition(":")[2])):
            with pytest.raises(ConnectionRefusedError):
                await asyncio.open_connection("127.0.0.2", port)
