"""One boom behind dry contacts: pulses on two outputs, confirmed by two limit inputs.

Raise and stop pre-empt a lowering; raise and lower are never energised together; nothing is sent twice, since a
controller may count pulses and let a second vehicle in (`counts_pulses`: not even by a later order while the first
pulse may still open it). Nothing is sent to a boom that is switched to hand: somebody stands at it. Anti-crush safety
belongs to the barrier's own controller.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from types import TracebackType
from typing import Final, Self

from devices.links.order import Order
from devices.signals.lane_io import BarrierWiring, LaneIo
from gate_service.domain.errors import (
    DeviceError,
    DeviceRefusedError,
    EchoMismatchError,
    LinkLostError,
    NotConfirmedError,
)
from gate_service.domain.ports import Clock, Forbidden
from gate_service.domain.reading import BoomPosition, Side

KEEP_FREE_S: Final = 0.02
"""A raise that is being recorded is on disk within this time; on a slower disk the polls go on. Site decision."""

VALID_S: Final = 1.0  # a command that could not be sent for so long speaks of a situation that is over


@dataclass(frozen=True, slots=True)
class BarrierSettings:
    """Times of one barrier: the pulse its controller needs, and how long a command stays valid. Travel: the wiring.

    `counts_pulses`: its controller stores open pulses. `holds_open`: a contact held closed keeps its boom up.
    """

    pulse_ms: int = 500
    valid_s: float = VALID_S
    counts_pulses: bool = False
    holds_open: bool = False


class IoBarrier:
    """Implements the port `Barrier`. One object per boom; commands may come from several tasks."""

    def __init__(self, lane_io: LaneIo, side: Side, settings: BarrierSettings, clock: Clock) -> None:
        self._lane_io = lane_io
        self._module = lane_io.module
        self._side = side
        self._settings = settings
        self._clock = clock
        self._wiring: BarrierWiring = lane_io.settings.barriers[side]
        self._watch = lane_io.boom(side)
        self._name = f"{lane_io.settings.lane} {side} barrier"
        self._order = 0  # counts orders; one that is no longer the newest has been pre-empted
        self._raising: asyncio.Task[None] | None = None
        self._raising_order = 0
        self._held_order = 0
        self._lowering: asyncio.Task[None] | None = None
        self._pulse: asyncio.Task[None] | None = None
        self._may_be_falling = False

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, exc: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Let a pulse under way end, so that no output stays on."""
        for task in (self._raising, self._lowering):
            if task is not None:
                task.cancel()
                await asyncio.gather(task, return_exceptions=True)
        if self._pulse is not None:
            await asyncio.gather(self._pulse, return_exceptions=True)

    def position(self) -> BoomPosition:
        """Say where the boom is by the newest poll."""
        inputs = self._lane_io.latest()
        return BoomPosition.UNKNOWN if inputs is None else inputs.booms[self._side]

    def expect_raise(self) -> None:
        """As the port."""
        self._module.keep_line_free(KEEP_FREE_S)

    async def raise_boom(self) -> None:
        """As the port. A raise under way is joined, not pulsed again."""
        # A raise that a stop has ended since is not joined: its own waiters are told, this is a new order.
        if self._raising is None or self._raising.done() or self._raising_order != self._order:
            if self.position() is BoomPosition.UP and not self._may_be_falling:
                self._take_back_lowering()
                return
            self._start_raising(is_held=self._is_held)
        await self._raised()

    def _take_back_lowering(self) -> None:
        """One that still waits for its turn is not sent then (`_begins`): the boom stays up without another pulse."""
        if self._lowering is not None and not self._lowering.done():
            self._order += 1

    async def hold_open(self) -> None:
        """As the port."""
        if not self._settings.holds_open or not self._module.ends_leases:
            await self.raise_boom()
            return
        if not self._is_held:
            self._start_raising(is_held=True)
        await self._raised()

    @property
    def _is_held(self) -> bool:
        """Whether the open contact is certainly closed and meant to stay so."""
        is_ours = self._held_order == self._order
        return is_ours and self._module.is_known(self._wiring.raise_output, is_on=True)

    def _start_raising(self, *, is_held: bool) -> None:
        self._order += 1
        self._raising_order = self._order
        self._held_order = self._order if is_held else 0
        self._raising = asyncio.create_task(self._raise(self._order, self._clock.monotonic_s(), is_held=is_held))
        self._raising.add_done_callback(_look_at)

    async def _raised(self) -> None:
        if self._raising is not None:
            await asyncio.shield(self._raising)

    async def lower_boom(self, forbidden_by: Forbidden | None = None) -> None:
        """As the port. Without a lower output the barrier's controller closes and this only waits for the limit."""
        if self._raising is not None and not self._raising.done():
            raise NotConfirmedError(f"{self._name}: not lowered, a raise is under way")
        if self._lowering is None or self._lowering.done():
            if self.position() is BoomPosition.DOWN and not self._is_held:
                self._may_be_falling = False
                return
            self._order += 1
            self._lowering = asyncio.create_task(self._lower(self._order, self._clock.monotonic_s(), forbidden_by))
            self._lowering.add_done_callback(_look_at)
        await asyncio.shield(self._lowering)

    async def stop_boom(self) -> None:
        """As the port."""
        self._order += 1
        self._end_pulse()
        await self._drop(self._wiring.lower_output, unless_known=False)
        await self._drop(self._wiring.raise_output, unless_known=False)

    async def _raise(self, order: int, ordered_s: float, *, is_held: bool) -> None:
        self._check_not_by_hand()
        self._end_pulse()
        await self._drop(self._wiring.lower_output, unless_known=True)
        started_s = self._clock.monotonic_s()
        self._check_newest(order)
        is_kept_back = not is_held and self._is_open_pulse_kept_back()
        if is_held:
            await self._hold(ordered_s)
        elif not is_kept_back:
            self._pulse = asyncio.create_task(self._send_open_pulse(ordered_s))
            self._pulse.add_done_callback(_look_at)
            await self._see_pulse_sent(order)
        kept_back = "; no second open pulse was sent while the first may be in effect" if is_kept_back else ""
        await self._see(BoomPosition.UP, order, started_s, kept_back)
        self._may_be_falling = False

    def _is_open_pulse_kept_back(self) -> bool:
        """Whether an open pulse may still be in effect at a controller that counts them. One that falls is raised."""
        return self._settings.counts_pulses and self._watch.is_pulse_in_effect and not self._may_be_falling

    async def _hold(self, ordered_s: float) -> None:
        """Close the open contact for as long as nothing ends it; dropped again where that is not confirmed."""
        self._watch.ordered(self._clock.monotonic_s())
        self._watch.pulse_sent()
        try:
            await self._module.hold(self._wiring.raise_output, order=self._order_of(ordered_s))
        except DeviceError:
            await self._try_off(self._wiring.raise_output)
            raise

    async def _send_open_pulse(self, ordered_s: float) -> None:
        """A pulse counts from before it is sent; what was certainly not sent, or was refused, does not."""
        was_in_effect = self._watch.is_pulse_in_effect
        self._watch.pulse_sent()
        try:
            await self._send_pulse(self._wiring.raise_output, self._order_of(ordered_s))
        except (NotConfirmedError, DeviceRefusedError):
            self._watch.is_pulse_in_effect = was_in_effect
            raise

    async def _lower(self, order: int, ordered_s: float, forbidden_by: Forbidden | None) -> None:
        self._check_not_by_hand()
        started_s = self._clock.monotonic_s()
        if not self._module.is_known(self._wiring.raise_output, is_on=False):
            self._may_be_falling = True  # let go, a boom held open is closed by its controller
        if self._wiring.lower_output is not None:
            self._end_pulse()
            await self._drop(self._wiring.raise_output, unless_known=True)
            self._check_newest(order)
            pulse = self._send_pulse(
                self._wiring.lower_output, self._order_of(ordered_s, self._begins(order, forbidden_by))
            )
            self._pulse = asyncio.create_task(pulse)
            self._pulse.add_done_callback(_look_at)
            await self._see_pulse_sent(order)
        else:
            await self._drop(self._wiring.raise_output, unless_known=True)  # one held open is let go
        self._may_be_falling = True
        await self._see(BoomPosition.DOWN, order, started_s)
        self._may_be_falling = False

    def _begins(self, order: int, forbidden_by: Forbidden | None) -> Forbidden:
        """What is asked when a lowering's turn on the bus has come: from then on the boom may fall."""

        def asked() -> str | None:
            if order != self._order:
                return "a raise or stop came first"
            why = None if forbidden_by is None else forbidden_by()
            if why is None:
                self._may_be_falling = True
            return why

        return asked

    async def _see_pulse_sent(self, order: int) -> None:
        assert self._pulse is not None
        try:
            await asyncio.shield(self._pulse)
        except asyncio.CancelledError:
            self._check_newest(order)  # a raise or stop ended the pulse
            raise

    def _order_of(self, ordered_s: float, forbidden_by: Forbidden | None = None) -> Order:
        return Order(ordered_s + self._settings.valid_s, forbidden_by)

    async def _send_pulse(self, output: int, order: Order) -> None:
        """On, wait, off; off also when ended early, and tried once more when the on was not confirmed."""
        self._watch.ordered(self._clock.monotonic_s())
        if self._module.times_pulses:
            await self._module.pulse_by_board(output, self._settings.pulse_ms, order=order)
            return
        try:
            await self._module.write(output, is_on=True, order=order)
            await self._clock.sleep(self._settings.pulse_ms / 1000)
        except DeviceError:
            await self._try_off(output)
            raise
        await self._drop(output, unless_known=False)

    async def _try_off(self, output: int) -> None:
        """After a failed on nothing is known of the output; a lost link is followed by all outputs off anyway."""
        try:
            await self._module.write(output, is_on=False)
        except DeviceError:
            return

    def _end_pulse(self) -> None:
        """Stop waiting in a pulse under way; whoever ends it drops the output next."""
        if self._pulse is not None and not self._pulse.done():
            self._pulse.cancel()

    async def _drop(self, output: int | None, *, unless_known: bool) -> None:
        """Switch an output off; with `unless_known` only if it is not known to be off."""
        if output is None or (unless_known and self._module.is_known(output, is_on=False)):
            return
        try:
            await self._module.write(output, is_on=False)
        except EchoMismatchError:  # switching off is the one thing worth asking twice: it moves nothing
            await self._module.write(output, is_on=False)

    def _check_not_by_hand(self) -> None:
        if self._watch.is_switched_to_hand:
            raise NotConfirmedError(f"{self._name}: is switched to hand, somebody may stand at it; nothing was sent")

    def _check_newest(self, order: int) -> None:
        if order != self._order:
            raise NotConfirmedError(f"{self._name}: pre-empted by a raise or stop")

    async def _see(self, wanted: BoomPosition, order: int, started_s: float, remark: str = "") -> None:
        """Wait for the limit in polls asked after the pulse. The wait ends by the polls' own stamps."""
        sent_s = self._clock.monotonic_s()
        deadline_s = started_s + self._wiring.travel_s
        while True:
            inputs = await self._lane_io.next_poll()
            self._check_newest(order)
            found = inputs.booms[self._side]
            if found is wanted and inputs.taken_monotonic_s >= sent_s:
                return
            if inputs.taken_monotonic_s > deadline_s:
                message = f"{self._name}: {wanted} expected within {self._wiring.travel_s:g} s, found {found}{remark}"
                if found is BoomPosition.UNKNOWN:
                    raise LinkLostError(f"{message}: {inputs.unknown_because}")
                raise NotConfirmedError(message)


def _look_at(task: asyncio.Task[None]) -> None:
    """Take note of a failure whose caller is gone, so that it is not reported as forgotten."""
    if not task.cancelled():
        task.exception()
