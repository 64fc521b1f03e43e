"""The promises for a shared line at its real times: what a silent unit costs the others, and how soon it is back."""

from __future__ import annotations

import asyncio
from collections import Counter
from itertools import pairwise
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


def share_of_silent(asked: list[tuple[float, int]]) -> float:
    """How much of the line's time went from each question to the silent unit until somebody else was asked."""
    spent_s = sum(after[0] - at_s for (at_s, unit), after in pairwise(asked) if unit == SILENT)
    return spent_s / (asked[-1][0] - asked[0][0])


async def test_a_silent_unit_leaves_the_others_95_percent_and_is_back_within_15_seconds(tmp_path: Path) -> None:
    slave, silent, asked = Slave(), set[int](), list[tuple[float, int]]()

    def received(data: bytes) -> None:
        asked.append((CLOCK.monotonic_s(), data[0]))
        slave.received(data)

    slave.spoil = lambda answer: b"" if answer[0] in silent else answer
    heard: Counter[int] = Counter()
    with Cable(tmp_path / "port", received) as cable:
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
                began = len(asked)
                beside = await others_per_s(BESIDE_S)
                taken = share_of_silent(asked[began:])
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
    rates = f"{beside:.0f} answers of others a second beside it, {before:.0f} and {after:.0f} without"
    print(f"the silent unit took {taken:.3f} of the line's time; {rates}; back in {back_s:.1f} s")
    # The rates are the machine's as much as the line's; `gate bench devices` compares them.
    assert taken <= 1 - LEAST_SHARE
