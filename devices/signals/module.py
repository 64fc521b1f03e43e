"""One I/O module: polls its inputs, keeps its outputs known, and says when either cannot be trusted.

Lanes attach themselves; several may share a module. After every lost answer all inputs are UNKNOWN until a fresh poll,
and before that poll counts, all command outputs are switched off and the lights to red: nothing asked for before the
loss is done after it.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Coroutine
from dataclasses import dataclass, replace
from datetime import datetime
from types import TracebackType
from typing import Final, Protocol, Self

from devices.links.address import parse_modbus
from devices.links.modbus import ModbusBus
from devices.links.order import Order
from devices.links.turns import Urgency
from devices.signals.outputs import ModuleOutputs
from devices.signals.points import ModulePoints
from devices.signals.profile import QUALITY, load_profile
from gate_service.domain.errors import DeviceError, DeviceRefusedError, EchoMismatchError, InputError, LinkLostError
from gate_service.domain.events import JsonObject
from gate_service.domain.ports import Clock
from gate_service.domain.reading import DeviceHealth

log = logging.getLogger(__name__)

NOT_READ: Final = "not read yet"
READBACK_S: Final = 0.5  # foreign writes are to be noticed within 1 s
OUTPUT_FAULT_HOLD_S: Final = 10.0  # how long a foreign write or a wrong echo stays a fault, for a person to see it
SAFE_STATE_S: Final = 60.0  # a watchdog switched off while we run is known after so long; site decision


@dataclass(frozen=True, slots=True)
class ModuleSettings:
    """One I/O module. `url` as in `parse_modbus`, `profile` a file name in `profiles/`."""

    name: str
    url: str
    profile: str
    poll_ms: int = 50
    timeout_s: float = 0.4


@dataclass(frozen=True, slots=True)
class InputsAnswer:
    """One poll: the bits of one answer, or None and why. The stamp is that of the question: never too young.

    A fault beside bits: the inputs are as read, and are still nothing to act on (somebody else writes the outputs).
    """

    bits: tuple[bool, ...] | None
    fault: str | None
    taken_at: datetime
    taken_monotonic_s: float


class AttachedLane(Protocol):
    """A lane's share of the module."""

    @property
    def inputs(self) -> frozenset[int]:
        """Input numbers the lane uses."""
        ...

    @property
    def power_ok(self) -> int | None:
        """Its known-on input, if wired: 0 there makes every input of the module UNKNOWN."""
        ...

    @property
    def safe_outputs(self) -> dict[int, bool]:
        """Every output the lane uses and its safe level: commands off, red on."""
        ...

    def answered(self, answer: InputsAnswer) -> None:
        """Take one poll."""
        ...

    def module_health_changed(self, health: DeviceHealth) -> None:
        """Take the module's health."""
        ...


