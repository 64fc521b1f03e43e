"""The weighbridge of a lane: port, decoder and stability in one; every frame becomes one Reading in the lane's sink.

It reports and never decides: what it cannot read is NO_DATA or counted as rejected, never an old or guessed weight.
"""

from __future__ import annotations

import asyncio
import logging
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from types import TracebackType
from typing import Final, Self

from devices.links.recorder import LastBytes
from devices.links.serial import SerialLink
from devices.weighbridge import protocols
from devices.weighbridge.frame import Decoded, Reason, WeightFrame
from devices.weighbridge.poller import Poller
from devices.weighbridge.stability import StabilitySettings, StabilityWindow
from gate_service.domain.errors import MassError
from gate_service.domain.events import JsonObject
from gate_service.domain.mass import Mass, is_multiple_of
from gate_service.domain.ports import Clock, LaneSink
from gate_service.domain.reading import DeviceHealth, Reading, StabilityFrom, WeightStatus

DEFAULT_INTERVAL: Final = Mass(20_000)  # d = 20 kg, the usual plate of a 60 to 100 t weighbridge
STALE_S: Final = 3.0  # no valid frame for so long is NO_DATA (reference rule for indicators that send continuously)
NOT_YET: Final = "no valid frame yet"
OFF_INTERVAL: Final = "off_interval"
NO_FAULT: Final = frozenset({Reason.TARE, Reason.NOT_WEIGHT})
"""Good frames of another kind, which some indicators send between the weights."""

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class WeighbridgeSettings:
    """One weighbridge. `unit` is what it shows, used where the frame names none; `interval` is the scale interval d.

    `decimals`: how many its display shows, None: any. A frame that contradicts `unit` or `decimals` is never stable:
    somebody changed the indicator, and a point or unit misread is a weight ten or a thousand times wrong.
    """

    name: str
    protocol: str
    port: str
    unit: str = "kg"
    decimals: int | None = None
    interval: Mass = DEFAULT_INTERVAL
    options: Mapping[str, str] = field(default_factory=dict)
    stale_s: float = STALE_S
    stability: StabilitySettings = field(default_factory=StabilitySettings)


