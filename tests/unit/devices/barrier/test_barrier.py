"""One boom under any order of commands: never both outputs on, nothing left on, no raise forgotten."""

from __future__ import annotations

import asyncio
import contextlib
from datetime import UTC, datetime
from typing import cast

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from devices.barrier.barrier import BarrierSettings, IoBarrier
from devices.barrier.position import BoomWatch
from devices.links.order import Order
from devices.signals.lane_io import LaneIo
from gate_service.domain.errors import EchoMismatchError, LinkLostError, NotConfirmedError
from gate_service.domain.reading import BoomPosition, LaneInputs, Side
from tests.fakes.lane_devices import wiring

RAISE, LOWER = 0, 1


class StepClock:
    """One step is one turn of the event loop and ten milliseconds."""

    def __init__(self) -> None:
        self.at_s = 0.0

    def now(self) -> datetime:
        return datetime(2026, 1, 1, tzinfo=UTC)

    def monotonic_s(self) -> float:
        return self.at_s

    async def sleep(self, duration_s: float) -> None:
        until_s = self.at_s + duration_s
        while self.at_s < until_s:  # noqa: ASYNC110 - the steps of the test are this clock
            await asyncio.sleep(0)


class FakeModule:
    """Two outputs with a boom behind them; a write takes two steps. Fails the test when both are on."""

    times_pulses = False
    ends_leases = True

    def __init__(self, clock: StepClock) -> None:
        self.is_by_hand = self.is_jammed = False
        self.clock = clock
        self.outputs = {RAISE: False, LOWER: False}
        self.known: dict[int, bool] = {RAISE: False, LOWER: False}
        self.writes: list[tuple[int, bool]] = []
        self.height = 0.0
        self.direction = 0
        self.starts_moving_s = 0.0
        self.failures: list[Exception] = []

    def is_known(self, output: int, *, is_on: bool) -> bool:
        return self.known.get(output) is is_on

    async def hold(self, output: int, *, order: Order | None = None) -> None:
        await self.write(output, is_on=True, order=order)

    async def write(self, output: int, *, is_on: bool, order: Order | None = None) -> None:
        self.known.pop(output, None)
        await asyncio.sleep(0)
        if order is not None:
            order.check("module", self.clock.at_s)
        if self.failures:
            raise self.failures.pop(0)
        self.writes.append((output, is_on))
        if is_on and not self.outputs[output]:
            self.direction = 1 if output == RAISE else -1
            self.starts_moving_s = self.clock.at_s + 0.1  # it stays at its limit for a moment
        self.outputs[output] = is_on
        assert not (self.outputs[RAISE] and self.outputs[LOWER]), "both energised"
        await asyncio.sleep(0)
        self.known[output] = is_on


class FakeLaneIo:
    """Polls the boom every step."""

    def __init__(self, module: FakeModule) -> None:
        self.module = module
        self.settings = wiring(travel_s=3.0)
        self.watch = BoomWatch(3.0, closes_itself=False)

    def boom(self, side: Side) -> BoomWatch:
        return self.watch

    def latest(self) -> LaneInputs:
        module, at_s = self.module, self.module.clock.at_s
        position = self.watch.see(
            is_up=module.height >= 1,
            is_down=module.height <= 0,
            is_by_hand=module.is_by_hand,
            is_excused=False,
            at_s=at_s,
        )
        return LaneInputs({}, {Side.ENTRY: position}, False, module.clock.now(), at_s)

    async def next_poll(self) -> LaneInputs:
        await asyncio.sleep(0)
        return self.latest()


class Yard:
    def __init__(self, **settings: bool) -> None:
        self.clock = StepClock()
        self.module = FakeModule(self.clock)
        self.lane_io = FakeLaneIo(self.module)
        lane_io = cast("LaneIo", self.lane_io)
        self.barrier = IoBarrier(lane_io, Side.ENTRY, BarrierSettings(pulse_ms=200, **settings), self.clock)

    async def steps(self, count: int) -> None:
        for _ in range(count):
            self.clock.at_s += 0.01
            moves = self.clock.at_s >= self.module.starts_moving_s and not self.module.is_jammed
            self.module.height = min(1.0, max(0.0, self.module.height + moves * self.module.direction * 0.02))
            self.lane_io.latest()
            await asyncio.sleep(0)

    async def carry_out(self, task: asyncio.Task[None]) -> None:
        for _ in range(600):
            if task.done():
                break
            await self.steps(1)
        await task


async def command(coroutine: object) -> None:
    with contextlib.suppress(NotConfirmedError):
        await coroutine  # type: ignore[misc]


