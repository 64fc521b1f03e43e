"""One lane on virtual time with fakes for everything around it: the real controller, commands, rules and table."""

from __future__ import annotations

import asyncio
import heapq
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, Self

from gate_service.domain.errors import NotConfirmedError, RecordError
from gate_service.domain.mass import Mass
from gate_service.domain.ports import ClaimState, Duty, NobodyOnDuty, SlipAnswer, Source
from gate_service.domain.reading import (
    Aspect,
    BoomPosition,
    Detector,
    DeviceHealth,
    LaneInputs,
    Presence,
    Reading,
    Side,
    StabilityFrom,
    WeightStatus,
)
from gate_service.domain.record import Entry
from lanes.commands import LaneCommands
from lanes.controller import LaneController
from lanes.guards import Layout
from lanes.interlocks import FRESH_S, forbids_lowering
from lanes.knowledge import LanePorts
from lanes.orientation import opposite
from lanes.platform import DeckSettings
from lanes.settings import LaneSettings

POLL_S = 0.05
START = datetime(2026, 11, 22, 2, 0, tzinfo=UTC)


class VirtualClock:
    """Time that moves only when told. Starts at 100 s, so that a stamp of zero shows itself."""

    def __init__(self) -> None:
        self.now_s = 100.0
        self._sleepers: list[tuple[float, int, asyncio.Future[None]]] = []
        self._count = 0

    def now(self) -> datetime:
        return START + timedelta(seconds=self.now_s)

    def monotonic_s(self) -> float:
        return self.now_s

    async def sleep(self, duration_s: float) -> None:
        future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._count += 1
        heapq.heappush(self._sleepers, (self.now_s + duration_s, self._count, future))
        await future

    def move(self, duration_s: float) -> None:
        self.now_s += duration_s
        while self._sleepers and self._sleepers[0][0] <= self.now_s + 1e-9:
            future = heapq.heappop(self._sleepers)[2]
            if not future.done():
                future.set_result(None)


@dataclass
class MemoryJournal:
    """Keeps entries; can be made to refuse."""

    entries: list[Entry] = field(default_factory=list)
    writable: bool = True
    open: list[Any] = field(default_factory=list)

    async def write(self, entry: Entry) -> int:
        await asyncio.sleep(0)
        if not self.writable:
            raise RecordError("disk full")
        self.entries.append(entry)
        return len(self.entries)

    def is_writable(self) -> bool:
        return self.writable

    async def newest(self, kind: str, lane: str) -> Any:
        found = [entry.facts for entry in self.entries if (entry.kind, entry.lane) == (kind, lane)]
        return found[-1] if found else None

    async def open_passages(self) -> Sequence[Any]:
        return self.open

    async def photos(self, passage_id: str) -> Sequence[Any]:
        return [file for entry in self.entries if entry.passage_id == passage_id for file in entry.files]

    def kinds(self) -> list[str]:
        return [entry.kind for entry in self.entries]

    def events(self) -> list[str]:
        return [event.type.value for entry in self.entries for event in entry.events]


class RigBarrier:
    """A boom that takes a second each way on virtual time; `works` False never reaches its limit."""

    def __init__(self, rig: LaneRig, side: Side) -> None:
        self.rig, self.side = rig, side
        self.position = BoomPosition.DOWN
        self.works = True
        self.is_falling = False

    def expect_raise(self) -> None:
        """Nothing else uses its line."""

    async def raise_boom(self) -> None:
        if self.position is not BoomPosition.UP:
            self.rig.note_raise(self.side, is_reopening=self.is_falling)
            self.is_falling = False
            await self._travel(BoomPosition.UP)

    async def lower_boom(self, forbidden_by: Any = None) -> None:
        if self.position is not BoomPosition.DOWN:
            self.rig.note_lowering(self.side)
            self.is_falling = True
            await self._travel(BoomPosition.DOWN)

    async def stop_boom(self) -> None:
        return

    async def hold_open(self) -> None:
        await self.raise_boom()

    async def _travel(self, to: BoomPosition) -> None:
        self.position = BoomPosition.MOVING
        await self.rig.clock.sleep(1.0)
        if not self.works:
            raise NotConfirmedError(f"{self.side} boom: {to} expected within 1 s, found moving")
        self.position = to


