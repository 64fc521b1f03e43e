"""The promises for a shared line at its real times: what a silent unit costs the others, and how soon it is back."""

from __future__ import annotations

import asyncio
from collections import Counter
from pathlib import Path

import pytest

from devices.links.address import parse_modbus
from devices.links.modbus import ModbusBus
from gate_service.clock import RealClock
from gate_service.domain.errors import LinkLostError
from tests.fakes.lane_devices import until
from tests.integration.peers.terminal import Cable
from tests.integration.test_devices_rtu import Slave

pytestmark = pytest.mark.soak

CLOCK = RealClock()
UNITS = (1, 2, 3, 4)
SILENT = 4
LEAST_SHARE = 0.95
BACK_S = 15.0
ALONE_S = 15.0
BESIDE_S = 45.0  # four questions to the silent unit and more


async def test_a_silent_unit_leaves_the_others_95_percent_and_is_back_within_15_seconds(tmp_path: Path) -> None:
    slave, silent = Slave(), set[int]()
    slave.spoil = lambda answer: b"" if answer[0] in silent else answer
    heard: Counter[int] = Counter()
    with Cable(tmp_path / "port", slave.received) as cable:
        slave.cable = cable
        url = f"modbus-rtu://{cable.path}/1?baud=115200"
        async with ModbusBus(parse_modbus(url), CLOCK, lock_directory=tmp_path) as bus:
            await until(lambda: bus.fault is None)

            async def poll(number: int) -> None:
                while True:
                    try:
                        await bus.unit(number).read_bits(number, 8, are_coils=False)
                        heard[number] += 1
                    except LinkLostError:
                        await asyncio.sleep(0.05)

            async def others_per_s(seconds: float) -> float:
                before, began_s = heard.total() - heard[SILENT], CLOCK.monotonic_s()
                await asyncio.sleep(seconds)
                return (heard.total() - heard[SILENT] - before) / (CLOCK.monotonic_s() - began_s)

            polls = [asyncio.create_task(poll(number)) for number in UNITS[:-1]]
            bus.unit(SILENT)  # it is configured, nobody asks it yet: the others alone
            try:
                before = await others_per_s(ALONE_S)
                silent.add(SILENT)
                polls.append(asyncio.create_task(poll(SILENT)))
                await until(lambda: bus.unit(SILENT).rejects["timeout"] >= 2)
                beside = await others_per_s(BESIDE_S)
                silent.clear()
                began_s, had = CLOCK.monotonic_s(), heard[SILENT]
                await until(lambda: heard[SILENT] > had, BACK_S)
                back_s = CLOCK.monotonic_s() - began_s
                polls.pop().cancel()
                after = await others_per_s(ALONE_S)
            finally:
                for task in polls:
                    task.cancel()
                await asyncio.gather(*polls, return_exceptions=True)
    share = beside / ((before + after) / 2)
    print(
        f"others keep {share:.3f} of their rate ({beside:.0f} of {before:.0f} and {after:.0f}); back in {back_s:.1f} s"
    )
    assert share >= LEAST_SHARE
