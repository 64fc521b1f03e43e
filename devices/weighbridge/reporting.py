"""Frames of one indicator to Readings in the sink: stability, contradictions, silence. It reports and never decides.

What cannot be read is NO_DATA or counted as rejected, never an old or guessed weight. Whoever owns the link (serial or
Modbus) tells here what came and whether the link stands.
"""

from __future__ import annotations

from collections import Counter
from typing import Final

from devices.weighbridge.frame import Decoded, Reason, WeightFrame
from devices.weighbridge.settings import WeighbridgeSettings
from devices.weighbridge.stability import StabilitySettings, StabilityWindow
from gate_service.domain.errors import MassError
from gate_service.domain.events import JsonObject
from gate_service.domain.mass import Mass, is_multiple_of
from gate_service.domain.ports import Clock, LaneSink
from gate_service.domain.reading import DeviceHealth, Reading, StabilityFrom, WeightStatus

NOT_YET: Final = "no valid frame yet"
OFF_INTERVAL: Final = "off_interval"
NO_FAULT: Final = frozenset({Reason.TARE, Reason.NOT_WEIGHT})
"""Good frames of another kind, which some indicators send between the weights."""


class WeightReporting:
    """One weighbridge as its lane hears of it. `stability` may differ from the settings' where frames come rarely."""

    def __init__(
        self, settings: WeighbridgeSettings, clock: Clock, sink: LaneSink, stability: StabilitySettings | None = None
    ) -> None:
        self.rejects: Counter[str] = Counter()
        self._settings = settings
        self._clock = clock
        self._sink = sink
        self._window = StabilityWindow(stability or settings.stability, settings.interval)
        self._frames = 0
        self._last_valid_s: float | None = None
        self._is_stale = True
        self._link_fault: str | None = "not connected yet"
        self._value_fault: str | None = None
        self._alibi: tuple[Mass, str] | None = None
        self._told_fault: str | None = ""  # none yet: the first health is told, good or not

    def take(self, decoded: Decoded, at_s: float) -> None:
        """One frame, or rejected bytes, that came at this monotonic time."""
        if not isinstance(decoded, WeightFrame):
            self.reject(str(decoded.reason), is_fault=decoded.reason not in NO_FAULT)
            return
        try:
            reading = self._reading(decoded, at_s)
        except MassError:  # a number no vehicle has, or a unit that is none of mass
            self.reject("value")
            return
        self._frames += 1
        self._last_valid_s, self._is_stale = at_s, False
        self.tell_health()
        self._sink.weight_read(reading)

    def reject(self, reason: str, *, is_fault: bool = True) -> None:
        """Count what ought to have been a weight and was not."""
        self.rejects[reason] += 1
        if is_fault:
            self._window.reject()

    def link_changed(self, fault: str | None) -> None:
        """The link is lost (why) or back (None); a lost link voids the weight at once."""
        self._link_fault = fault
        if fault is not None:
            self._go_stale()
        self.tell_health()

    def health(self) -> DeviceHealth:
        """Say how the device is now."""
        return DeviceHealth(
            device=self._settings.name,
            kind="weighbridge",
            fault=self._fault(),
            last_good_monotonic_s=self._last_valid_s,
            rejects=dict(self.rejects),
        )

    def facts(self) -> JsonObject:
        """What the device page shows of any weighbridge."""
        health = self.health()
        age_s = None if self._last_valid_s is None else self._clock.monotonic_s() - self._last_valid_s
        return {
            "device": health.device,
            "kind": health.kind,
            "fault": health.fault,
            "age_ms": None if age_s is None else int(age_s * 1000),
            "frames": self._frames,
            "rejects": health.rejects,
        }

    def tell_health(self) -> None:
        """Tell the lane, where the fault is another one than told before."""
        fault = self._fault()
        if fault != self._told_fault:
            self._told_fault = fault
            self._sink.health_changed(self.health())

    def _fault(self) -> str | None:
        stale = None
        if self._is_stale:
            never = self._last_valid_s is None
            stale = NOT_YET if never else f"no valid frame for {self._settings.stale_s:g} s"
        return self._link_fault or stale or self._value_fault

    async def watch_age(self) -> None:
        """Task root: turn silence into NO_DATA."""
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
                self.tell_health()
            await self._clock.sleep(self._settings.stale_s / 10)

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
            self.rejects[reason] += 1
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
