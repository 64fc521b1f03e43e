"""The Protocols through which devices, lanes and sync meet in `bootstrap`; none of those packages imports another."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Protocol

from gate_service.domain.draws import WantedDraw
from gate_service.domain.events import JsonObject
from gate_service.domain.reading import Aspect, DeviceHealth, LaneInputs, Reading, Side
from gate_service.domain.record import Entry, FileRef
from gate_service.domain.regime import Regime


class Clock(Protocol):
    """Time as an argument: tests and the simulation bring their own."""

    def now(self) -> datetime:
        """Aware UTC wall time."""
        ...

    def monotonic_s(self) -> float:
        """Seconds that never jump; for ages and durations only."""
        ...

    async def sleep(self, duration_s: float) -> None:
        """Wait."""
        ...


Forbidden = Callable[[], str | None]
"""Why something must not be done now; None where nothing forbids it."""


class Barrier(Protocol):
    """One boom. A command returns when the limit input confirms it; it is never assumed to have worked."""

    def expect_raise(self) -> None:
        """Say that a raise is being recorded: it may come in some milliseconds, or not at all. Moves nothing."""
        ...

    async def raise_boom(self) -> None:
        """Raise and see the up limit. Pre-empts a lowering under way. Does nothing when already up and at rest.

        Raises LinkLostError, EchoMismatchError or NotConfirmedError.
        """
        ...

    async def lower_boom(self, forbidden_by: Forbidden | None = None) -> None:
        """Lower and see the down limit. Returns early, raising NotConfirmedError, when a raise or stop pre-empts it.

        The caller asks the interlocks first; `forbidden_by` asks them again in the moment of sending, after whatever
        was polled while the command waited: NotSentError where they forbid it then. Raises as `raise_boom`.
        """
        ...

    async def stop_boom(self) -> None:
        """Drop both command outputs at once."""
        ...

    async def hold_open(self) -> None:
        """Raise, and where the barrier takes a held contact keep it closed as a lease until the next lower or stop.

        A lease ends by itself soon after this service falls silent. Where nothing would end it, it is a plain raise.
        Raises as `raise_boom`.
        """
        ...


class Signals(Protocol):
    """The lights of a lane."""

    async def show(self, aspects: Mapping[Side, Aspect]) -> None:
        """Set both sides; written outputs are confirmed by their echo. Raises DeviceError."""
        ...


class LaneSink(Protocol):
    """Where device drivers put what they see. Calls never block and never raise; they run on the event loop."""

    def weight_read(self, reading: Reading) -> None:
        """One valid frame of the lane's weighbridge, or NO_DATA once it went stale."""
        ...

    def inputs_read(self, inputs: LaneInputs) -> None:
        """One poll of the lane's inputs, good or UNKNOWN."""
        ...

    def health_changed(self, health: DeviceHealth) -> None:
        """A device fell into or came out of a fault."""
        ...


class Journal(Protocol):
    """The record. One writer; an entry acknowledged here survives a power cut."""

    def write(self, entry: Entry) -> Awaitable[int]:
        """Queue one transaction, in the order of the calls; what is awaited is its commit and gapless record number.

        Raises RecordError; SlipTakenError where other passages hold a slip it would reserve (judge again with new
        ledger facts), LedgerRefusedError for a used slip given back: then nothing of the entry was written.
        """
        ...

    def is_writable(self) -> bool:
        """False once a write failed, the chain broke, or the disk is below its reserve."""
        ...

    async def newest(self, kind: str, lane: str) -> JsonObject | None:
        """Facts of the newest entry of a kind about a lane, or None."""
        ...

    async def open_passages(self) -> Sequence[JsonObject]:
        """Passage documents that are not closed: what a restart shows to a person."""
        ...

    async def photos(self, passage_id: str) -> Sequence[FileRef]:
        """Files that the entries of a passage name, oldest first."""
        ...


class Source(StrEnum):
    """Who answered about a slip."""

    CENTRAL = "central"
    LOCAL = "local"


@dataclass(frozen=True, slots=True)
class SlipAnswer:
    """What is known for one vehicle, in the shapes of CONTRACT 2 and 3 (`gate assess`).

    `slips` are those to be judged; `known` is the `known` object of a case (declarations, enterprises, vehicles,
    holds, tares, used, revoked, inside, ...), narrowed to what this vehicle and these slips can touch.
    """

    slips: Sequence[JsonObject]
    source: Source
    as_of: datetime | None
    holds_as_of: datetime | None
    known: JsonObject


class SlipSource(Protocol):
    """Offline is an answerer, not an `if`: same interface for the central system and the local copy."""

    async def find(self, *, scanned: Sequence[str], plate: str | None, direction: str, passage_id: str) -> SlipAnswer:
        """Slips by scanned numbers or, with none scanned, by plate. Never raises for a centre that does not answer."""
        ...

    def look_ahead(self, *, scanned: Sequence[str], plate: str | None, direction: str, passage_id: str) -> None:
        """Say what will be asked soon, so that the answer may be at hand. Never raises, never waits."""
        ...

    def at_hand(
        self, *, scanned: Sequence[str], plate: str | None, direction: str, passage_id: str
    ) -> SlipAnswer | None:
        """What `find` would answer now without asking or reading; None where it would. The same object until then."""
        ...


class ClaimState(StrEnum):
    """Answer to a claim, as in a case."""

    NOT_NEEDED = "not_needed"
    GRANTED = "granted"
    REFUSED = "refused"
    UNAVAILABLE = "unavailable"


class Claims(Protocol):
    """One slip, one truck, over all sites."""

    async def claim(self, slip_nos: Sequence[str], *, passage_id: str, lane: str, at: datetime) -> ClaimState:
        """Claim all or none; the same passage asking again gets the same answer. Never raises."""
        ...

    def give_back(self, passage_id: str) -> None:
        """Return a claim, in the background and until it is acknowledged."""
        ...


class Duty(Protocol):
    """Who is on duty and what is in force; asked at every release against the rules. Never waits."""

    def shift(self) -> str:
        """The shift's number, as overrides are counted under it."""
        ...

    def overrides(self) -> Mapping[str, int]:
        """By reason code: how many passages were released against it in this shift."""
        ...

    def regime(self) -> Regime | None:
        """The emergency regime, if one is open now."""
        ...

    def released(self, reasons: Sequence[str], regime_id: str | None) -> None:
        """A release against these reasons is on disk, in the regime where one is named."""
        ...


class NobodyOnDuty:
    """For lanes without people (tests, the bench): nothing is counted and no regime is ever open."""

    def shift(self) -> str:
        """No shift."""
        return "0"

    def overrides(self) -> Mapping[str, int]:
        """Nothing."""
        return {}

    def regime(self) -> Regime | None:
        """None."""
        return None

    def released(self, reasons: Sequence[str], regime_id: str | None) -> None:
        """Forget it."""


PolicyAt = Callable[[datetime], JsonObject | None]
"""The policy that judges at a moment; None is the default of the rules."""


class Draws(Protocol):
    """Draws under the day's secret, made once and kept."""

    async def draw(self, wanted: Sequence[WantedDraw], passage_id: str) -> Mapping[str, bool]:
        """Every draw asked for, by name, recorded before it is answered. Never raises; what fails counts as drawn."""
        ...


StateListener = Callable[[str], None]
"""Called with a lane id whenever that lane's snapshot changed."""