class IoModule:
    """Owns one unit while entered. Give `bus` when several units share one. `InputError`: bad url or profile."""

    def __init__(self, settings: ModuleSettings, clock: Clock, bus: ModbusBus | None = None) -> None:
        address = parse_modbus(settings.url)
        self.settings = settings
        self.profile = load_profile(settings.profile)
        self.clock = clock
        self._own_bus = ModbusBus(address, clock, timeout_s=settings.timeout_s) if bus is None else None
        shared = bus or self._own_bus
        assert shared is not None
        self._bus = shared
        self._unit = shared.unit(address.unit)
        self._points = ModulePoints(self._unit, self.profile)
        self._lanes: list[AttachedLane] = []
        self._inputs_count = 1  # while no lane says which it uses: enough to see that it answers, whatever its size
        self._poller: asyncio.Task[None] | None = None
        self._is_ready = False
        self._ready_over = 0
        self._outputs = ModuleOutputs(self._points, self.profile, clock)
        self._readback_due_s = 0.0
        self._safe_state_due_s = 0.0
        self._fault: str | None = "not connected yet"
        self._output_fault: str | None = None
        self._output_fault_until_s = 0.0
        self._is_tampered = False
        self._unsafe: str | None = NOT_READ
        self._told: tuple[object, ...] | None = None

    async def __aenter__(self) -> Self:
        if self.profile.quality == QUALITY["manual"]:
            log.warning("%s: profile %s is %s", self.settings.name, self.profile.name, self.profile.quality)
        self._tell_health()
        if self._own_bus is not None:
            await self._own_bus.__aenter__()
        self._poller = asyncio.create_task(self._poll_forever(), name=f"poll {self.settings.name}")
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, exc: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._poller is not None:
            self._poller.cancel()
            await asyncio.gather(self._poller, return_exceptions=True)
        if self._is_ready:
            with contextlib.suppress(DeviceError):  # the module's own safe state follows when we fall silent
                await self._make_safe()
        if self._own_bus is not None:
            await self._own_bus.__aexit__(kind, exc, trace)

    def attach(self, lane: AttachedLane) -> None:
        """Add a lane; before the module is entered."""
        for output in lane.safe_outputs:
            if output >= self.profile.outputs_count:
                most = self.profile.outputs_count - 1
                raise InputError(f"{self.settings.name}: an output of 0 to {most} expected, found {output}")
        self._lanes.append(lane)
        self._inputs_count = 1 + max(number for one in self._lanes for number in one.inputs)

    def is_known(self, output: int, *, is_on: bool) -> bool:
        """Whether the output certainly has this level: confirmed by echo and not contradicted since."""
        return self._is_ready and self._outputs.is_known(output, is_on=is_on)

    async def write(
        self, output: int, *, is_on: bool, urgency: Urgency = Urgency.COMMAND, order: Order | None = None
    ) -> None:
        """Set one output once and confirm it by its echo. Raises DeviceError; then nothing is known of the output."""
        await self._sent(self._outputs.write(output, is_on=is_on, urgency=urgency, order=order))

    @property
    def times_pulses(self) -> bool:
        """Whether the board itself ends a pulse."""
        return self._outputs.are_timed_by_board

    @property
    def ends_leases(self) -> bool:
        """Whether an output held on goes off by itself when we fall silent: by the board's timer or its watchdog."""
        return self.times_pulses or self.health().is_safe_state_confirmed is True

    def keep_line_free(self, for_s: float) -> None:
        """Put polls off for so long: a command is about to come, and waits for none that has just begun."""
        self._unit.keep_line_free(for_s)

    async def pulse_by_board(self, output: int, pulse_ms: int, *, order: Order | None = None) -> None:
        """Have the board pulse one output; returns when it confirmed the order, not at the end of the pulse."""
        await self._sent(self._outputs.pulse(output, pulse_ms, order=order))

    async def hold(self, output: int, *, urgency: Urgency = Urgency.COMMAND, order: Order | None = None) -> None:
        """Keep one output on until it is written; on a board that times outputs as a lease, renewed while we poll."""
        await self._sent(self._outputs.hold(output, urgency=urgency, order=order))

    async def _sent(self, sending: Coroutine[None, None, None]) -> None:
        """Send if the module is ready. Raises DeviceError, after noting what it says of the module."""
        try:
            self._must_be_ready()
        except LinkLostError:
            sending.close()
            raise
        try:
            await sending
        except DeviceError as exc:
            self._note_failed_write(exc)
            raise

    def health(self) -> DeviceHealth:
        """Say how the device is now. A safe state that cannot be read from this module is None: unknown."""
        is_confirmed = None
        if self._unsafe != NOT_READ and (self._unsafe is not None or self.profile.safe_state_checks):
            is_confirmed = self._unsafe is None
        return DeviceHealth(
            device=self.settings.name,
            kind="io_module",
            fault=self._fault or self._output_fault,
            last_good_monotonic_s=self._unit.last_good_monotonic_s,
            is_safe_state_confirmed=is_confirmed,
            rejects=dict(self._unit.rejects),
            is_tampered=self._is_tampered,
        )

    def snapshot(self) -> JsonObject:
        """Facts for the device page."""
        health = self.health()
        last_s = health.last_good_monotonic_s
        return {
            "device": health.device,
            "kind": health.kind,
            "fault": health.fault,
            "age_ms": None if last_s is None else int((self.clock.monotonic_s() - last_s) * 1000),
            "is_safe_state_confirmed": health.is_safe_state_confirmed,
            "unsafe_because": self._unsafe,
            "rejects": dict(self._unit.rejects),
            "last_sent": self._unit.sent.hex(),
            "last_received": self._unit.received.hex(),
            "profile": self.profile.name,
            "title": self.profile.title,
            "quality": self.profile.quality,
            "patience": self._bus.patience_with(self._unit),
            "url": self.settings.url,
            "outputs": {str(output): is_on for output, is_on in sorted(self._outputs.known.items())},
        }

    def _note_failed_write(self, failure: DeviceError) -> None:
        if isinstance(failure, LinkLostError):
            self._is_ready = False  # the next poll begins with the safe outputs
        elif isinstance(failure, EchoMismatchError):
            self._output_fault = str(failure)
            self._output_fault_until_s = self.clock.monotonic_s() + OUTPUT_FAULT_HOLD_S
            self._tell_health()

    def _must_be_ready(self) -> None:
        if not self._is_ready or self._ready_over != self._bus.connection:
            raise LinkLostError(f"{self.settings.name}: {self._fault}; nothing was sent")

    async def _poll_forever(self) -> None:
        period_s = self.settings.poll_ms / 1000
        due_s = self.clock.monotonic_s()
        while True:
            try:
                await self._poll()
            except Exception as exc:  # task root: a mistake must show as a fault, not as an ageing lane
                log.exception("%s: poll failed", self.settings.name)
                self._is_ready = False
                self._publish(self._unknown(f"{self.settings.name}: internal error: {exc!r}"))
            due_s = max(due_s + period_s, self.clock.monotonic_s())
            await self.clock.sleep(due_s - self.clock.monotonic_s())

    async def _poll(self) -> None:
        """One look at the inputs; every lane hears of it, good or UNKNOWN."""
        try:
            if not self._is_ready or self._ready_over != self._bus.connection:
                await self._make_safe()
            asked_at, asked_s = self.clock.now(), self.clock.monotonic_s()
            bits = await self._points.read_inputs(self._inputs_count)
            fault = self._power_fault(bits)
            answer = InputsAnswer(None if fault else bits, fault, asked_at, asked_s)
            self._publish(self._doubted(answer))
            await self._outputs.renew_due()
            await self._read_back_if_due(answer)
        except DeviceError as exc:
            self._is_ready = False
            self._publish(self._unknown(str(exc)))

    def _unknown(self, fault: str) -> InputsAnswer:
        return InputsAnswer(None, fault, self.clock.now(), self.clock.monotonic_s())

    def _publish(self, answer: InputsAnswer) -> None:
        self._fault = answer.fault
        for lane in self._lanes:
            lane.answered(answer)
        self._tell_health()

    def _power_fault(self, bits: tuple[bool, ...]) -> str | None:
        for number in {lane.power_ok for lane in self._lanes if lane.power_ok is not None}:
            if not bits[number]:
                self._unit.rejects["power_lost"] += 1
                return f"{self.settings.name}: input {number} (24 V present) reads 0: no input can be believed"
        return None

    async def _make_safe(self) -> None:
        """Over a new connection: commands off, lights red, then the module's own safe state read back."""
        self._outputs.forget()
        connection = self._bus.connection
        levels = {output: is_on for lane in self._lanes for output, is_on in lane.safe_outputs.items()}
        try:
            await self._outputs.write_all(levels)
        except DeviceRefusedError:
            if not await self._points.restart_watchdog():
                raise
            await self._outputs.write_all(levels)
        await self._read_safe_state()
        self._ready_over, self._is_ready = connection, True
        self._readback_due_s = self.clock.monotonic_s() + READBACK_S

    async def _read_safe_state(self) -> None:
        """Ask the module itself what it does when we fall silent."""
        try:
            self._unsafe = await self._points.find_unsafe()
        except DeviceRefusedError as exc:
            self._unsafe = str(exc)
        self._safe_state_due_s = self.clock.monotonic_s() + SAFE_STATE_S

    async def _read_back_if_due(self, answer: InputsAnswer) -> None:
        """Compare the outputs with what was confirmed, and from time to time the safe state."""
        now_s = self.clock.monotonic_s()
        if now_s >= self._output_fault_until_s and self._output_fault is not None:
            self._output_fault, self._is_tampered = None, False
            self._tell_health()
        if now_s >= self._safe_state_due_s:
            await self._read_safe_state()
            self._tell_health()
        if now_s < self._readback_due_s:
            return
        self._readback_due_s = now_s + READBACK_S
        difference = await self._outputs.differ()
        if difference is None:
            return
        self._unit.rejects["foreign_write" if difference.is_foreign else "outputs_fell"] += 1
        self._is_tampered = self._is_tampered or difference.is_foreign
        self._output_fault = f"{self.settings.name}: {difference}"
        self._output_fault_until_s = now_s + OUTPUT_FAULT_HOLD_S
        self._is_ready = False  # commands off and lights red before the next poll counts
        self._tell_health()
        self._publish(self._doubted(answer))

    def _doubted(self, answer: InputsAnswer) -> InputsAnswer:
        """While somebody else writes the outputs, no input is acted on: the lane stands in its fault, lights red."""
        return replace(answer, fault=answer.fault or self._output_fault) if self._is_tampered else answer

    def _tell_health(self) -> None:
        health = self.health()
        facts = (health.fault, health.is_safe_state_confirmed, health.is_tampered)
        if facts != self._told:
            self._told = facts
            for lane in self._lanes:
                lane.module_health_changed(health)