class WeighbridgeDriver:
    """Owns the port of one indicator while entered. `InputError` at construction: unknown protocol, option or port."""

    def __init__(self, settings: WeighbridgeSettings, clock: Clock, sink: LaneSink) -> None:
        self._settings = settings
        self._clock = clock
        self._sink = sink
        self._decoder = protocols.create(settings.protocol, settings.options)
        self._link = SerialLink(settings.port, clock, on_bytes=self._received, on_fault=self._link_changed)
        self._poller: Poller | None = None
        stability = settings.stability
        poll = protocols.poll_of(settings.protocol, settings.options)
        if poll is not None:
            self._poller = Poller(poll, self._link.write, clock, self._fell_quiet)
            longest_gap_s = max(stability.longest_gap_s, 2 * poll.longest_s)  # one answer may be lost
            stability = replace(stability, longest_gap_s=longest_gap_s)
        self._window = StabilityWindow(stability, settings.interval)
        self._tasks: list[asyncio.Task[None]] = []
        self._received_bytes = LastBytes()
        self._rejects: Counter[str] = Counter()
        self._frames = 0
        self._last_valid_s: float | None = None
        self._is_stale = True
        self._link_fault: str | None = "not connected yet"
        self._value_fault: str | None = None
        self._alibi: tuple[Mass, str] | None = None
        self._told: DeviceHealth | None = None

    async def __aenter__(self) -> Self:
        quality = protocols.QUALITY[self._settings.protocol]
        if quality.mark is protocols.Mark.MANUAL:
            log.warning("%s: protocol %s is %s", self._settings.name, self._settings.protocol, quality.mark)
        self._tell_health()
        await self._link.__aenter__()
        self._tasks.append(asyncio.create_task(self._watch_age(), name=f"age of {self._settings.name}"))
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

    def health(self) -> DeviceHealth:
        """Say how the device is now."""
        stale = NOT_YET if self._last_valid_s is None else f"no valid frame for {self._settings.stale_s:g} s"
        return DeviceHealth(
            device=self._settings.name,
            kind="weighbridge",
            fault=self._link_fault or (stale if self._is_stale else None) or self._value_fault,
            last_good_monotonic_s=self._last_valid_s,
            rejects=dict(self._rejects),
        )

    def snapshot(self) -> JsonObject:
        """Facts for the device page."""
        health = self.health()
        age_s = None if self._last_valid_s is None else self._clock.monotonic_s() - self._last_valid_s
        return {
            "device": health.device,
            "kind": health.kind,
            "fault": health.fault,
            "age_ms": None if age_s is None else int(age_s * 1000),
            "frames": self._frames,
            "rejects": dict(self._rejects),
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
        if not isinstance(decoded, WeightFrame):
            self._reject(str(decoded.reason), is_fault=decoded.reason not in NO_FAULT)
            return
        if self._poller is not None:
            self._poller.note_answer()
        try:
            reading = self._reading(decoded, at_s)
        except MassError:  # a number no vehicle has, or a unit that is none of mass
            self._reject("value")
            return
        self._frames += 1
        self._last_valid_s, self._is_stale = at_s, False
        self._tell_health()
        self._sink.weight_read(reading)

    def _reject(self, reason: str, *, is_fault: bool = True) -> None:
        self._rejects[reason] += 1
        if is_fault:
            self._window.reject()

    def _reading(self, frame: WeightFrame, at_s: float) -> Reading:
        status = WeightStatus(str(frame.status))
        value = None
        if status is WeightStatus.OK and frame.value is not None:
            value = Mass.from_displayed(frame.value, frame.unit or self._settings.unit)
        elif status is WeightStatus.OK:
            raise MassError("a frame that is ok without a value")
        unit = frame.unit or self._settings.unit
        return Reading(
            status=status,
            value=value,
            is_stable=self._is_stable(frame, value, at_s),
            stability_from=StabilityFrom.COMPUTED if frame.stable is None else StabilityFrom.REPORTED,
            is_net=frame.net,
            displayed=None if frame.value is None else f"{frame.value} {unit}",
            raw=frame.raw,
            taken_at=self._clock.now(),
            taken_monotonic_s=at_s,
            alibi_id=self._alibi_id(frame, value),
        )

    def _alibi_id(self, frame: WeightFrame, value: Mass | None) -> str | None:
        """The alibi record of this weight: named by the frame, or by one before it while the weight stays the same."""
        if value is not None and frame.alibi_id is not None:
            self._alibi = (value, frame.alibi_id)
        elif self._alibi is not None and value != self._alibi[0]:
            self._alibi = None
        return None if self._alibi is None else self._alibi[1]

    def _is_stable(self, frame: WeightFrame, value: Mass | None, at_s: float) -> bool | None:
        """Reported where the frame says, else computed; a value that cannot be this weighbridge's is never stable."""
        if value is None or frame.value is None:
            self._window.clear()
            return None
        computed = self._window.add(value, at_s)
        mismatch = self._mismatch(frame, frame.value, value)
        self._value_fault = None
        if mismatch is not None:
            reason, self._value_fault = mismatch
            self._rejects[reason] += 1
            return False
        return computed if frame.stable is None else frame.stable

    def _mismatch(self, frame: WeightFrame, text: str, value: Mass) -> tuple[str, str] | None:
        """What of the frame contradicts the settings: a word to count, and a sentence."""
        settings = self._settings
        if frame.unit not in (None, settings.unit):
            return "unit_configured", f"unit {settings.unit} is configured, the indicator shows {frame.unit}"
        decimals = len(text.partition(".")[2])
        if settings.decimals not in (None, decimals):
            found = f"{settings.decimals} decimals are configured, the indicator shows {text}"
            return "decimals_configured", found
        if not is_multiple_of(value, settings.interval):
            return OFF_INTERVAL, f"a displayed value is no multiple of d = {settings.interval}"
        return None

    def _link_changed(self, fault: str | None) -> None:
        """Start afresh on every opening; a lost link voids the weight at once."""
        self._link_fault = fault
        self._decoder = protocols.create(self._settings.protocol, self._settings.options)
        if fault is not None:
            self._go_stale()
        self._tell_health()

    async def _watch_age(self) -> None:
        """Turn silence into NO_DATA."""
        started_s = self._clock.monotonic_s()
        is_told = False  # the first NO_DATA too: a lane must hear that nothing has ever come
        while True:
            since_s = started_s if self._last_valid_s is None else self._last_valid_s
            left_s = since_s + self._settings.stale_s - self._clock.monotonic_s()
            if left_s > 0:
                is_told = False
                await self._clock.sleep(left_s)
                continue
            if not is_told:
                is_told = True
                self._go_stale(is_repeated=True)
                self._tell_health()
            await self._clock.sleep(self._settings.stale_s / 10)

    def _go_stale(self, *, is_repeated: bool = False) -> None:
        if self._is_stale and not is_repeated:
            return
        self._is_stale = True
        self._window.clear()
        self._sink.weight_read(
            Reading(
                status=WeightStatus.NO_DATA,
                value=None,
                is_stable=None,
                stability_from=StabilityFrom.COMPUTED,
                is_net=None,
                displayed=None,
                raw=b"",
                taken_at=self._clock.now(),
                taken_monotonic_s=self._clock.monotonic_s(),
            )
        )

    def _tell_health(self) -> None:
        health = self.health()
        if self._told is None or health.fault != self._told.fault:
            self._told = health
            self._sink.health_changed(health)
