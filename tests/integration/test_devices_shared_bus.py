"""Several units on one bus: a silent one is asked apart, and the others keep their rate and their inputs."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from devices.links.address import parse_modbus
from devices.links.modbus import ModbusBus
from gate_service.clock import RealClock
from gate_service.domain.errors import LinkLostError
from tests.fakes.lane_devices import until
from tests.integration.peers.scripted_modbus import ScriptedPeer, mbap, right_pdu, well_behaved
from tests.integration.peers.terminal import Cable
from tests.integration.test_devices_rtu import Slave

CLOCK = RealClock()


async def test_a_silent_unit_costs_the_others_a_twentieth_and_is_back_when_it_speaks_again(tmp_path: Path) -> None:
    slave, silent = Slave(), {2}
    slave.spoil = lambda answer: b"" if answer[0] in silent else answer
    with Cable(tmp_path / "port", slave.received) as cable:
        slave.cable = cable
        address = parse_modbus(f"modbus-rtu://{cable.path}/1?baud=115200")
        async with ModbusBus(address, CLOCK, timeout_s=0.05, quiet_s=0.05, lock_directory=tmp_path) as bus:
            await until(lambda: bus.fault is None)
            heard = {1: 0, 2: 0}

            async def poll(number: int) -> None:
                while True:
                    try:
                        await bus.unit(number).read_bits(number, 8, are_coils=False)
                        heard[number] += 1
                    except LinkLostError:
                        await asyncio.sleep(0.01)

            polls = [asyncio.create_task(poll(number)) for number in (1, 2)]
            try:
                await until(lambda: bus.unit(2).rejects["timeout"] >= 2)
                asked, began_s = len(slave.requests), CLOCK.monotonic_s()
                await asyncio.sleep(2.5)
                await until(lambda: any(frame[0] == 2 for frame in slave.requests[asked:]))
                took_s = CLOCK.monotonic_s() - began_s
                probes = sum(frame[0] == 2 for frame in slave.requests[asked:])
                assert probes * 0.1 <= 0.05 * took_s + 0.1  # time-out and quiet each time
                assert heard[2] == 0 < heard[1]
                silent.clear()
                asked = len(slave.requests)
                await until(lambda: heard[2] > 0)  # the wait is 19 times the cost of a question
                probes = sum(frame[0] == 2 for frame in slave.requests[asked:])
                assert probes <= 2  # heard with the first; its answer may be late on a busy machine
            finally:
                for task in polls:
                    task.cancel()
                await asyncio.gather(*polls, return_exceptions=True)


async def read_over_tcp(bus: ModbusBus, unit: int) -> tuple[bool, ...]:
    return await bus.unit(unit).read_bits(0, 8, are_coils=False)


async def test_a_unit_silent_behind_a_gateway_leaves_the_connection_to_the_others() -> None:
    async def only_unit_1(peer: ScriptedPeer, frame: bytes) -> bytes:
        return mbap(frame, right_pdu(peer, frame)) if frame[6] == 1 else b""

    async with ScriptedPeer() as peer, ModbusBus(parse_modbus(peer.url), CLOCK, timeout_s=1.0) as bus:
        await until(lambda: bus.fault is None)
        await read_over_tcp(bus, 1)
        peer.answer = only_unit_1
        for _ in range(2):
            with pytest.raises(LinkLostError, match="no answer"):
                await read_over_tcp(bus, 2)
            await read_over_tcp(bus, 1)
        with pytest.raises(LinkLostError, match="asked again in"):
            await read_over_tcp(bus, 2)
        assert bus.connection == 1


async def test_a_late_answer_behind_a_gateway_is_not_taken_for_the_next_question() -> None:
    async def late_from_unit_2(peer: ScriptedPeer, frame: bytes) -> bytes:
        if frame[6] == 2:
            await asyncio.sleep(1.1)  # past the time-out, within the quiet after it
        return mbap(frame, right_pdu(peer, frame))

    async with ScriptedPeer() as peer, ModbusBus(parse_modbus(peer.url), CLOCK, timeout_s=1.0) as bus:
        await until(lambda: bus.fault is None)
        await read_over_tcp(bus, 1)
        peer.answer = late_from_unit_2
        with pytest.raises(LinkLostError):
            await read_over_tcp(bus, 2)
        peer.inputs[0] = True
        peer.answer = well_behaved
        assert (await read_over_tcp(bus, 1))[0] is True
        assert bus.connection == 1


async def test_a_gateway_that_cannot_reach_a_unit_has_a_silent_unit() -> None:
    async def target_failed(peer: ScriptedPeer, frame: bytes) -> bytes:
        return mbap(frame, bytes([frame[7] | 0x80, 11])) if frame[6] == 2 else mbap(frame, right_pdu(peer, frame))

    async with ScriptedPeer() as peer, ModbusBus(parse_modbus(peer.url), CLOCK, timeout_s=1.0) as bus:
        await until(lambda: bus.fault is None)
        await read_over_tcp(bus, 1)
        peer.answer = target_failed
        for _ in range(2):
            with pytest.raises(LinkLostError, match="cannot reach"):
                await read_over_tcp(bus, 2)
        with pytest.raises(LinkLostError, match="asked again in"):
            await read_over_tcp(bus, 2)
        assert bus.unit(2).last_good_monotonic_s is None
