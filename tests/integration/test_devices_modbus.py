"""The Modbus link and the I/O module against a peer that misbehaves on purpose."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

import pytest

from devices.barrier.barrier import BarrierSettings, IoBarrier
from devices.links.address import parse_modbus
from devices.links.modbus import ModbusBus
from devices.links.order import Order
from devices.signals.lane_io import LaneIo
from devices.signals.lights import IoSignals
from devices.signals.module import IoModule, ModuleSettings
from gate_service.clock import RealClock
from gate_service.domain.errors import EchoMismatchError, LinkLostError, NotConfirmedError, NotSentError
from gate_service.domain.reading import Aspect, BoomPosition, Detector, Presence, Side
from tests.fakes.lane_devices import KeepingSink, believed, missed_until_told, until, wiring
from tests.integration.peers.scripted_modbus import ScriptedPeer, mbap, right_pdu, silent, well_behaved

CLOCK = RealClock()
PATIENT_S = 30.0
AT_ONCE = 1  # look at the inputs that may have been answered just before
WITHIN_A_SECOND = 50 + AT_ONCE  # looks, one every 20 ms


@pytest.fixture
async def peer() -> AsyncIterator[ScriptedPeer]:
    async with ScriptedPeer() as peer:
        peer.inputs[10] = True
        yield peer


@pytest.fixture
async def bus(peer: ScriptedPeer) -> AsyncIterator[ModbusBus]:
    """Patient: what it raises, it raises for the answer it got."""
    async with ModbusBus(parse_modbus(peer.url), CLOCK, timeout_s=PATIENT_S) as bus:
        await until(lambda: bus.fault is None)
        yield bus


@pytest.fixture
async def hasty(peer: ScriptedPeer) -> AsyncIterator[ModbusBus]:
    """One whose time-out is waited for."""
    async with ModbusBus(parse_modbus(peer.url), CLOCK, timeout_s=0.5) as bus:
        await until(lambda: bus.fault is None)
        yield bus


@dataclass
class Lane:
    module: IoModule
    io: LaneIo
    sink: KeepingSink

    def barrier(self, side: Side = Side.ENTRY) -> IoBarrier:
        return IoBarrier(self.io, side, BarrierSettings(pulse_ms=100), CLOCK)


@asynccontextmanager
async def lane_on(peer: ScriptedPeer, travel_s: float = 10.0, timeout_s: float = PATIENT_S) -> AsyncIterator[Lane]:
    settings = ModuleSettings("io-1", peer.url, "wago-750", poll_ms=20, timeout_s=timeout_s)
    module, sink = IoModule(settings, CLOCK), KeepingSink()
    io = LaneIo(module, wiring(travel_s), sink)
    async with module, io:
        await until(lambda: sink.inputs and sink.latest.unknown_because is None)
        yield Lane(module, io, sink)


async def test_a_silent_peer_sees_one_frame_and_the_question_fails(peer: ScriptedPeer, hasty: ModbusBus) -> None:
    peer.answer = silent
    with pytest.raises(LinkLostError):
        await hasty.unit(1).write_coil(2, 0xFF00)
    await asyncio.sleep(1.1)  # twice the time-out and more: a hidden repeat would have come by now
    assert peer.writes() == [(2, 0xFF00)]
    assert hasty.unit(1).rejects == {"timeout": 1}


async def test_after_a_time_out_the_late_answer_is_never_taken(peer: ScriptedPeer, hasty: ModbusBus) -> None:
    is_given_up = asyncio.Event()

    async def late_once(peer: ScriptedPeer, frame: bytes) -> bytes:
        peer.answer = well_behaved
        pdu = right_pdu(peer, frame)
        peer.inputs[0] = True
        await is_given_up.wait()
        return mbap(frame, pdu)

    peer.answer = late_once
    with pytest.raises(LinkLostError):
        await hasty.unit(1).read_bits(0, 12, are_coils=False)
    is_given_up.set()
    await until(lambda: hasty.fault is None)
    assert (await hasty.unit(1).read_bits(0, 12, are_coils=False))[0] is True
    assert peer.connections == 2


@pytest.mark.parametrize(("address", "value"), [(3, 0xFF00), (2, 0x0000), (2, 0x1234)])
async def test_a_wrong_echo_is_no_confirmation(peer: ScriptedPeer, bus: ModbusBus, address: int, value: int) -> None:
    async def wrong_echo(_peer: ScriptedPeer, frame: bytes) -> bytes:
        return mbap(frame, bytes([5]) + address.to_bytes(2, "big") + value.to_bytes(2, "big"))

    peer.answer = wrong_echo
    with pytest.raises(EchoMismatchError, match=r"0x2 = 0xff00 expected"):
        await bus.unit(1).write_coil(2, 0xFF00)


async def test_an_answer_of_another_unit_is_not_taken(peer: ScriptedPeer, hasty: ModbusBus) -> None:
    async def other_unit(peer: ScriptedPeer, frame: bytes) -> bytes:
        return mbap(frame, right_pdu(peer, frame), unit=2)

    peer.answer = other_unit
    with pytest.raises(LinkLostError, match="no answer of this unit"):
        await hasty.unit(1).read_bits(0, 12, are_coils=False)


async def test_an_answer_without_its_transaction_number_is_out_of_step(peer: ScriptedPeer, bus: ModbusBus) -> None:
    async def no_number(peer: ScriptedPeer, frame: bytes) -> bytes:
        return mbap(frame, right_pdu(peer, frame), tid=0)

    peer.answer = no_number
    with pytest.raises(LinkLostError, match="transaction"):
        await bus.unit(1).read_bits(0, 12, are_coils=False)
    assert bus.unit(1).rejects == {"out_of_step": 1}


@pytest.mark.parametrize("pdu", [bytes([2, 1, 0]), bytes([2, 3, 0, 0, 0]), bytes([2, 1, 0, 0]), bytes([2, 2, 0])])
async def test_an_answer_of_the_wrong_length_is_not_taken(peer: ScriptedPeer, bus: ModbusBus, pdu: bytes) -> None:
    async def short(_peer: ScriptedPeer, frame: bytes) -> bytes:
        return mbap(frame, pdu)

    peer.answer = short
    with pytest.raises(LinkLostError, match=r"2 bytes for 12 bits expected"):
        await bus.unit(1).read_bits(0, 12, are_coils=False)
    assert bus.unit(1).rejects == {"short_answer": 1}


async def test_an_answer_of_another_function_is_out_of_step(peer: ScriptedPeer, bus: ModbusBus) -> None:
    async def other_function(_peer: ScriptedPeer, frame: bytes) -> bytes:
        return mbap(frame, bytes([1, 2, 0, 0]))

    peer.answer = other_function
    with pytest.raises(LinkLostError, match="function"):
        await bus.unit(1).read_bits(0, 12, are_coils=False)


async def test_a_cut_fails_the_question_under_way_at_once(peer: ScriptedPeer, bus: ModbusBus) -> None:
    peer.answer = silent
    question = asyncio.create_task(bus.unit(1).read_bits(0, 12, are_coils=False))
    await until(lambda: peer.requests)
    await peer.cut()
    async with asyncio.timeout(PATIENT_S / 2):  # not by its time-out
        with pytest.raises(LinkLostError):
            await question


async def test_a_command_that_waited_too_long_is_not_sent(peer: ScriptedPeer, bus: ModbusBus) -> None:
    with pytest.raises(NotConfirmedError):
        await bus.unit(1).write_coil(2, 0xFF00, order=Order(CLOCK.monotonic_s() - 0.001))
    assert peer.writes() == []


async def test_a_cancelled_question_leaves_no_answer_for_the_next(peer: ScriptedPeer, bus: ModbusBus) -> None:
    async def slow_once(peer: ScriptedPeer, frame: bytes) -> bytes:
        peer.answer = well_behaved
        await asyncio.sleep(0.1)
        return mbap(frame, bytes([2, 2, 0xFF, 0x0F]))

    peer.answer = slow_once
    question = asyncio.create_task(bus.unit(1).read_bits(0, 12, are_coils=False))
    await until(lambda: peer.requests)
    question.cancel()
    bits = await bus.unit(1).read_bits(0, 12, are_coils=False)
    assert [number for number, bit in enumerate(bits) if bit] == [10]


async def test_a_silent_module_is_unknown_at_once_and_again_known_without_a_restart(peer: ScriptedPeer) -> None:
    async with lane_on(peer, timeout_s=0.5) as lane:
        looks, told, before = len(lane.sink.inputs), len(lane.sink.health), lane.module.health().rejects
        peer.answer = silent
        await until(lambda: lane.sink.latest.unknown_because)
        assert believed(lane.sink.inputs[looks:]) <= AT_ONCE
        assert missed_until_told(lane.sink.health[told:], before) == 1
        unknown = lane.sink.latest
        assert set(unknown.detectors.values()) == {Presence.UNKNOWN}
        assert set(unknown.booms.values()) == {BoomPosition.UNKNOWN}
        assert unknown.fire is None
        assert lane.sink.health[-1].fault is not None
        peer.answer = well_behaved
        await until(lambda: lane.sink.latest.unknown_because is None)
        assert lane.sink.health[-1].fault is None


async def test_a_cut_module_is_unknown_and_its_outputs_are_safe_before_it_is_believed_again(peer: ScriptedPeer) -> None:
    async with lane_on(peer) as lane:
        await IoSignals(lane.io).show({Side.ENTRY: Aspect.GREEN, Side.EXIT: Aspect.RED})
        assert peer.outputs[5]
        looks = len(lane.sink.inputs)
        await peer.cut()
        await until(lambda: lane.sink.latest.unknown_because)
        assert believed(lane.sink.inputs[looks:]) <= AT_ONCE
        with pytest.raises(LinkLostError):
            await lane.barrier().raise_boom()
        peer.requests.clear()
        await peer.restore()
        await until(lambda: lane.sink.latest.unknown_because is None)
        assert not peer.outputs[5]
        assert peer.outputs[4]
        assert (0, 0xFF00) not in peer.writes()  # the raise asked for during the cut is not done after it
        first_poll = next(place for place, frame in enumerate(peer.requests) if frame[7] == 2)
        assert {frame[7] for frame in peer.requests[:first_poll]} == {5, 3}


async def test_lost_24_v_makes_every_input_unknown(peer: ScriptedPeer) -> None:
    async with lane_on(peer) as lane:
        looks = len(lane.sink.inputs)
        peer.inputs[10] = False
        await until(lambda: lane.sink.latest.unknown_because)
        assert believed(lane.sink.inputs[looks:]) <= AT_ONCE
        assert lane.sink.latest.detectors[Detector.EXIT_LOOP] is Presence.UNKNOWN
        assert "24 V" in (lane.sink.health[-1].fault or "")


async def test_all_inputs_come_in_one_request(peer: ScriptedPeer) -> None:
    async with lane_on(peer) as lane:
        reads = [frame for frame in peer.requests if frame[7] == 2]
        assert {frame[8:12] for frame in reads} == {bytes([0, 0, 0, 12])}
        assert lane.sink.latest.booms[Side.ENTRY] is BoomPosition.MOVING


async def test_a_foreign_write_is_noticed_within_a_second(peer: ScriptedPeer) -> None:
    async with lane_on(peer) as lane:
        assert lane.sink.health[-1].fault is None
        looks = len(lane.sink.inputs)
        peer.outputs[2] = True
        await until(lambda: lane.sink.health[-1].fault)
        assert believed(lane.sink.inputs[looks:]) <= WITHIN_A_SECOND
        assert "output 2" in (lane.sink.health[-1].fault or "")
        assert lane.module.snapshot()["rejects"] == {"foreign_write": 1}


@pytest.mark.parametrize(("registers", "is_confirmed"), [({}, True), ({0x1000: 0}, False), ({0x1006: 2}, False)])
async def test_the_safe_state_is_read_back_at_start(
    peer: ScriptedPeer, registers: dict[int, int], is_confirmed: bool
) -> None:
    peer.registers |= registers
    async with lane_on(peer) as lane:
        assert lane.sink.health[-1].is_safe_state_confirmed is is_confirmed


async def test_at_start_commands_go_off_and_lights_red(peer: ScriptedPeer) -> None:
    peer.outputs[0] = peer.outputs[1] = peer.outputs[5] = True
    async with lane_on(peer):
        assert [number for number, is_on in enumerate(peer.outputs) if is_on] == [4, 6]
    assert all(value == 0 or address in {4, 6} for address, value in peer.writes())


def moves(peer: ScriptedPeer, falls_s: float = 0.1) -> None:
    """Let the peer's entry boom move: on an output's rising edge its limit goes, and later the other one comes."""
    pending: list[asyncio.Task[None]] = []

    async def travel(limit: int) -> None:
        peer.inputs[5] = peer.inputs[6] = False
        await asyncio.sleep(0.1 if limit == 5 else falls_s)
        peer.inputs[limit] = True

    async def answer(peer: ScriptedPeer, frame: bytes) -> bytes | None:
        if frame[7] == 5 and frame[8:12] in {b"\x00\x00\xff\x00", b"\x00\x01\xff\x00"}:
            for task in pending:
                task.cancel()
            pending.append(asyncio.create_task(travel(5 if frame[9] == 0 else 6)))
        return await well_behaved(peer, frame)

    peer.inputs[6] = True
    peer.answer = answer


async def test_a_raise_is_one_pulse_and_confirmed_by_the_limit(peer: ScriptedPeer) -> None:
    moves(peer)
    async with lane_on(peer) as lane:
        barrier = lane.barrier()
        peer.requests.clear()
        await barrier.raise_boom()
        await barrier.raise_boom()
        assert barrier.position() is BoomPosition.UP
        assert peer.writes() == [(0, 0xFF00), (0, 0)]
        await barrier.lower_boom()
        assert barrier.position() is BoomPosition.DOWN
        assert peer.writes()[2:] == [(1, 0xFF00), (1, 0)]


async def test_a_raise_pre_empts_a_lowering_and_never_energises_both(peer: ScriptedPeer) -> None:
    moves(peer, falls_s=600.0)  # it is on its way still, whenever the raise comes
    async with lane_on(peer) as lane:
        barrier = lane.barrier()
        await barrier.raise_boom()
        peer.requests.clear()
        lowering = asyncio.create_task(barrier.lower_boom())
        await until(
            lambda: (1, 0xFF00) in peer.writes()
        )  # on for a tenth of a second, which nobody may be there to see
        await barrier.raise_boom()
        with pytest.raises(NotConfirmedError, match="pre-empted"):
            await lowering
        assert peer.writes() == [(1, 0xFF00), (1, 0), (0, 0xFF00), (0, 0)]
        assert barrier.position() is BoomPosition.UP


async def test_a_raise_is_the_very_next_frame_whatever_polls_wait(peer: ScriptedPeer) -> None:
    moves(peer)
    async with lane_on(peer) as lane:
        peer.requests.clear()
        polls = [asyncio.create_task(lane.module._points.read_inputs(12)) for _ in range(5)]
        raising = asyncio.create_task(lane.barrier().raise_boom())
        await raising
        await asyncio.gather(*polls)
        place = [frame[7] for frame in peer.requests].index(5)
        assert place <= 1  # at most the poll that was already on the wire


async def test_a_lowering_that_waits_for_a_poll_is_not_sent_where_the_poll_sees_somebody(peer: ScriptedPeer) -> None:
    moves(peer)
    async with lane_on(peer) as lane:
        barrier = lane.barrier()
        await barrier.raise_boom()
        is_asked, may_answer, moving = asyncio.Event(), asyncio.Event(), peer.answer

        async def slow_poll(peer: ScriptedPeer, frame: bytes) -> bytes | None:
            if frame[7] == 2:
                is_asked.set()
                await may_answer.wait()
            return await moving(peer, frame)

        def forbidden_by() -> str | None:
            seen = lane.sink.latest.detectors[Detector.ENTRY_LOOP]
            return None if seen is Presence.CLEAR else f"entry_loop is {seen.value}"

        peer.answer = slow_poll
        await is_asked.wait()
        assert forbidden_by() is None  # by what is known when it is ordered, it may fall
        lowering = asyncio.create_task(barrier.lower_boom(forbidden_by))
        peer.inputs[1] = True
        await asyncio.sleep(0.05)
        may_answer.set()
        await until(lambda: lane.sink.latest.detectors[Detector.ENTRY_LOOP] is Presence.OCCUPIED)
        await barrier.raise_boom()  # what the lane does then; it has nothing to raise
        with pytest.raises(NotSentError, match="entry_loop is occupied"):
            await lowering
        assert peer.writes().count((0, 0xFF00)) == 1
        assert (1, 0xFF00) not in peer.writes()
        assert barrier.position() is BoomPosition.UP
        peer.inputs[1] = False
        await until(lambda: forbidden_by() is None)
        await barrier.lower_boom(forbidden_by)
        assert barrier.position() is BoomPosition.DOWN


async def test_a_command_that_was_not_sent_takes_no_other_one_of_its_module_along(peer: ScriptedPeer) -> None:
    moves(peer)
    async with lane_on(peer) as lane:
        may_answer, moving = asyncio.Event(), peer.answer

        async def slow_poll(peer: ScriptedPeer, frame: bytes) -> bytes | None:
            if frame[7] == 2:
                await may_answer.wait()
            return await moving(peer, frame)

        peer.answer = slow_poll
        peer.requests.clear()
        await until(lambda: peer.requests)
        until_s = CLOCK.monotonic_s() + 5.0
        forbidden = asyncio.create_task(lane.module.write(3, is_on=True, order=Order(until_s, lambda: "somebody")))
        allowed = asyncio.create_task(lane.module.write(0, is_on=True, order=Order(until_s)))
        await asyncio.sleep(0.05)
        may_answer.set()
        await allowed
        with pytest.raises(NotSentError, match="somebody"):
            await forbidden
        assert peer.writes()[0] == (0, 0xFF00)


async def test_a_boom_that_does_not_move_is_not_confirmed(peer: ScriptedPeer) -> None:
    peer.inputs[6] = True
    async with lane_on(peer, travel_s=0.3) as lane:
        with pytest.raises(NotConfirmedError, match=r"up expected within 0.3 s, found down"):
            await lane.barrier().raise_boom()
        assert not peer.outputs[0]


async def test_a_stop_drops_both_outputs_and_ends_the_raise(peer: ScriptedPeer) -> None:
    peer.inputs[6] = True
    async with lane_on(peer) as lane:
        barrier = lane.barrier()
        raising = asyncio.create_task(barrier.raise_boom())
        await until(lambda: (0, 0xFF00) in peer.writes())
        await barrier.stop_boom()
        with pytest.raises(NotConfirmedError, match="pre-empted"):
            await raising
        assert not peer.outputs[0]
        assert not peer.outputs[1]


async def test_a_wrong_echo_of_a_raise_fails_and_the_output_is_dropped(peer: ScriptedPeer) -> None:
    async def wrong_on(peer: ScriptedPeer, frame: bytes) -> bytes | None:
        if frame[7:12] == b"\x05\x00\x00\xff\x00":
            return mbap(frame, b"\x05\x00\x63\x00\x00")
        return await well_behaved(peer, frame)

    async with lane_on(peer) as lane:
        peer.answer = wrong_on
        peer.requests.clear()
        with pytest.raises(EchoMismatchError):
            await lane.barrier().raise_boom()
        assert peer.writes() == [(0, 0xFF00), (0, 0)]
        assert "echo" in (lane.sink.health[-1].fault or "")


async def test_a_stuck_boom_is_stuck_after_its_travel_time(peer: ScriptedPeer) -> None:
    async with lane_on(peer, travel_s=0.2) as lane:
        await until(lambda: lane.sink.latest.booms[Side.ENTRY] is BoomPosition.STUCK)


async def test_lamps_go_off_before_others_go_on(peer: ScriptedPeer) -> None:
    async with lane_on(peer) as lane:
        peer.requests.clear()
        signals = IoSignals(lane.io)
        await signals.show({Side.ENTRY: Aspect.GREEN, Side.EXIT: Aspect.RED})
        assert peer.writes() == [(4, 0), (5, 0xFF00)]
        await signals.show({Side.ENTRY: Aspect.BACK_OUT, Side.EXIT: Aspect.RED})
        assert peer.writes()[2:] == [(5, 0), (4, 0xFF00), (8, 0xFF00)]


async def test_one_owner_per_bus(peer: ScriptedPeer, bus: ModbusBus) -> None:
    async with ModbusBus(parse_modbus(peer.url), CLOCK) as second:
        await until(lambda: "held by process" in (second.fault or ""))
    assert await bus.unit(1).read_bits(0, 12, are_coils=False)


async def test_a_module_let_go_in_order_is_left_with_commands_off_and_lights_red(peer: ScriptedPeer) -> None:
    async with lane_on(peer) as lane:
        await IoSignals(lane.io).show({Side.ENTRY: Aspect.GREEN, Side.EXIT: Aspect.GREEN})
        assert peer.outputs[5]
    assert [number for number, is_on in enumerate(peer.outputs) if is_on] == [4, 6]


async def test_a_board_that_times_pulses_gets_one_order_and_no_off(peer: ScriptedPeer) -> None:
    async def board(peer: ScriptedPeer, frame: bytes) -> bytes | None:
        if frame[7] == 5 and frame[8] == 0x02:
            return mbap(frame, frame[7:12])
        if frame[7] == 1:
            return mbap(frame, bytes([1, 1, 0]))
        return await well_behaved(peer, frame)

    peer.answer = board
    peer.registers.clear()  # its channels are in their normal mode
    module = IoModule(ModuleSettings("io-1", peer.url, "waveshare-io-8ch", poll_ms=20, timeout_s=PATIENT_S), CLOCK)
    sink = KeepingSink()
    lane_io = LaneIo(module, wiring(0.2, lights={}), sink)
    async with module:
        await until(lambda: sink.inputs and sink.latest.unknown_because is None)
        assert sink.health[-1].is_safe_state_confirmed is None
        peer.requests.clear()
        with pytest.raises(NotConfirmedError):
            await IoBarrier(lane_io, Side.ENTRY, BarrierSettings(pulse_ms=450), CLOCK).raise_boom()
        assert peer.writes() == [(0x0200, 5)]
