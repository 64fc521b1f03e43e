"""`gate probe` as people run it: every emulator named with its settings within ten seconds, and nothing ever sent."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from devices.simulator.indicators import emulator
from devices.simulator.indicators.display import Display
from devices.simulator.indicators.line import Line
from devices.simulator.wire_weighbridge import WireWeighbridge
from tests.fakes.lane_devices import until
from tests.integration.test_devices_cli import gate

CAPTURE_S = 10.0


class Listening(emulator.Emulator):
    """An emulator that keeps what is sent to it."""

    def __init__(self, inner: emulator.Emulator) -> None:
        self.inner = inner
        self.heard = b""

    def next_bytes(self, felt_kg: float) -> bytes:
        return self.inner.next_bytes(felt_kg)

    def hear(self, data: bytes, felt_kg: float) -> bytes:
        self.heard += data
        return self.inner.hear(data, felt_kg)


@asynccontextmanager
async def indicator(
    name: str, options: dict[str, str], *, link: str, line: Line | None = None
) -> AsyncIterator[tuple[WireWeighbridge, Listening]]:
    listening = Listening(emulator.make(name, options, Display()))
    async with WireWeighbridge(listening, lambda: 12_340.0, link=link, line=line) as wire:
        yield wire, listening


async def probed(port: str, seconds: float = CAPTURE_S) -> tuple[int, dict[str, Any]]:
    """It ends by itself once it has listened so long, and is given up after twice the time of the longest: the rest is
    for a busy machine to start it.
    """
    status, lines, err = await gate("probe", port, "--seconds", str(seconds), "--json", within_s=2 * CAPTURE_S)
    assert lines, err
    return status, json.loads(lines[0])


ON_CABLES = [
    ("xk3190-continuous", {}, "1200", "8N1", "sure"),
    ("xk3190-equals", {"form": "reversed"}, "4800", "8N1", "likely"),
    ("xk3190-a12", {}, "9600", "8N1", "likely"),
    ("toledo-continuous", {}, "9600", "7E1", "sure"),
    ("toledo-continuous", {"checksum": "no"}, "4800", "7O1", "likely"),
    ("mt-sics", {"repeat": "yes"}, "9600", "8N1", "likely"),
    ("sma", {"repeat": "yes"}, "19200", "8N1", "likely"),
    ("csv", {"maker": "nocomma"}, "2400", "7E1", "likely"),
    ("csv", {"maker": "cas"}, "9600", "8N1", "likely"),
    ("rice-lake", {}, "115200", "8N1", "likely"),
    ("rinstrum", {}, "57600", "8N1", "likely"),
    ("cardinal", {}, "600", "7E1", "likely"),
]


@pytest.mark.parametrize(
    ("name", "options", "baud", "framing", "sure"), ON_CABLES, ids=[f"{one[0]}-{one[2]}-{one[3]}" for one in ON_CABLES]
)
async def test_an_indicator_on_a_cable_is_named_with_its_settings(
    name: str, options: dict[str, str], baud: str, framing: str, *, sure: str
) -> None:
    async with indicator(name, options, link="pty", line=Line.parse(int(baud), framing)) as (wire, listening):
        status, found = await probed(wire.port_url)
    assert status == 0
    best = found["fits"][0]
    assert (best["protocol"], best["line"], best["confidence"]) == (name, f"{baud} {framing}", sure)
    assert {one["protocol"] for one in found["fits"]} == {name}
    assert "12340" in best["evidence"]
    assert listening.heard == b""


ASKED = [("xk3190-command", {}, bytes.fromhex("024142303303")), ("mt-sics", {}, b"SI\r\n"), ("sma", {}, b"\nW\r")]


@pytest.mark.parametrize(("name", "options", "question"), ASKED, ids=[one[0] for one in ASKED])
async def test_answers_to_another_master_are_named_over_a_socket(
    name: str, options: dict[str, str], question: bytes
) -> None:
    async with indicator(name, options, link="tcp") as (wire, listening):
        _, writer = await asyncio.open_connection("127.0.0.1", int(wire.port_url.rpartition(":")[2]))
        probing = asyncio.create_task(probed(wire.port_url))
        asked = 0
        while not probing.done():
            writer.write(question)
            asked += 1
            await asyncio.sleep(0.1)
        status, found = await probing
        await until(lambda: len(listening.heard) >= asked * len(question))  # the last one is on its way
        writer.close()
    assert status == 0
    assert found["protocol"] == name
    assert found["fits"][0]["config"][:2] == ["[lanes.weighbridge]", f'protocol = "{name}"']
    assert len(listening.heard) == asked * len(question)  # the probe sent nothing


async def test_the_lines_it_prints_read_the_indicator() -> None:
    async with indicator("toledo-continuous", {}, link="pty", line=Line(4800, 7, "E")) as (wire, _):
        _, found = await probed(wire.port_url)
        best = found["fits"][0]
        words = [word for key, value in best["options"].items() for word in ("--option", f"{key}={value}")]
        status, lines, err = await gate(
            "read", best["protocol"], best["port"], "--count", "3", "--seconds", "8", *words
        )
        assert status == 0, err
        assert {json.loads(line).get("value") for line in lines if '"reading"' in line} == {"12340"}


class Talker(emulator.Emulator):
    """Sends the next piece of a text over and over; no indicator."""

    def __init__(self, pieces: list[bytes]) -> None:
        self.pieces = pieces
        self.at = 0

    def next_bytes(self, _felt_kg: float) -> bytes:
        self.at += 1
        return self.pieces[self.at % len(self.pieces)]


async def test_a_satellite_receiver_is_unknown() -> None:
    sentence = b"$GPGGA,123519,4807.038,N,01131.000,E,1,08,0.9,545.4,M,46.9,M,,*47\r\n"
    async with WireWeighbridge(Talker([sentence]), lambda: 0.0, link="pty", line=Line(4800)) as wire:
        status, found = await probed(wire.port_url, 6.0)
        assert (status, found["protocol"], found["fits"]) == (1, "unknown", [])
        assert found["heard_bytes"]["4800 8N1"] > 0
        _, lines, _ = await gate("probe", wire.port_url, "--seconds", "6")
        assert lines[0].startswith("unknown")
        assert lines[1].strip().startswith("4800 8N1: 100% printable")
        assert "M,46.9,M" in lines[1]


async def test_silence_is_told_as_such() -> None:
    async with WireWeighbridge(Talker([b""]), lambda: 0.0, link="pty") as wire:
        status, lines, _ = await gate("probe", wire.port_url, "--seconds", "2")
    assert status == 1
    assert "nothing was heard" in lines[0]


async def test_a_port_that_is_not_there_is_told_in_one_line() -> None:
    status, lines, err = await gate("probe", "/dev/no-such-port")
    assert (status, lines) == (1, [])
    assert "cannot be opened" in err
