"""`gate read` and `gate io` as people run them: separate processes on real ports."""

from __future__ import annotations

import asyncio
import contextlib
import json
import signal
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from devices.links.address import parse_modbus
from devices.links.modbus import ModbusBus
from gate_service.clock import RealClock
from tests.fakes.lane_devices import until
from tests.integration.peers.scripted_modbus import ScriptedPeer, mbap, silent, well_behaved
from tests.integration.peers.terminal import Cable
from tests.integration.test_devices_weighbridge import frame

SITE = """
[site]
id = "K1"
name = { zh = "一号卡口", en = "Gate 1" }
[data]
dir = "data"
[[modules]]
name = "io-1"
url = "URL"
profile = "wago-750"
[[lanes]]
id = "out-1"
name = { zh = "出区 1", en = "Outbound 1" }
kind = "non_declared"
direction = "outbound"
module = "io-1"
inputs = { approach = 0, exit_loop = 4, exit_up = 7, exit_down = 8, fire = 9, power_ok = 10 }
outputs = { exit_raise = 2, exit_lower = 3, exit_red = 4, exit_green = 5 }
"""


async def gate(*words: str, within_s: float = 60) -> tuple[int, list[str], str]:
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-c",
        "from gate_service.cli.app import main; main()",
        *words,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    try:
        out, err = await asyncio.wait_for(process.communicate(), within_s)
    finally:
        with contextlib.suppress(ProcessLookupError):
            process.kill()
    assert process.returncode is not None
    return process.returncode, out.decode().splitlines(), err.decode()


async def test_gate_read_shows_frames_and_rejects_of_a_live_port(tmp_path: Path) -> None:
    with Cable(tmp_path / "port") as cable:
        reading = asyncio.create_task(
            gate("read", "xk3190-continuous", str(cable.path), "--count", "2", "--seconds", "40", "--json")
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
        assert shown["safe_state"] == {"confirmed": True, "because": None}
        assert shown["rejects"] == {}
        assert shown["last_sent"].endswith("02 00 00 00 40") or "01 02 00 00 40" in shown["last_sent"]
        assert peer.writes() == []


async def test_gate_io_finds_how_many_points_a_coupler_has() -> None:
    async def eleven(peer: ScriptedPeer, frame: bytes) -> bytes | None:
        if frame[7] in {1, 2} and int.from_bytes(frame[10:12], "big") > 11:
            return mbap(frame, bytes([frame[7] | 0x80, 2]))
        return await well_behaved(peer, frame)

    async with ScriptedPeer() as peer:
        peer.answer = eleven
        peer.registers[0x1000] = 0
        status, lines, err = await gate("io", peer.url, "--profile", "wago-750", "--json")
        assert status == 0, err
        shown = json.loads(lines[0])
        assert (len(shown["inputs"]), len(shown["outputs"])) == (11, 11)
        assert shown["safe_state"]["confirmed"] is False
        assert "watchdog time" in shown["safe_state"]["because"]
        assert shown["rejects"]["exception_2"] >= 2


async def test_gate_io_watches_through_a_cut_and_says_what_it_threw_away() -> None:
    async with ScriptedPeer() as peer:
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-c", "from gate_service.cli.app import main; main()",
            "io", peer.url, "--profile", "wago-750", "--watch", "--json",
            stdout=asyncio.subprocess.PIPE,
        )  # fmt: skip
        assert process.stdout is not None
        try:
            missed = 0

            async def next_line(kind: str) -> dict[str, Any]:
                nonlocal missed
                assert process.stdout is not None
                while True:
                    line = json.loads(await asyncio.wait_for(process.stdout.readline(), 60))
                    if line["kind"] == "fault":
                        assert line["rejects"] == {"timeout": missed + 1}  # told with the first answer that is missing
                    missed = line["rejects"].get("timeout", 0)
                    if line["kind"] == kind:
                        return dict(line)

            await next_line("points")
            peer.inputs[3] = True
            while not (await next_line("points"))["inputs"][3]:
                pass
            peer.answer, began_at = silent, datetime.now(UTC)
            while datetime.fromisoformat((fault := await next_line("fault"))["at"]) < began_at:
                peer.answer = well_behaved  # it was told before: a busy machine answered late itself
                await next_line("points")
                peer.answer, began_at = silent, datetime.now(UTC)
            assert fault["error"]["code"] == "link_lost"
            assert fault["age_ms"] >= 300
            peer.answer = well_behaved
            await next_line("points")
            process.send_signal(signal.SIGINT)
            assert await asyncio.wait_for(process.wait(), 30) == 0
        finally:
            with contextlib.suppress(ProcessLookupError):
                process.kill()


async def test_gate_io_with_a_site_file_tells_lamps_from_booms(tmp_path: Path) -> None:
    async with ScriptedPeer() as peer:
        file = tmp_path / "site.toml"
        file.write_text(SITE.replace("URL", peer.url), encoding="utf-8")
        words = ("io", peer.url, "--profile", "wago-750", "--config", str(file))
        for output in ("2=on", "3=pulse", "12=on"):  # raise, lower, and one that the file does not name
            status, _, err = await gate(*words, "--set", output)
            assert (status, "--commissioning" in err) == (2, True)
        assert peer.writes() == []
        status, lines, err = await gate(*words, "--set", "4=on")
        assert status == 0, err
        assert peer.writes() == [(4, 0xFF00)]
        assert any(line.split() == ["4", "out-1", "exit_red", "1"] for line in lines)
        status, _, err = await gate("io", "modbus-tcp://127.0.0.1:1/9", "--profile", "wago-750", "--config", str(file))
        assert status == 2
        assert peer.url in err


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
        assert lines[1].split() == ["inputs", *["0"] * 64]
        assert "safe state confirmed" in lines[3]


async def test_gate_io_says_what_is_wrong_with_its_words() -> None:
    for words in (
        ("io", "modbus-tcp://127.0.0.1:1/1", "--profile", "no-such"),
        ("io", "tcp://127.0.0.1:1", "--profile", "wago-750"),
        ("io", "modbus-tcp://127.0.0.1:1/1", "--profile", "wago-750", "--set", "99=on"),
    ):
        status, _, err = await gate(*words)
        assert status == 2, err