class RigSignals:
    def __init__(self) -> None:
        self.shown: dict[Side, Aspect] = {}

    async def show(self, aspects: Any) -> None:
        self.shown = dict(aspects)


@dataclass
class RigSlips:
    slips: list[Any] = field(default_factory=list)
    known: dict[str, Any] = field(default_factory=dict)
    source: Source = Source.CENTRAL
    as_of: datetime | None = START
    finds: int = 0
    _kept: SlipAnswer | None = None

    async def find(self, **_: Any) -> SlipAnswer:
        await asyncio.sleep(0)
        self.finds += 1
        return self._answer()

    def look_ahead(self, **_: Any) -> None:
        """Every answer comes at once."""

    def at_hand(self, **_: Any) -> SlipAnswer | None:
        """Of the copy; the same object while nothing is said anew. The centre is asked each time."""
        answer = self._answer()
        if answer != self._kept:
            self._kept = answer
        return None if self.source is Source.CENTRAL else self._kept

    def _answer(self) -> SlipAnswer:
        return SlipAnswer(list(self.slips), self.source, self.as_of, START, dict(self.known))


class RigClaims:
    def __init__(self) -> None:
        self.given_back: list[str] = []

    async def claim(self, *_: Any, **__: Any) -> ClaimState:
        return ClaimState.GRANTED

    def give_back(self, passage_id: str) -> None:
        self.given_back.append(passage_id)


def lane_settings(layout: Layout | None = None, **settings: Any) -> LaneSettings:
    """An inbound declared lane that takes everything."""
    layout = layout or Layout()
    deck = DeckSettings(Mass.from_kg(20), Mass.from_kg(80_000), Mass.from_kg(40))
    return LaneSettings(
        id="in-1", site_id="K1", name={"zh": "一", "en": "One"}, kind="declared", direction="inbound",
        allows_hazmat=True, layout=layout, deck=deck if layout.has_weighbridge else None,
        verified_until_at=START + timedelta(days=100), is_safe_state_accepted=True, **settings,
    )  # fmt: skip