@settings(max_examples=150, deadline=None)
@example([("raise", 0), ("stop", 0)])
@example([("raise", 1), ("stop", 0)])
@given(st.lists(st.tuples(st.sampled_from(["raise", "lower", "stop"]), st.integers(0, 90)), min_size=1, max_size=12))
def test_no_order_of_commands_energises_both_and_a_last_raise_wins(orders: list[tuple[str, int]]) -> None:
    async def play() -> None:
        yard = Yard()
        calls = {
            "raise": yard.barrier.raise_boom,
            "lower": yard.barrier.lower_boom,
            "stop": yard.barrier.stop_boom,
        }
        tasks = []
        for name, wait in orders:
            tasks.append(asyncio.create_task(command(calls[name]())))
            await yard.steps(wait)
        await yard.carry_out(asyncio.create_task(yard.barrier.raise_boom()))
        await asyncio.gather(*tasks)
        assert yard.barrier.position() is BoomPosition.UP
        await yard.steps(50)
        assert yard.module.outputs == {RAISE: False, LOWER: False}
        assert yard.module.height == 1.0

    asyncio.run(play())


async def test_a_second_raise_joins_the_first_and_sends_no_second_pulse() -> None:
    yard = Yard()
    first = asyncio.create_task(yard.barrier.raise_boom())
    await yard.steps(30)
    second = asyncio.create_task(yard.barrier.raise_boom())
    await yard.carry_out(first)
    await yard.carry_out(second)
    assert yard.module.writes == [(RAISE, True), (RAISE, False)]


async def test_a_boom_that_is_up_is_not_raised_again() -> None:
    yard = Yard()
    yard.module.height = 1.0
    await yard.carry_out(asyncio.create_task(yard.barrier.raise_boom()))
    assert yard.module.writes == []


async def test_a_lowering_is_refused_while_a_raise_is_under_way() -> None:
    yard = Yard()
    raising = asyncio.create_task(yard.barrier.raise_boom())
    await yard.steps(5)
    with pytest.raises(NotConfirmedError, match="a raise is under way"):
        await yard.barrier.lower_boom()
    await yard.carry_out(raising)


async def test_a_caller_that_gives_up_leaves_no_output_on() -> None:
    yard = Yard()
    raising = asyncio.create_task(yard.barrier.raise_boom())
    await yard.steps(8)
    assert yard.module.outputs[RAISE]
    raising.cancel()
    await yard.steps(60)
    assert not yard.module.outputs[RAISE]


async def test_a_lost_link_fails_the_command_at_once() -> None:
    yard = Yard()
    yard.module.failures = [LinkLostError("gone"), LinkLostError("gone")]
    with pytest.raises(LinkLostError):
        await yard.carry_out(asyncio.create_task(yard.barrier.raise_boom()))
    assert yard.clock.at_s < 0.2


async def test_an_unconfirmed_off_of_the_lower_output_is_asked_twice_and_then_the_raise_goes_on() -> None:
    yard = Yard()
    yard.module.height = 1.0
    lowering = asyncio.create_task(command(yard.barrier.lower_boom()))
    await yard.steps(8)
    yard.module.failures = [EchoMismatchError("other")]
    await yard.carry_out(asyncio.create_task(yard.barrier.raise_boom()))
    await lowering
    assert yard.barrier.position() is BoomPosition.UP
    assert yard.module.writes[:3] == [(LOWER, True), (LOWER, False), (RAISE, True)]


async def test_a_boom_about_to_fall_is_raised_though_its_limit_still_says_up() -> None:
    yard = Yard()
    yard.module.height = 1.0
    lowering = asyncio.create_task(command(yard.barrier.lower_boom()))
    await yard.steps(8)
    assert yard.barrier.position() is BoomPosition.UP
    await yard.carry_out(asyncio.create_task(yard.barrier.raise_boom()))
    await lowering
    await yard.steps(50)
    assert yard.module.height == 1.0
    assert yard.module.writes == [(LOWER, True), (LOWER, False), (RAISE, True), (RAISE, False)]


async def test_a_raise_output_that_may_be_on_is_dropped_before_lowering() -> None:
    yard = Yard()
    raising = asyncio.create_task(yard.barrier.raise_boom())
    await yard.steps(8)
    yard.module.failures = [EchoMismatchError("other"), EchoMismatchError("other")]
    with pytest.raises(EchoMismatchError):
        await yard.carry_out(raising)
    assert yard.module.outputs[RAISE]
    await yard.carry_out(asyncio.create_task(yard.barrier.lower_boom()))
    assert yard.module.writes == [(RAISE, True), (RAISE, False), (LOWER, True), (LOWER, False)]


async def test_a_raise_that_comes_while_a_lowering_prepares_leaves_the_lowering_unsent() -> None:
    yard = Yard()
    yard.module.height = 1.0
    yard.module.known.pop(RAISE)
    lowering = asyncio.create_task(yard.barrier.lower_boom())
    await yard.steps(1)
    await yard.carry_out(asyncio.create_task(yard.barrier.raise_boom()))
    with pytest.raises(NotConfirmedError, match="pre-empted"):
        await lowering
    assert (LOWER, True) not in yard.module.writes


