"""Emulators on real links: the drivers read and ask them, faults are switched while they run, captures play again."""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from devices.weighbridge.driver import WeighbridgeDriver
from devices.weighbridge.settings import WeighbridgeSettings
from gate_service.clock import RealClock
from gate_service.domain.errors import CommandRefusedError
from gate_service.domain.mass import Mass
from gate_service.domain.reading import WeightStatus
from tests.fakes.lane_devices import KeepingSink, until
from tests.integration.test_devices_cli import gate


class Process:
    """An emulator as a process of its own."""

    def __init__(self, process: asyncio.subprocess.Process, port: str) -> None:
        self.process = process
        self.port = port

    async def tell(self, **command: Any) -> dict[str, Any]:
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.write(json.dumps(command).encode() + b"\n")
        return dict(json.loads(await asyncio.wait_for(self.process.stdout.readline(), 30)))


@asynccontextmanager
async def emulator(*words: str) -> AsyncIterator[Process]:
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "devices.simulator.indicators",
        *words,
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
    )
    assert process.stdout is not None
    ready = json.loads(await asyncio.wait_for(process.stdout.readline(), 60))
    try:
        yield Process(process, ready["port"])
    finally:
        assert process.stdin is not None
        process.stdin.close()  # it ends with its stdin
        assert await asyncio.wait_for(process.wait(), 30) == 0


@asynccontextmanager
async def driving(port: str, protocol: str, **options: str) -> AsyncIterator[tuple[WeighbridgeDriver, KeepingSink]]:
    sink = KeepingSink()
    settings = WeighbridgeSettings("wb-1", protocol, port, options=options, stale_s=1.0)
    async with WeighbridgeDriver(settings, RealClock(), sink) as driver:
        yield driver, sink


def steady(sink: KeepingSink, kg: int) -> bool:
    last = sink.readings[-1] if sink.readings else None
    return last is not None and last.value == Mass.from_kg(kg) and last.is_stable is True


POLLED = [
    ("xk3190-command", {"address": "A", "poll": "gross"}, ()),
    ("mt-sics", {"poll": "SI"}, ()),
    ("mt-sics", {"poll": "S"}, ()),
    ("sma", {"poll": "W"}, ()),
    ("csv", {"poll": "RW"}, ("--option", "asked=yes")),
    ("csv", {"poll": "READ"}, ("--option", "asked=yes", "--option", "maker=dini")),
    ("cardinal", {"poll": "enq"}, ("--option", "form=enq")),
]


@pytest.mark.parametrize("link", ["tcp", "pty"])
@pytest.mark.parametrize(("protocol", "options", "words"), POLLED, ids=[f"{one[0]}-{one[1]['poll']}" for one in POLLED])
async def test_an_indicator_that_speaks_only_when_asked_is_asked(
    protocol: str, options: dict[str, str], words: tuple[str, ...], link: str
) -> None:
    async with (
        emulator("--protocol", protocol, "--link", link, "--kg", "31200", *words) as indicator,
        driving(indicator.port, protocol, **options) as (driver, sink),
    ):
        await until(lambda: steady(sink, 31200))
        await indicator.tell(do="load", kg=0)
        await until(lambda: steady(sink, 0))
        assert driver.health().fault is None


async def test_faults_are_switched_while_it_runs_and_none_of_them_gives_a_wrong_weight() -> None:
    async with (
        emulator("--protocol", "toledo-continuous", "--kg", "31200") as indicator,
        driving(indicator.port, "toledo-continuous", checksum="required") as (driver, sink),
    ):
        for fault in ("silence", "garbage", "cut_frames", "wrong_checksum", "late", "half_open"):
            await until(lambda: steady(sink, 31200))
            assert (await indicator.tell(do="fault", name=fault, on=True))["ok"]
            await until(lambda: sink.readings[-1].status is WeightStatus.NO_DATA)
            assert (await indicator.tell(do="fault", name=fault, on=False))["ok"]
        await until(lambda: steady(sink, 31200))
        await indicator.tell(do="fault", name="wrong_unit", on=True)
        await until(lambda: "unit kg is configured" in (driver.health().fault or ""))
        assert sink.readings[-1].is_stable is False
        values = {reading.value for reading in sink.readings if reading.is_stable}
        assert values == {Mass.from_kg(31200)}
        refused = await indicator.tell(do="fault", name="no-such", on=True)
        assert refused["ok"] is False
        assert "silence" in refused["error"]


async def test_a_cable_with_the_wrong_settings_gives_garbage_and_no_weight() -> None:
    async with emulator("--protocol", "xk3190-continuous", "--link", "pty", "--baud", "4800") as indicator:
        async with driving(f"{indicator.port}?baud=9600", "xk3190-continuous") as (driver, sink):
            await until(lambda: sum(driver.snapshot()["rejects"].values()) > 3)
            assert all(reading.value is None for reading in sink.readings)
        async with driving(f"{indicator.port}?baud=4800", "xk3190-continuous") as (_, sink):
            await until(lambda: steady(sink, 12340))