class LaneRig:
    """Sets detectors, mass and fire; `run` lets virtual time pass with a poll every 50 ms and a frame every 100 ms."""

    def __init__(
        self,
        layout: Layout | None = None,
        *,
        lowering_rule: Any = forbids_lowering,
        policy_at: Any = None,
        duty: Duty | None = None,
        **settings: Any,
    ) -> None:
        layout = layout or Layout()
        self.clock = VirtualClock()
        self.journal = MemoryJournal()
        self.slips, self.claims, self.signals = RigSlips(), RigClaims(), RigSignals()
        self.violations: list[str] = []
        self.raises: list[tuple[Side, str | None]] = []
        sides = ([Side.ENTRY] if layout.has_entry_barrier else []) + ([Side.EXIT] if layout.has_exit_barrier else [])
        self.barriers = {side: RigBarrier(self, side) for side in sides}
        self.detectors = dict.fromkeys(self._detectors(layout), Presence.CLEAR)
        self.kg: int | None = 0
        self.is_stable = True
        self.fire: bool | None = False
        self.button = False
        self.zeroed = 0
        self.mains_failed: bool | None = None
        self.queue: tuple[str, ...] = ()
        self.far: str | None = None
        self.is_io_alive = True
        self.polled_s = 0.0
        self.lane = LaneController(
            lane_settings(layout, **settings),
            LanePorts(
                self.barriers, self.signals, self.journal, self.slips, self.claims, self.clock,
                on_changed=lambda _: None, clock_error_s=lambda: 1, lowering_rule=lowering_rule, zero=self._zero,
                policy_at=policy_at,
                duty=duty or NobodyOnDuty(),
            ),
        )  # fmt: skip
        self.commands = LaneCommands(self.lane)

    @staticmethod
    def _detectors(layout: Layout) -> list[Detector]:
        found = [Detector.APPROACH, Detector.EXIT_LOOP]
        if layout.has_entry_barrier:
            found.append(Detector.ENTRY_LOOP)
        if layout.has_weighbridge:
            found += [Detector.ENTRY_BEAM, Detector.EXIT_BEAM]
        return found

    async def __aenter__(self) -> Self:
        await self.lane.__aenter__()
        return self

    async def __aexit__(self, *exc: object) -> None:
        await self.lane.__aexit__(*exc)

    async def run(self, duration_s: float) -> None:
        """Let time pass."""
        for index in range(round(duration_s / POLL_S)):
            self.clock.move(POLL_S)
            if self.is_io_alive:
                self.polled_s = self.clock.monotonic_s()
                self.lane.inputs_read(self._inputs())
            if self.lane.settings.deck is not None and index % 2 == 0 and self.kg is not None:
                self.lane.weight_read(self._reading())
            for _ in range(8):
                await asyncio.sleep(0)

    def see(self, **presences: str) -> None:
        """Set detectors by name: `see(approach="occupied")`."""
        for name, word in presences.items():
            if Detector(name) in self.detectors:
                self.detectors[Detector(name)] = Presence(word)

    def note_raise(self, side: Side, *, is_reopening: bool) -> None:
        """A raise reached the barrier: its reason must stand in the record already, but for a reopen (RULES 8)."""
        named = opposite(side) if self.lane.is_turned else side
        reason = next((r for entry in reversed(self.journal.entries) if (r := self._raise_reason(entry, named))), None)
        self.raises.append((side, reason))
        if reason is None and not is_reopening:
            self.violations.append(f"{side} boom raised without a recorded reason")

    def note_lowering(self, side: Side) -> None:
        """A lowering reached the barrier: nothing may be under the boom by the truth, not by what was told.

        Of what happens behind inputs that have just died nobody can know; that they are dead must be known in time.
        """
        if not self.is_io_alive:
            if self.clock.monotonic_s() - self.polled_s > FRESH_S:
                self.violations.append(f"{side} boom lowered on dead inputs")
            return
        under = {
            Side.ENTRY: (Detector.ENTRY_LOOP, Detector.ENTRY_BEAM),
            Side.EXIT: (Detector.EXIT_LOOP, Detector.EXIT_BEAM),
        }[side]
        for detector in under:
            if self.detectors.get(detector, Presence.CLEAR) is not Presence.CLEAR:
                self.violations.append(f"{side} boom lowered with {detector} {self.detectors[detector]}")
        if self.fire is not False:
            self.violations.append(f"{side} boom lowered during fire")

    @staticmethod
    def _raise_reason(entry: Entry, side: Side) -> str | None:
        if entry.kind == "boom_raise":
            return str(entry.facts["reason"]) if entry.facts["side"] == side.value else None
        reason = entry.facts.get("raise")
        return None if reason is None else str(reason)

    async def _zero(self) -> None:
        self.zeroed += 1
        self.kg = 0

    def _inputs(self) -> LaneInputs:
        booms = {side: barrier.position for side, barrier in self.barriers.items()}
        at, at_s = self.clock.now(), self.clock.monotonic_s()
        return LaneInputs(
            dict(self.detectors), booms, self.fire, at, at_s, local_button=self.button,
            power_fail=self.mains_failed, queue=tuple(Presence(word) for word in self.queue),
            far_approach=None if self.far is None else Presence(self.far),
        )  # fmt: skip

    def _reading(self) -> Reading:
        value = Mass.from_kg(self.kg or 0)
        at, at_s = self.clock.now(), self.clock.monotonic_s()
        return Reading(
            WeightStatus.OK, value, self.is_stable, StabilityFrom.COMPUTED, None, str(self.kg), b"", at, at_s
        )

    def heal(self, device: str = "io-1") -> DeviceHealth:
        """A healthy report of a device."""
        return DeviceHealth(device, "io_module", None, self.clock.monotonic_s(), is_safe_state_confirmed=True)
