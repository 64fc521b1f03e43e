"""Outputs over a real link: who else writes them, what ends when we fall silent, and what the board says of itself."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

import pytest

from devices.barrier.barrier import BarrierSettings, IoBarrier
from devices.signals import module as module_of
from devices.signals.lane_io import LaneIo, LightWiring
from devices.signals.lights import IoSignals
from devices.signals.module import IoModule, ModuleSettings
from gate_service.clock import RealClock
from gate_service.domain.reading import Aspect, Side
from tests.fakes.lane_devices import KeepingSink, until, wiring
from tests.integration.peers.scripted_modbus import ScriptedPeer, mbap, right_pdu

CLOCK = RealClock()
SHOW_GREEN = {Side.ENTRY: Aspect.GREEN, Side.EXIT: Aspect.RED}


@dataclass
class Lane:
    module: IoModule
    io: LaneIo
    sink: KeepingSink


@asynccontextmanager
async def lane_on(peer: ScriptedPeer, profile: str = "wago-750", **changes: object) -> AsyncIterator[Lane]:
    module, sink = IoModule(ModuleSettings("io-1", peer.url, profile, poll_ms=20, timeout_s=30.0), CLOCK), KeepingSink()
    io = LaneIo(module, wiring(1.0, **changes), sink)
    async with module:
        await until(lambda: sink.inputs and sink.latest.unknown_because is None)
        yield Lane(module, io, sink)


@pytest.fixture
async def peer() -> AsyncIterator[ScriptedPeer]:
    async with ScriptedPeer() as peer:
        peer.inputs[10] = True
        yield peer


async def test_a_foreign_write_is_undone_and_no_input_is_acted_on_while_it_lasts(
    peer: ScriptedPeer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module_of, "OUTPUT_FAULT_HOLD_S", 3.0)
    async with lane_on(peer) as lane:
        await IoSignals(lane.io).show(SHOW_GREEN)
        peer.outputs[2] = True
        await until(lambda: lane.sink.latest.unknown_because)
        assert lane.sink.health[-1].is_tampered
        assert "output 2: off was written and confirmed, on found" in (lane.sink.latest.unknown_because or "")
        assert lane.sink.latest.booms  # what is seen is still shown
        await until(lambda: not peer.outputs[2] and not peer.outputs[5] and peer.outputs[4])
        assert lane.sink.latest.unknown_because
        await until(lambda: lane.sink.latest.unknown_because is None)
        assert not lane.sink.health[-1].is_tampered
        assert lane.sink.health[-1].fault is None


async def test_a_second_write_renews_the_alarm(peer: ScriptedPeer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module_of, "OUTPUT_FAULT_HOLD_S", 30.0)
    async with lane_on(peer) as lane:
        ends_s = []
        for _ in range(2):
            peer.outputs[0] = True
            await until(lambda: not peer.outputs[0])
            ends_s.append(lane.module._output_fault_until_s)
        assert ends_s[0] < ends_s[1]
        assert lane.sink.latest.unknown_because
        assert lane.module.snapshot()["rejects"] == {"foreign_write": 2}


async def test_outputs_that_all_fell_are_a_module_that_restarted_and_no_alarm(peer: ScriptedPeer) -> None:
    async with lane_on(peer) as lane:
        assert [number for number, is_on in enumerate(peer.outputs) if is_on] == [4, 6]
        peer.outputs[:] = [False] * 16
        await until(lambda: lane.sink.health[-1].fault)
        assert not lane.sink.health[-1].is_tampered
        await until(lambda: peer.outputs[4] and peer.outputs[6])
        assert lane.module.snapshot()["rejects"] == {"outputs_fell": 1}


async def test_a_watchdog_switched_off_while_we_run_is_noticed(
    peer: ScriptedPeer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module_of, "SAFE_STATE_S", 0.3)
    async with lane_on(peer) as lane:
        assert lane.sink.health[-1].is_safe_state_confirmed is True
        peer.registers[0x1000] = 0
        await until(lambda: lane.sink.health[-1].is_safe_state_confirmed is False)
        assert "watchdog time" in lane.module.snapshot()["unsafe_because"]
        assert lane.sink.latest.unknown_because is None


class TimingBoard:
    """A board that switches an output on for a time by itself (function 5 at 0x0200 + n, in tenths of a second)."""

    def __init__(self, peer: ScriptedPeer, modes: dict[int, int] | None = None) -> None:
        self.peer = peer
        self.modes = modes or {}
        self.orders: list[tuple[int, int]] = []
        self._ends: dict[int, asyncio.TimerHandle] = {}
        peer.answer = self.answer

    async def answer(self, peer: ScriptedPeer, frame: bytes) -> bytes | None:
        address, value = int.from_bytes(frame[8:10], "big"), int.from_bytes(frame[10:12], "big")
        if frame[7] == 5 and address >= 0x0200:
            output = address - 0x0200
            self.orders.append((output, value))
            peer.outputs[output] = True
            if output in self._ends:
                self._ends[output].cancel()
            loop = asyncio.get_running_loop()
            self._ends[output] = loop.call_later(value / 10, peer.outputs.__setitem__, output, False)
            return mbap(frame, frame[7:12])
        if frame[7] == 5 and address in self._ends:
            self._ends.pop(address).cancel()
        if frame[7] == 1:
            number = sum(bit << place for place, bit in enumerate(peer.outputs[:value]))
            return mbap(frame, bytes([1, (value + 7) // 8]) + number.to_bytes((value + 7) // 8, "little"))
        if frame[7] == 3:
            return mbap(frame, bytes([3, 2]) + self.modes.get(address, 0).to_bytes(2, "big"))
        return mbap(frame, right_pdu(peer, frame))


LAMPS = {Side.ENTRY: LightWiring(4, 5), Side.EXIT: LightWiring(6, 7)}


async def test_green_is_a_lease_that_is_renewed_and_ends_by_the_board_when_we_are_gone(peer: ScriptedPeer) -> None:
    board = TimingBoard(peer)
    async with lane_on(peer, "waveshare-io-8ch", lights=LAMPS) as lane:
        await IoSignals(lane.io).show(SHOW_GREEN)
        assert board.orders == [(5, 30)]
        assert not peer.outputs[4]
        await until(lambda: len(board.orders) >= 3)
        assert lane.sink.latest.unknown_because is None
        assert lane.module.is_known(5, is_on=True)
        peer.requests.clear()
        await peer.cut()  # nobody speaks to the board any more
        await until(lambda: not peer.outputs[5])
        await peer.restore()
        await until(lambda: lane.sink.latest.unknown_because is None)
        assert not peer.outputs[5]  # a lease never comes back by itself
        assert len(board.orders) >= 3


async def test_red_ends_a_green_lease_at_once_and_it_is_not_renewed(peer: ScriptedPeer) -> None:
    board = TimingBoard(peer)
    async with lane_on(peer, "waveshare-io-8ch", lights=LAMPS) as lane:
        signals = IoSignals(lane.io)
        await signals.show(SHOW_GREEN)
        await signals.show({Side.ENTRY: Aspect.RED, Side.EXIT: Aspect.RED})
        assert (peer.outputs[4], peer.outputs[5]) == (True, False)
        given = len(board.orders)
        await asyncio.sleep(1.3)
        assert len(board.orders) == given
        assert lane.sink.health[-1].fault is None


async def test_a_boom_is_held_open_by_leases_of_the_board_until_it_is_let_go(peer: ScriptedPeer) -> None:
    board = TimingBoard(peer)
    async with lane_on(peer, "waveshare-io-8ch", lights={}) as lane:
        barrier = IoBarrier(lane.io, Side.ENTRY, BarrierSettings(holds_open=True), CLOCK)
        peer.inputs[5] = True
        await barrier.hold_open()
        await until(lambda: len(board.orders) >= 3)
        assert set(board.orders) == {(0, 30)}
        await barrier.stop_boom()
        assert not peer.outputs[0]
        assert lane.sink.health[-1].fault is None


async def test_a_board_whose_inputs_drive_its_relays_has_no_safe_state(peer: ScriptedPeer) -> None:
    TimingBoard(peer, modes={0x1003: 1})
    async with lane_on(peer, "waveshare-io-8ch", lights={}) as lane:
        assert lane.sink.health[-1].is_safe_state_confirmed is False
        assert "0x1003" in lane.module.snapshot()["unsafe_because"]


async def test_a_board_that_says_nothing_of_its_safe_state_is_unknown(peer: ScriptedPeer) -> None:
    TimingBoard(peer)
    async with lane_on(peer, "waveshare-io-8ch", lights={}) as lane:
        assert lane.sink.health[-1].is_safe_state_confirmed is None
