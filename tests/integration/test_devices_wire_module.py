"""The I/O module driver against the yard's wire module, which shares no code with it: every fault by name, and back."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from devices.signals.lane_io import LaneIo
from devices.signals.lights import IoSignals
from devices.signals.module import IoModule, ModuleSettings
from devices.simulator.wago import MASK, TIME, TRIGGER, WagoModule
from devices.simulator.wire_io import WireModule
from gate_service.clock import RealClock
from gate_service.domain.reading import Aspect, Presence, Side
from tests.fakes.held_port import HeldPort
from tests.fakes.lane_devices import KeepingSink, believed, missed_until_told, until, wiring

CLOCK = RealClock()
WATCHDOG_S = 1.0
AT_ONCE = 1  # look at the inputs that may have been answered just before
WITHIN_A_SECOND = 50 + AT_ONCE  # looks, one every 20 ms


def commissioned() -> WagoModule:
    """A coupler whose watchdog is set to one second for every function."""
    module = WagoModule(lambda: [number == 10 for number in range(16)], lambda *_: None)
    for register, value in ((TIME, int(WATCHDOG_S * 10)), (MASK, 0xFFFF), (TRIGGER, 1)):
        assert module.watchdog.write(register, value, CLOCK.monotonic_s())
    return module


@asynccontextmanager
async def lane_on(wire: WireModule, timeout_s: float = 30.0) -> AsyncIterator[tuple[LaneIo, KeepingSink]]:
    module = IoModule(ModuleSettings("io-1", wire.url, "wago-750", poll_ms=20, timeout_s=timeout_s), CLOCK)
    sink = KeepingSink()
    lane_io = LaneIo(module, wiring(), sink)
    async with module:
        await until(lambda: sink.inputs and sink.latest.unknown_because is None)
        yield lane_io, sink


async def test_a_commissioned_coupler_is_confirmed_and_one_as_delivered_is_not() -> None:
    async with WireModule(commissioned()) as wire, lane_on(wire) as (_, sink):
        assert sink.health[-1].is_safe_state_confirmed is True
    delivered = WagoModule(lambda: [True] * 16, lambda *_: None)
    async with WireModule(delivered) as wire, lane_on(wire) as (_, sink):
        assert sink.health[-1].is_safe_state_confirmed is False


@pytest.mark.parametrize("fault", ["cut", "silence", "slow", "short_answer", "zeros", "out_of_step", "wrong_unit"])
async def test_a_fault_makes_every_input_unknown_and_its_end_known_again(fault: str) -> None:
    with HeldPort() as held:
        await _unknown_and_known_again(fault, held.number)


async def _unknown_and_known_again(fault: str, port: int) -> None:
    async with WireModule(commissioned(), port=port) as wire, lane_on(wire, 0.3) as (_, sink):
        looks, told, before = len(sink.inputs), len(sink.health), sink.health[-1].rejects
        await wire.switch(fault, on=True)
        await until(lambda: sink.latest.unknown_because)
        assert believed(sink.inputs[looks:]) <= AT_ONCE
        assert missed_until_told(sink.health[told:], before) <= 1  # none where the connection went between two
        assert set(sink.latest.detectors.values()) == {Presence.UNKNOWN}
        assert sink.health[-1].fault
        await wire.switch(fault, on=False)
        await until(lambda: sink.latest.unknown_because is None)
        assert sink.health[-1].fault is None


async def test_a_watchdog_that_ran_out_is_restarted_with_all_commands_off() -> None:
    async with WireModule(commissioned()) as wire, lane_on(wire) as (lane_io, sink):
        await IoSignals(lane_io).show({Side.ENTRY: Aspect.GREEN, Side.EXIT: Aspect.RED})
        await wire.switch("cut", on=True)
        await until(lambda: not any(wire.module.outputs))
        await wire.switch("cut", on=False)
        await until(lambda: sink.latest.unknown_because is None)
        assert [number for number, is_on in enumerate(wire.module.outputs) if is_on] == [4, 6]
        assert sink.health[-1].is_safe_state_confirmed is True


async def test_another_master_is_noticed_within_a_second() -> None:
    async with WireModule(commissioned()) as wire, lane_on(wire) as (_, sink):
        looks = len(sink.inputs)
        await wire.switch("foreign_write", on=True)
        await until(lambda: "output 5" in (sink.health[-1].fault or ""))
        assert believed(sink.inputs[looks:]) <= WITHIN_A_SECOND
