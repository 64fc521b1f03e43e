"""`gate read` and `gate io` as people run them: separate processes on real ports."""

from __future__ import annotations

import asyncio
import json
import sys
from pathlib import Path

from devices.links.address import parse_modbus
from devices.links.modbus import ModbusBus
from gate_service.clock import RealClock
from tests.fakes.lane_devices import until
from tests.integration.peers.scripted_modbus import ScriptedPeer
from tests.integration.peers.terminal import Cable
from tests.integration.test_devices_weighbridge import frame


async def gate(*words: str) -> tuple[int, list[str], str]:
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-c",
        "from gate_service.cli.app import main; main()",
        *words,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    out, err = await asyncio.wait_for(process.communicate(), 30)
    assert process.returncode is not None
    return process.returncode, out.decode().splitlines(), err.decode()


async def test_gate_read_shows_frames_and_rejects_of_a_live_port(tmp_path: Path) -> None:
    with Cable(tmp_path / "port") as cable:
        reading = asyncio.create_task(
            gate("read", "xk3190-continuous", str(cable.path), "--count", "2", "--seconds", "20", "--json")
        )
        while not reading.done():
            cable.write(b"junk" + frame("031200"))
            await asyncio.sleep(0.1)
        status, lines, err = await reading
    assert status == 0, err
    objects = [json.loads(line) for line in lines]
    readings = [fields for fields in objects if fields["kind"] == "reading"]
    assert len(readings) == 2
    assert readings[0] | {"raw": ""} == {
        "kind": "reading",
        "value": "31200",
        "unit": None,
        "net": None,
        "stable": None,
        "status": "ok",
        "raw": "",
    }
    assert bytes.fromhex(readings[0]["raw"]) == frame("031200")


async def test_gate_read_with_nothing_on_the_line_is_found_wanting(tmp_path: Path) -> None:
    with Cable(tmp_path / "port") as cable:
        status, lines, _ = await gate("read", "xk3190-continuous", str(cable.path), "--seconds", "0.3")
        assert (status, lines) == (1, [])
    status, _, err = await gate("read", "no-such", "/dev/ttyS99")
    assert status == 2
    assert "xk3190-continuous" in err


async def test_gate_io_shows_the_points() -> None:
    async with ScriptedPeer() as peer:
        peer.inputs[10] = peer.outputs[4] = True
        status, lines, err = await gate("io", peer.url, "--profile", "wago-750", "--json")
        assert status == 0, err
        shown = json.loads(lines[0])
        assert [number for number, bit in enumerate(shown["inputs"]) if bit] == [10]
        assert [number for number, bit in enumerate(shown["outputs"]) if bit] == [4]
        assert peer.writes() == []


async def test_gate_io_sets_an_output_only_when_commissioning() -> None:
    async with ScriptedPeer() as peer:
        status, _, err = await gate("io", peer.url, "--profile", "wago-750", "--set", "0=pulse")
        assert status == 2
        assert "--commissioning" in err
        assert peer.requests == []
        status, _, err = await gate("io", peer.url, "--profile", "wago-750", "--set", "0=pulse", "--commissioning")
        assert status == 0, err
        assert peer.writes() == [(0, 0xFF00), (0, 0)]


async def test_gate_io_sets_nothing_while_a_service_holds_the_device() -> None:
    async with ScriptedPeer() as peer, ModbusBus(parse_modbus(peer.url), RealClock()) as bus:
        await until(lambda: bus.fault is None)
        status, _, err = await gate("io", peer.url, "--profile", "wago-750", "--set", "4=on", "--commissioning")
        assert status == 1
        assert "held by process" in err
        assert peer.writes() == []
        status, lines, err = await gate("io", peer.url, "--profile", "wago-750")
        assert status == 0, err
        assert "only looking" in err
        assert len(lines) == 3


async def test_gate_io_says_what_is_wrong_with_its_words() -> None:
    for words in (
        ("io", "modbus-tcp://127.0.0.1:1/1", "--profile", "no-such"),
        ("io", "tcp://127.0.0.1:1", "--profile", "wago-750"),
        ("io", "modbus-tcp://127.0.0.1:1/1", "--profile", "wago-750", "--set", "99=on"),
    ):
        status, _, err = await gate(*words)
        assert status == 2, err
