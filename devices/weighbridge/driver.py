"""The weighbridge of a lane on a serial line: port, decoder and questions; every frame becomes one Reading."""

from __future__ import annotations

import asyncio
import logging
from dataclasses import replace
from types import TracebackType
from typing import Self

from devices.links.recorder import LastBytes
from devices.links.serial import SerialLink
from devices.weighbridge import protocols
from devices.weighbridge.frame import Decoded, WeightFrame
from devices.weighbridge.poller import Poller
from devices.weighbridge.reporting import WeightReporting
from devices.weighbridge.settings import WeighbridgeSettings
from gate_service.domain.errors import CommandRefusedError
from gate_service.domain.events import JsonObject
from gate_service.domain.ports import Clock, LaneSink
from gate_service.domain.reading import DeviceHealth

log = logging.getLogger(__name__)


class WeighbridgeDriver:
    """Owns the port of one indicator while entered. `InputError` at construction: unknown protocol, option or port."""

    def __init__(self, settings: WeighbridgeSettings, clock: Clock, sink: LaneSink) -> None:
        self._settings = settings
        self._clock = clock
        self._decoder = protocols.create(settings.protocol, settings.options)
        self._link = SerialLink(settings.port, clock, on_bytes=self._received, on_fault=self._link_changed)
        self._poller: Poller | None = None
        stability = settings.stability
        self._zero = protocols.zero_of(settings.protocol, settings.options)
        poll = protocols.poll_of(settings.protocol, settings.options)
        if poll is not None:
            self._poller = Poller(poll, self._link.write, clock, self._fell_quiet)
            longest_gap_s = max(stability.longest_gap_s, 2 * poll.longest_s)  # one answer may be lost
            stability = replace(stability, longest_gap_s=longest_gap_s)
        self._reporting = WeightReporting(settings, clock, sink, stability)
        self._tasks: list[asyncio.Task[None]] = []
        self._received_bytes = LastBytes()

    async def __aenter__(self) -> Self:
        quality = protocols.QUALITY[self._settings.protocol]
        if quality.mark is protocols.Mark.MANUAL:
            log.warning("%s: protocol %s is %s", self._settings.name, self._settings.protocol, quality.mark)
        self._reporting.tell_health()
        await self._link.__aenter__()
        watching = self._reporting.watch_age()
        self._tasks.append(asyncio.create_task(watching, name=f"age of {self._settings.name}"))
        if self._poller is not None:
            self._tasks.append(asyncio.create_task(self._poller.run(), name=f"questions to {self._settings.name}"))
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, exc: BaseException | None, trace: TracebackType | None
    ) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self._link.__aexit__(kind, exc, trace)

    @property
    def has_zero(self) -> bool:
        """Whether the site lets the indicator be zeroed from here."""
        return self._zero is not None

    async def zero(self) -> None:
        """Send the zero command once; whether it was obeyed, the next readings show. Raises LinkLostError."""
        if self._zero is None:
            raise CommandRefusedError(f"{self._settings.name}: option zero expected in the site file, found off")
        await self._link.write(self._zero)

    def health(self) -> DeviceHealth:
        """Say how the device is now."""
        return self._reporting.health()

    def snapshot(self) -> JsonObject:
        """Facts for the device page."""
        return {
            **self._reporting.facts(),
            "last_received": self._received_bytes.hex(),
            "protocol": self._settings.protocol,
            "quality": str(protocols.QUALITY[self._settings.protocol].mark),
            "port": self._settings.port,
        }

    def _received(self, data: bytes, at_s: float) -> None:
        self._received_bytes.add(data)
        if self._poller is not None:
            self._poller.note_bytes(at_s)
        for decoded in self._decoder.feed(data):
            self._take(decoded, at_s)

    def _fell_quiet(self) -> None:
        """A polled line is quiet: what came is all there is, so a text without line end is whole now."""
        at_s = self._clock.monotonic_s()
        for decoded in self._decoder.flush():
            self._take(decoded, at_s)

    def _take(self, decoded: Decoded, at_s: float) -> None:
        if self._poller is not None and isinstance(decoded, WeightFrame):
            self._poller.note_answer()
        self._reporting.take(decoded, at_s)

    def _link_changed(self, fault: str | None) -> None:
        """Start afresh on every opening."""
        self._decoder = protocols.create(self._settings.protocol, self._settings.options)
        self._reporting.link_changed(fault)