async def test_a_recording_becomes_a_golden_test_and_plays_again(tmp_path: Path) -> None:
    capture = tmp_path / "bridge.jsonl"
    async with emulator("--protocol", "sma", "--kg", "31200") as indicator:
        words = ("--option", "poll=W", "--count", "5", "--seconds", "30", "--record", str(capture))
        status, lines, err = await gate("read", "sma", indicator.port, *words)
        assert status == 0, err
        assert len(lines) == 5
        status, _, err = await gate("read", "sma", indicator.port, *words)
        assert status == 2
        assert "a new file expected" in err
    assert '"sent": true' in capture.read_text()
    status, again, err = await gate("replay", str(capture))
    assert status == 0, err
    assert [json.loads(line)["raw"] for line in again[:5]] == [json.loads(line)["raw"] for line in lines]
    status, _, err = await gate("replay", str(capture), "--golden", str(tmp_path))
    assert status == 2
    assert "--source" in err
    status, told, err = await gate("replay", str(capture), "--golden", str(tmp_path), "--source", "an emulator")
    assert status == 0, err
    assert "bridge.json" in told[0]
    made = json.loads((tmp_path / "bridge.json").read_text())
    assert made["protocol"] == "sma"
    assert {fields["value"] for fields in made["expect"]} == {"31200"}
    async with emulator("--capture", str(capture)) as player, driving(player.port, "sma") as (_, sink):
        await until(lambda: len(sink.readings) >= 5)
        assert {reading.value for reading in sink.readings if reading.value} == {Mass.from_kg(31200)}


async def test_any_bytes_are_recorded_whatever_they_mean_and_a_reader_who_leaves_is_no_fault(tmp_path: Path) -> None:
    capture = tmp_path / "any.jsonl"
    gate_record = f'{sys.executable} -m gate_service record "$1" "$2" --seconds 20 | head -1'
    async with emulator("--protocol", "rinstrum") as indicator:
        process = await asyncio.create_subprocess_exec(
            "sh",
            "-c",
            gate_record,
            "sh",
            indicator.port,
            str(capture),
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )
        out, err = await asyncio.wait_for(process.communicate(), 60)
    assert b"12340" in out
    assert b"Traceback" not in err, err
    assert b"bytes" in err
    assert capture.read_text().count("hex") >= 1


async def test_a_recording_of_an_io_module_keeps_questions_and_answers(tmp_path: Path) -> None:
    from tests.integration.peers.scripted_modbus import ScriptedPeer

    capture = tmp_path / "module.jsonl"
    async with ScriptedPeer() as peer:
        status, _, err = await gate("io", peer.url, "--profile", "wago-750", "--record", str(capture))
        assert status == 0, err
    lines = [json.loads(line) for line in capture.read_text().splitlines()]
    assert lines[0]["about"]["profile"] == "wago-750"
    assert [bool(line.get("sent")) for line in lines[1:3]] == [True, False]


async def test_what_cannot_be_set_up_is_told_and_nothing_starts() -> None:
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "devices.simulator.indicators", "--protocol", "no-such", stderr=asyncio.subprocess.PIPE
    )
    _, err = await asyncio.wait_for(process.communicate(), 60)
    assert process.returncode == 2
    assert b"xk3190-continuous" in err


ZEROED = [
    ("toledo-continuous", {"zero": "Z"}, ()),
    ("mt-sics", {"poll": "SI", "zero": "Z"}, ()),
    ("sma", {"poll": "W", "zero": "Z"}, ()),
    ("csv", {"zero": "MZ"}, ()),
    ("csv", {"zero": "Z"}, ("--option", "maker=dini")),
]


@pytest.mark.parametrize(("protocol", "options", "words"), ZEROED, ids=[f"{one[0]}-{one[1]['zero']}" for one in ZEROED])
async def test_an_indicator_with_a_zero_command_is_zeroed_where_the_site_says_so(
    protocol: str, options: dict[str, str], words: tuple[str, ...]
) -> None:
    async with (
        emulator("--protocol", protocol, "--kg", "60", *words) as indicator,
        driving(indicator.port, protocol, **options) as (driver, sink),
    ):
        await until(lambda: steady(sink, 60))
        await driver.zero()
        await until(lambda: steady(sink, 0))
        await indicator.tell(do="load", kg=20_060)
        await until(lambda: steady(sink, 20_000))


async def test_no_indicator_is_zeroed_unless_the_site_says_so() -> None:
    async with (
        emulator("--protocol", "toledo-continuous", "--kg", "60") as indicator,
        driving(indicator.port, "toledo-continuous") as (driver, sink),
    ):
        await until(lambda: steady(sink, 60))
        assert not driver.has_zero
        with pytest.raises(CommandRefusedError, match="option zero"):
            await driver.zero()
        assert steady(sink, 60)