async def test_a_controller_that_counts_pulses_gets_no_second_one_while_the_first_may_be_in_effect() -> None:
    yard = Yard(counts_pulses=True)
    yard.module.is_jammed = True  # the first pulse is stored and nothing moves yet
    with pytest.raises(NotConfirmedError, match=r"found down$"):
        await yard.carry_out(asyncio.create_task(yard.barrier.raise_boom()))
    for _ in range(2):
        with pytest.raises(NotConfirmedError, match="no second open pulse"):
            await yard.carry_out(asyncio.create_task(yard.barrier.raise_boom()))
    assert yard.module.writes == [(RAISE, True), (RAISE, False)]
    yard.module.is_jammed = False
    await yard.carry_out(asyncio.create_task(yard.barrier.raise_boom()))  # the first pulse opens it after all
    assert yard.module.writes == [(RAISE, True), (RAISE, False)]
    assert yard.barrier.position() is BoomPosition.UP
    yard.module.height, yard.module.direction = 0.0, 0
    await yard.steps(2)
    await yard.carry_out(asyncio.create_task(yard.barrier.raise_boom()))
    assert yard.module.writes == [(RAISE, True), (RAISE, False)] * 2


async def test_a_pulse_that_was_never_sent_is_not_in_effect() -> None:
    yard = Yard(counts_pulses=True)
    yard.module.failures = [NotConfirmedError("waited too long"), LinkLostError("gone")]
    with pytest.raises(NotConfirmedError, match="waited"):
        await yard.carry_out(asyncio.create_task(yard.barrier.raise_boom()))
    yard.module.failures = []
    await yard.carry_out(asyncio.create_task(yard.barrier.raise_boom()))
    assert yard.barrier.position() is BoomPosition.UP


async def test_an_open_pulse_whose_answer_was_lost_may_be_in_effect() -> None:
    yard = Yard(counts_pulses=True)
    yard.module.failures = [LinkLostError("gone"), LinkLostError("gone")]
    with pytest.raises(LinkLostError):
        await yard.carry_out(asyncio.create_task(yard.barrier.raise_boom()))
    with pytest.raises(NotConfirmedError, match="no second open pulse"):
        await yard.carry_out(asyncio.create_task(yard.barrier.raise_boom()))
    assert yard.module.writes == []


async def test_a_falling_boom_is_raised_whatever_pulses_are_counted() -> None:
    yard = Yard(counts_pulses=True)
    await yard.carry_out(asyncio.create_task(yard.barrier.raise_boom()))
    lowering = asyncio.create_task(command(yard.barrier.lower_boom()))
    await yard.steps(40)
    yard.lane_io.watch.pulse_sent()
    await yard.carry_out(asyncio.create_task(yard.barrier.raise_boom()))
    await lowering
    assert yard.barrier.position() is BoomPosition.UP


@pytest.mark.parametrize("wanted", ["raise_boom", "lower_boom", "hold_open"])
async def test_nothing_is_sent_to_a_boom_that_is_switched_to_hand(wanted: str) -> None:
    yard = Yard(holds_open=True)
    yard.module.is_by_hand = True
    await yard.steps(1)
    with pytest.raises(NotConfirmedError, match="switched to hand"):
        await yard.carry_out(asyncio.create_task(getattr(yard.barrier, wanted)()))
    assert yard.module.writes == []


@pytest.mark.parametrize("ending", ["lower_boom", "stop_boom"])
async def test_a_boom_held_open_keeps_its_contact_closed_until_a_lower_or_stop(ending: str) -> None:
    yard = Yard(holds_open=True)
    await yard.carry_out(asyncio.create_task(yard.barrier.hold_open()))
    await yard.steps(500)
    await yard.carry_out(asyncio.create_task(yard.barrier.hold_open()))
    await yard.carry_out(asyncio.create_task(yard.barrier.raise_boom()))  # up already: no pulse, no end of the lease
    assert yard.module.writes == [(RAISE, True)]
    await yard.carry_out(asyncio.create_task(getattr(yard.barrier, ending)()))
    assert yard.module.outputs == {RAISE: False, LOWER: False}


async def test_a_raise_while_a_boom_held_open_is_being_let_go_raises_it_again() -> None:
    """Its controller closes it once the contact is open: up, but not for long."""
    yard = Yard(holds_open=True)
    await yard.carry_out(asyncio.create_task(yard.barrier.hold_open()))
    lowering = asyncio.create_task(command(yard.barrier.lower_boom()))
    await yard.steps(1)
    assert yard.barrier.position() is BoomPosition.UP
    await yard.carry_out(asyncio.create_task(yard.barrier.raise_boom()))
    await lowering
    await yard.steps(50)
    assert (LOWER, True) not in yard.module.writes
    assert yard.module.writes[-2:] == [(RAISE, True), (RAISE, False)]
    assert yard.module.writes.count((RAISE, True)) == 2


@pytest.mark.parametrize(("holds_open", "ends_leases"), [(False, True), (True, False)])
async def test_where_nothing_would_end_a_lease_holding_open_is_a_plain_raise(
    holds_open: bool, ends_leases: bool
) -> None:
    yard = Yard(holds_open=holds_open)
    yard.module.ends_leases = ends_leases
    await yard.carry_out(asyncio.create_task(yard.barrier.hold_open()))
    assert yard.module.writes == [(RAISE, True), (RAISE, False)]
