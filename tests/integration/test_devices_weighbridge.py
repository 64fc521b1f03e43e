"""The weighbridge driver on real ports: every frame a reading, silence and garbage never a weight."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from itertools import pairwise
from pathlib import Path

import pytest

from devices.links import serial
from devices.weighbridge.driver import WeighbridgeDriver
from devices.weighbridge.settings import WeighbridgeSettings
from gate_service.clock import RealClock
from gate_service.domain.errors import InputError
from gate_service.domain.mass import Mass
from gate_service.domain.reading import Reading, StabilityFrom, WeightStatus
from tests.fakes.held_port import HeldPort
from tests.fakes.lane_devices import KeepingSink, until
from tests.integration.peers.terminal import Cable

CLOCK = RealClock()
STALE_NEVER_S = 60.0  # longer than any test waits: no data then comes of the lost link alone
LONGEST_GAP_S = 0.5  # a longer one begins the second of a steady weight anew
STEADY_WITHIN_S = 2.0  # five readings, a gap between each


def frame(digits: str, sign: str = "+", decimals: int = 0) -> bytes:
    covered = f"{sign}{digits}{decimals}".encode()
    check = 0
    for byte in covered:
        check ^= byte
    return b"\x02" + covered + f"{check:02X}".encode() + b"\x03"


@asynccontextmanager
async def weighing(port: str, **changes: object) -> AsyncIterator[tuple[WeighbridgeDriver, KeepingSink]]:
    sink = KeepingSink()
    settings = WeighbridgeSettings(name="wb-1", protocol="xk3190-continuous", port=port, **changes)  # type: ignore[arg-type]
    async with WeighbridgeDriver(settings, CLOCK, sink) as driver:
        yield driver, sink


@asynccontextmanager
async def on_cable(path: Path, **changes: object) -> AsyncIterator[tuple[Cable, WeighbridgeDriver, KeepingSink]]:
    with Cable(path / "port") as cable:
        async with weighing(str(cable.path), **changes) as (driver, sink):
            await until(lambda: driver.health().fault == "no valid frame yet")
            yield cable, driver, sink


def steady_s(readings: list[Reading]) -> float:
    """For how long the newest readings came without a gap, by their own stamps: a busy machine does not count."""
    stamps_s = [reading.taken_monotonic_s for reading in readings]
    gaps = [number for number, (one, next_) in enumerate(pairwise(stamps_s), 1) if next_ - one > LONGEST_GAP_S]
    return stamps_s[-1] - stamps_s[gaps[-1] if gaps else 0]


async def first_stable(cable: Cable, sink: KeepingSink, sent: bytes) -> int:
    """Send this again and again until a reading is stable; which one. Those before it were steady for less long."""
    async with asyncio.timeout(60):
        while True:
            cable.write(sent)
            await asyncio.sleep(0.05)
            for number, reading in enumerate(sink.readings):
                if reading.is_stable:
                    return number
                assert steady_s(sink.readings[: number + 1]) < STEADY_WITHIN_S


async def test_every_frame_of_a_chunk_becomes_a_reading(tmp_path: Path) -> None:
    async with on_cable(tmp_path) as (cable, _, sink):
        cable.write(frame("031200") + frame("031220") + frame("031240"))
        await until(lambda: len(sink.readings) == 3)
        assert [reading.value for reading in sink.readings] == [Mass.from_kg(kg) for kg in (31200, 31220, 31240)]
        first = sink.readings[0]
        assert (first.status, first.is_stable, first.displayed) == (WeightStatus.OK, None, "31200 kg")
        assert first.stability_from is StabilityFrom.COMPUTED
        assert first.raw == frame("031200")
        assert sink.health[-1].fault is None


async def test_a_frame_split_over_reads_is_one_reading(tmp_path: Path) -> None:
    async with on_cable(tmp_path) as (cable, _, sink):
        for byte in frame("000020"):
            cable.write(bytes([byte]))
            await asyncio.sleep(0.002)
        await until(lambda: len(sink.readings) == 1)


async def test_the_unit_of_the_settings_is_used_where_the_frame_names_none(tmp_path: Path) -> None:
    async with on_cable(tmp_path, unit="t", interval=Mass.from_kg(20)) as (cable, _, sink):
        cable.write(frame("002006", decimals=2))
        await until(lambda: sink.readings)
        assert sink.readings[0].value == Mass.from_kg(20060)
        assert sink.readings[0].displayed == "20.06 t"


async def test_garbage_is_counted_and_harmless(tmp_path: Path) -> None:
    async with on_cable(tmp_path) as (cable, driver, sink):
        damaged = bytearray(frame("031200"))
        damaged[4] ^= 1
        cable.write(b"\x00\x7f" + bytes(damaged) + b"junk" + frame("031200"))
        await until(lambda: sink.readings)
        assert [reading.value for reading in sink.readings] == [Mass.from_kg(31200)]
        rejects = driver.snapshot()["rejects"]
        assert rejects["checksum"] == 1
        assert rejects["noise"] >= 1
        assert driver.snapshot()["last_received"].endswith(frame("031200").hex(" "))


async def test_a_steady_weight_becomes_stable_after_a_second_and_says_it_was_computed(tmp_path: Path) -> None:
    async with on_cable(tmp_path) as (cable, _, sink):
        first = await first_stable(cable, sink, frame("031200"))
        assert steady_s(sink.readings[: first + 1]) >= 1.0
        assert sink.readings[first].stability_from is StabilityFrom.COMPUTED


async def test_a_value_off_the_scale_interval_is_shown_flagged_and_never_stable(tmp_path: Path) -> None:
    async with on_cable(tmp_path) as (cable, _, sink):
        for _ in range(26):
            cable.write(frame("031210"))
            await asyncio.sleep(0.05)
        assert sink.readings[-1].value == Mass.from_kg(31210)
        assert {reading.is_stable for reading in sink.readings} == {False}
        await until(lambda: "multiple of d" in (sink.health[-1].fault or ""))
        cable.write(frame("031200"))
        await until(lambda: sink.health[-1].fault is None)


async def test_silence_becomes_no_data_once(tmp_path: Path) -> None:
    async with on_cable(tmp_path, stale_s=0.3) as (cable, _, sink):
        cable.write(frame("031200"))
        await until(lambda: len(sink.readings) == 2)
        assert sink.readings[-1].status is WeightStatus.NO_DATA
        assert sink.readings[-1].value is None
        assert "no valid frame for 0.3 s" in (sink.health[-1].fault or "")
        await asyncio.sleep(0.5)
        assert len(sink.readings) == 2
        cable.write(frame("031200"))
        await until(lambda: sink.readings[-1].status is WeightStatus.OK)
        assert sink.health[-1].fault is None


async def test_garbage_alone_is_no_data_too(tmp_path: Path) -> None:
    async with on_cable(tmp_path, stale_s=0.3) as (cable, _, sink):
        cable.write(frame("031200"))
        await until(lambda: sink.readings)
        async with asyncio.timeout(20):
            while sink.readings[-1].status is not WeightStatus.NO_DATA:
                cable.write(b"\x00garbage")
                await asyncio.sleep(0.05)


async def test_an_unplugged_port_is_no_data_at_once_and_works_again_when_plugged_in(tmp_path: Path) -> None:
    async with on_cable(tmp_path, stale_s=STALE_NEVER_S) as (cable, _, sink):
        cable.write(frame("031200") + frame("011200")[:7])
        await until(lambda: sink.readings)
        cable.unplug()
        await until(lambda: sink.readings[-1].status is WeightStatus.NO_DATA)
        assert str(cable.path) in (sink.health[-1].fault or "")
        cable.plug()
        await until(lambda: sink.health[-1].fault and "no valid frame" in sink.health[-1].fault)
        cable.write(frame("011200")[7:] + frame("000000"))  # halves from before and after the gap are no frame
        await until(lambda: sink.readings[-1].value == Mass(0))
        assert Mass.from_kg(11200) not in [reading.value for reading in sink.readings]
        assert sink.readings[-1].is_stable is None


async def test_a_port_has_one_owner(tmp_path: Path) -> None:
    async with on_cable(tmp_path) as (cable, _, _), weighing(str(cable.path)) as (second, _):
        await until(lambda: "cannot be opened" in (second.health().fault or ""))


async def test_a_serial_server_that_goes_away_and_returns_is_used_again() -> None:
    writers: list[asyncio.StreamWriter] = []

    async def accept(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writers.append(writer)

    with HeldPort() as held:
        server = await asyncio.start_server(accept, "127.0.0.1", held.number)
        async with weighing(f"socket://127.0.0.1:{held.number}", stale_s=STALE_NEVER_S) as (_, sink):
            await until(lambda: writers)
            writers[0].write(frame("031200"))
            await until(lambda: sink.readings)
            server.close()
            writers.pop().transport.abort()
            await until(lambda: sink.readings[-1].status is WeightStatus.NO_DATA)
            server = await asyncio.start_server(accept, "127.0.0.1", held.number)
            await until(lambda: writers)
            writers[0].write(frame("000020"))
            await until(lambda: sink.readings[-1].value == Mass.from_kg(20))
            writers[0].transport.abort()
            server.close()


async def test_a_silent_serial_server_is_connected_anew() -> None:
    connections: list[asyncio.StreamWriter] = []

    async def accept(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        connections.append(writer)

    server = await asyncio.start_server(accept, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    faults: list[str | None] = []
    link = serial.SerialLink(
        f"socket://127.0.0.1:{port}", CLOCK, on_bytes=lambda *_: None, on_fault=faults.append, silent_socket_s=0.3
    )
    async with link:
        await until(lambda: len(connections) >= 2)
    assert any("no byte for 0.3 s" in (fault or "") for fault in faults)
    for writer in connections:
        writer.close()
    server.close()


async def test_a_frame_reaches_the_sink_without_waiting_for_the_read_time_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(serial, "READ_TIMEOUT_S", 2.0)
    async with on_cable(tmp_path) as (cable, _, sink), asyncio.timeout(20):
        for _ in range(30):  # a minute, if each waited
            sink.weighed.clear()
            cable.write(frame("031200"))
            await sink.weighed.wait()


def test_settings_that_cannot_work_are_refused_at_construction() -> None:
    with pytest.raises(InputError):
        WeighbridgeDriver(WeighbridgeSettings("wb-1", "no-such", "/dev/ttyS99"), CLOCK, KeepingSink())
    with pytest.raises(InputError):
        WeighbridgeDriver(WeighbridgeSettings("wb-1", "xk3190-continuous", "?baud=1"), CLOCK, KeepingSink())


def a12(text: str) -> bytes:
    return text.encode() + b"\r\n"


@asynccontextmanager
async def speaking(
    path: Path, protocol: str, options: dict[str, str], answer: bytes = b"", **changes: object
) -> AsyncIterator[tuple[Cable, WeighbridgeDriver, KeepingSink, list[bytes]]]:
    """An indicator that answers each question with the same bytes; `heard` keeps the questions."""
    heard: list[bytes] = []

    def hear(question: bytes) -> None:
        heard.append(question)
        if answer:
            cable.write(answer)

    sink = KeepingSink()
    with Cable(path / "port", hear) as cable:
        settings = WeighbridgeSettings("wb-1", protocol, str(cable.path), options=options, **changes)  # type: ignore[arg-type]
        async with WeighbridgeDriver(settings, CLOCK, sink) as driver:
            await until(lambda: "not connected" not in (driver.health().fault or ""))
            yield cable, driver, sink, heard


async def test_tare_lines_between_the_weights_do_not_unsettle_them(tmp_path: Path) -> None:
    async with speaking(tmp_path, "xk3190-a12", {}) as (cable, driver, sink, _):
        await first_stable(cable, sink, a12("ww0031200kg") + a12("wt000.000kg") * 4)
        assert driver.snapshot()["rejects"].keys() == {"tare"}


async def test_a_polled_indicator_is_asked_for_the_gross_weight_only(tmp_path: Path) -> None:
    covered = b"AB+0312000"
    check = 0
    for byte in covered:
        check ^= byte
    answer = b"\x02" + covered + f"{check:02X}".encode() + b"\x03"
    options = {"address": "A", "poll": "gross"}
    async with speaking(tmp_path, "xk3190-command", options, answer) as (_, driver, sink, heard):
        await until(lambda: sink.readings and sink.readings[-1].is_stable)
        assert set(heard) == {b"\x02AB03\x03"}
        assert sink.readings[-1].value == Mass.from_kg(31200)
        assert driver.health().fault is None


async def test_an_answer_without_line_end_is_taken_when_the_line_is_quiet(tmp_path: Path) -> None:
    async with speaking(tmp_path, "csv", {"poll": "RW"}, b"ST,GS,+0031200kg") as (_, _, sink, heard):
        await until(lambda: len(sink.readings) >= 2)
        assert set(heard) == {b"RW\r\n"}
        assert {reading.displayed for reading in sink.readings} == {"31200 kg"}


async def test_nothing_is_sent_to_an_indicator_that_is_not_polled(tmp_path: Path) -> None:
    async with speaking(tmp_path, "mt-sics", {}) as (cable, _, sink, heard):
        cable.write(b"S S      31200 kg\r\n")
        await until(lambda: sink.readings)
        await asyncio.sleep(0.4)
        assert heard == []


async def test_a_unit_other_than_configured_is_shown_and_never_stable(tmp_path: Path) -> None:
    async with speaking(tmp_path, "mt-sics", {}, interval=Mass(0)) as (cable, driver, sink, _):
        cable.write(b"S S      31200 lb\r\n")
        await until(lambda: sink.readings)
        assert sink.readings[0].is_stable is False
        assert sink.readings[0].displayed == "31200 lb"
        assert "unit kg is configured, the indicator shows lb" in (driver.health().fault or "")
        assert driver.snapshot()["rejects"] == {"unit_configured": 1}


async def test_decimals_other_than_configured_are_never_stable(tmp_path: Path) -> None:
    async with on_cable(tmp_path, decimals=0) as (cable, driver, sink):
        for _ in range(26):
            cable.write(frame("031200", decimals=1))
            await asyncio.sleep(0.05)
        await until(lambda: sink.readings)
        assert {reading.is_stable for reading in sink.readings} == {False}
        assert "0 decimals are configured, the indicator shows 3120.0" in (driver.health().fault or "")


async def test_the_alibi_number_stays_with_its_weight_and_goes_with_it(tmp_path: Path) -> None:
    async with speaking(tmp_path, "csv", {}) as (cable, _, sink, _):
        cable.write(b"PIDST,1,   31200kg,       0kg,00012-000345\r\nST,GS,   31200,kg\r\nST,GS,       0,kg\r\n")
        await until(lambda: len(sink.readings) == 3)
        assert [reading.alibi_id for reading in sink.readings] == ["00012-000345", "00012-000345", None]


async def test_parity_that_a_converter_leaves_in_the_eighth_bit_is_taken_off(tmp_path: Path) -> None:
    with_parity = bytes(byte | (byte.bit_count() & 1) << 7 for byte in frame("031200"))
    async with on_cable(tmp_path) as (cable, _, sink):
        cable.write(with_parity)
        await asyncio.sleep(0.2)
        assert sink.readings == []
    with Cable(tmp_path / "seven") as cable:
        async with weighing(f"{cable.path}?bytesize=7&parity=E") as (driver, sink):
            await until(lambda: driver.health().fault == "no valid frame yet")
            cable.write(with_parity)
            await until(lambda: sink.readings)
