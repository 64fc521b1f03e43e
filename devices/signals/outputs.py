"""The outputs of one module: what is known of them, what the board itself ends, and who else writes them.

An output is known once its echo confirmed it and nothing has contradicted it since. Nothing here is sent twice.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from devices.links.order import Order
from devices.links.turns import Urgency
from devices.signals.points import ModulePoints
from devices.signals.profile import Profile, PulseKind
from gate_service.domain.errors import LinkLostError
from gate_service.domain.ports import Clock

PULSE_SLACK_S: Final = 0.3  # a board may end its pulse this much late before its output counts as foreign
LEASE_MS: Final = 3000  # an output held on by a board that times it goes off this long after we fall silent
RENEW_S: Final = 1.0  # so that two renewals may fail before a lease ends


@dataclass(frozen=True, slots=True)
class Difference:
    """Outputs that are not as they were written. `is_foreign`: somebody writes them; else they all fell at once."""

    outputs: Mapping[int, bool]  # as found
    is_foreign: bool

    def __str__(self) -> str:
        levels = [
            f"output {number}: {_level(not found)} was written and confirmed, {_level(found)} found"
            for number, found in self.outputs.items()
        ]
        cause = "something else writes it" if self.is_foreign else "all outputs fell: the module restarted or ran out"
        return f"{'; '.join(levels)}: {cause}"


class ModuleOutputs:
    """Writes outputs and remembers them. Everything that sends raises DeviceError; then that output is not known."""

    def __init__(self, points: ModulePoints, profile: Profile, clock: Clock) -> None:
        self._points = points
        self._profile = profile
        self._clock = clock
        self._known: dict[int, bool] = {}
        self._pulsing_until_s: dict[int, float] = {}
        self._renew_s: dict[int, float] = {}

    @property
    def known(self) -> Mapping[int, bool]:
        """Every known output with its level; one that the board pulses counts as off."""
        return self._known

    @property
    def are_timed_by_board(self) -> bool:
        """Whether the board itself ends a pulse, so that a lease ends though this service dies."""
        return self._profile.pulse.kind is not PulseKind.HOST_TIMED

    def is_known(self, output: int, *, is_on: bool) -> bool:
        """Whether the output certainly has this level now."""
        if self._clock.monotonic_s() < self._pulsing_until_s.get(output, 0.0):
            return False
        return self._known.get(output) is is_on

    def forget(self) -> None:
        """Nothing is known any more: the link was lost, or somebody else writes. Leases are not renewed."""
        self._known.clear()
        self._pulsing_until_s.clear()
        self._renew_s.clear()

    async def write(
        self, output: int, *, is_on: bool, urgency: Urgency = Urgency.COMMAND, order: Order | None = None
    ) -> None:
        """Set one output once and confirm it by its echo."""
        self._drop(output)
        await self._points.write_output(output, is_on=is_on, urgency=urgency, order=order)
        self._known[output] = is_on

    async def pulse(self, output: int, pulse_ms: int, *, order: Order | None = None) -> None:
        """Have the board pulse one output; returns when it confirmed the order, not at the end of the pulse."""
        self._drop(output)
        until_s = self._clock.monotonic_s() + pulse_ms / 1000 + PULSE_SLACK_S
        await self._points.write_timed_pulse(output, pulse_ms, order=order)
        self._pulsing_until_s[output] = until_s
        self._known[output] = False

    async def hold(self, output: int, *, urgency: Urgency = Urgency.COMMAND, order: Order | None = None) -> None:
        """Keep one output on until it is written: as a lease where the board times it, else as a plain on."""
        if not self.are_timed_by_board:
            await self.write(output, is_on=True, urgency=urgency, order=order)
            return
        self._drop(output)
        await self._lease(output, urgency=urgency, order=order)

    async def renew_due(self) -> None:
        """Renew every lease that is due. LinkLostError for one that lapsed: it is never switched on again from here."""
        now_s = self._clock.monotonic_s()
        for output in [output for output, due_s in self._renew_s.items() if now_s >= due_s]:
            late_s = now_s - self._renew_s[output] + RENEW_S
            if late_s >= LEASE_MS / 1000:
                raise LinkLostError(f"output {output}: its lease of {LEASE_MS} ms lapsed, {late_s:.1f} s since renewal")
            await self._lease(output, urgency=Urgency.SIGNAL)

    async def write_all(self, levels: Mapping[int, bool]) -> None:
        """Set all of these, everything off before anything on."""
        for output, is_on in sorted(levels.items(), key=lambda item: item[1]):
            await self.write(output, is_on=is_on)

    async def differ(self) -> Difference | None:
        """Read the outputs back and compare them with what is known. None too where they cannot be read back."""
        if not self._known:
            return None
        asked_s, expected = self._clock.monotonic_s(), dict(self._known)
        found = await self._points.read_outputs(1 + max(expected))
        if found is None:
            return None
        differing = {
            output: found[output]
            for output, is_on in expected.items()
            if found[output] is not is_on
            and self._known.get(output) is is_on
            and asked_s >= self._pulsing_until_s.get(output, 0.0)
        }
        if not differing:
            return None
        has_fallen = not any(found[output] for output in expected)
        return Difference(differing, is_foreign=not has_fallen)

    def _drop(self, output: int) -> None:
        self._known.pop(output, None)
        self._pulsing_until_s.pop(output, None)
        self._renew_s.pop(output, None)

    async def _lease(self, output: int, *, urgency: Urgency, order: Order | None = None) -> None:
        renew_s = self._clock.monotonic_s() + RENEW_S
        self._renew_s[output] = renew_s  # so that a write that ends the lease meanwhile is seen
        await self._points.write_timed_pulse(output, LEASE_MS, urgency=urgency, order=order)
        if self._renew_s.get(output) == renew_s:
            self._known[output] = True


def _level(is_on: bool) -> str:
    return "on" if is_on else "off"
