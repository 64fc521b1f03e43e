"""The weighbridge of a lane behind a weighing transmitter on Modbus: asks weight and status in one request.

A question without answer is counted; the weight is void when the connection is lost, or `stale_s` after an answer.
Only questions that read are sent.
"""

from __future__ import annotations

import asyncio
import logging
from collections import Counter
from dataclasses import replace
from types import TracebackType
from typing import Final, Self

from devices.links.address import parse_modbus
from devices.links.modbus import ModbusBus
from devices.weighbridge import transmitter_decoder
from devices.weighbridge.reporting import WeightReporting
from devices.weighbridge.settings import WeighbridgeSettings
from gate_service.domain.errors import CommandRefusedError, DeviceRefusedError, LinkLostError
from gate_service.domain.events import JsonObject
from gate_service.domain.ports import Clock, LaneSink
from gate_service.domain.reading import DeviceHealth

PROTOCOL: Final = "modbus"
PERIOD_S: Final = 0.1  # ten questions a second: transmitters convert 10 to 100 times a second (their manuals)
QUALITY: Final = "from the manual only"  # no captured reply of a truck transmitter is known

log = logging.getLogger(__name__)


class TransmitterDriver:
    """Owns one unit while entered. Give `bus` when several units share one. `InputError`: bad port or option."""

    def __init__(
        self, settings: WeighbridgeSettings, clock: Clock, sink: LaneSink, bus: ModbusBus | None = None
    ) -> None:
        address = parse_modbus(settings.port)
        self._settings = settings
        self._clock = clock
        self._decoder = transmitter_decoder.create(settings.options)
        self._own_bus = ModbusBus(address, clock) if bus is None else None
        shared = bus or self._own_bus
        assert shared is not None
        self._bus = shared
        self._unit = shared.unit(address.unit)
        stability = settings.stability
        longest_gap_s = max(stability.longest_gap_s, 10 * PERIOD_S)  # a lost answer costs 0.4 s and a new connection
        self._reporting = WeightReporting(settings, clock, sink, replace(stability, longest_gap_s=longest_gap_s))
        self._tasks: list[asyncio.Task[None]] = []
        self._is_link_up = False

    async def __aenter__(self) -> Self:
        profile = self._decoder.profile
        log.warning("%s: transmitter profile %s is %s", self._settings.name, profile.name, QUALITY)
        self._reporting.tell_health()
        if self._own_bus is not None:
            await self._own_bus.__aenter__()
        for task, what in ((self._reporting.watch_age(), "age of"), (self._ask_forever(), "questions to")):
            self._tasks.append(asyncio.create_task(task, name=f"{what} {self._settings.name}"))
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, exc: BaseException | None, trace: TracebackType | None
    ) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        if self._own_bus is not None:
            await self._own_bus.__aexit__(kind, exc, trace)

    has_zero = False  # nothing is ever written to a transmitter

    async def zero(self) -> None:
        """Refuse: a transmitter is zeroed at its own keys."""
        raise CommandRefusedError(f"{self._settings.name}: a transmitter on Modbus is not zeroed from here")

    def health(self) -> DeviceHealth:
        """Say how the device is now; what the bus rejected counts with what the decoder did."""
        health = self._reporting.health()
        return replace(health, rejects=dict(Counter(health.rejects) + self._unit.rejects))

    def snapshot(self) -> JsonObject:
        """Facts for the device page."""
        return {
            **self._reporting.facts(),
            "rejects": self.health().rejects,
            "last_sent": self._unit.sent.hex(),
            "last_received": self._unit.received.hex(),
            "protocol": f"{PROTOCOL} ({self._decoder.profile.title})",
            "quality": QUALITY,
            "patience": self._bus.patience_with(self._unit),
            "port": self._settings.port,
        }

    async def _ask_forever(self) -> None:
        """Task root: one question at a time, the next when it is due."""
        profile = self._decoder.profile
        while True:
            asked_s = self._clock.monotonic_s()
            try:
                registers = await self._unit.read_registers(profile.base, profile.count, are_inputs=profile.are_inputs)
            except LinkLostError as exc:
                self._reporting.reject("no_answer")
                self._note_link(self._bus.fault and str(exc))
            except DeviceRefusedError as exc:  # another device, or another firmware: no weight stands here
                self._note_link(str(exc))
            else:
                self._note_link(None)
                self._reporting.take(self._decoder.decode(registers, asked_s), asked_s)
            await self._clock.sleep(max(PERIOD_S / 10, asked_s + PERIOD_S - self._clock.monotonic_s()))

    def _note_link(self, fault: str | None) -> None:
        if fault is not None or not self._is_link_up:
            self._reporting.link_changed(fault)
        self._is_link_up = fault is None
