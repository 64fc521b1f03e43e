"""What the devices of a lane report, and how far it can be trusted. Unknown is a state, never zero or clear."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from gate_service.domain.mass import Mass


class WeightStatus(StrEnum):
    """What a weighing indicator says of itself; only `OK` can carry a value."""

    OK = "ok"
    OVERLOAD = "overload"
    UNDERLOAD = "underload"
    OUT_OF_RANGE = "out_of_range"
    ERROR = "error"
    NO_DATA = "no_data"  # nothing valid for the stale time, or the link is lost


class StabilityFrom(StrEnum):
    """Who says that a reading is stable; the record keeps it (OIML R 76 gives the indicator's own flag more weight)."""

    REPORTED = "reported"
    COMPUTED = "computed"


@dataclass(frozen=True, slots=True)
class Reading:
    """One report of a weighing indicator. `value` is None unless `status` is OK; `is_stable` None: not yet known."""

    status: WeightStatus
    value: Mass | None
    is_stable: bool | None
    stability_from: StabilityFrom
    is_net: bool | None
    displayed: str | None
    raw: bytes
    taken_at: datetime
    taken_monotonic_s: float
    alibi_id: str | None = None  # the record's name in the indicator's own alibi memory, where the frame gives one


class Presence(StrEnum):
    """What a loop or beam says. UNKNOWN after a time-out, a lost link or an implausible answer."""

    CLEAR = "clear"
    OCCUPIED = "occupied"
    UNKNOWN = "unknown"


class BoomPosition(StrEnum):
    """Where a boom is, from its limit inputs alone, never from the last command."""

    UP = "up"
    DOWN = "down"
    MOVING = "moving"  # neither limit, for less than the travel time allows
    STUCK = "stuck"  # neither limit, for longer
    BY_HAND = "by_hand"  # its switch says so, or it left its limit though nothing had been ordered
    CONTRADICTORY = "contradictory"  # both limits at once
    UNKNOWN = "unknown"


class Detector(StrEnum):
    """The places of a lane where a vehicle is seen, in driving order. A lane has some or all of them."""

    APPROACH = "approach"  # loop before the entry boom
    ENTRY_LOOP = "entry_loop"  # safety loop under the entry boom
    ENTRY_BEAM = "entry_beam"  # beam across the platform's entry edge
    EXIT_BEAM = "exit_beam"  # beam across the platform's exit edge
    EXIT_LOOP = "exit_loop"  # safety loop under the exit boom


class Side(StrEnum):
    """Which of a lane's two barriers."""

    ENTRY = "entry"
    EXIT = "exit"


class Aspect(StrEnum):
    """What the lights of one side show the driver. DARK never counts as GREEN."""

    RED = "red"
    GREEN = "green"
    BACK_OUT = "back_out"  # entry side only: lamp "drive back"


@dataclass(frozen=True, slots=True)
class LaneInputs:
    """One consistent look at a lane's inputs, all from the same answer of the I/O module.

    `detectors` and `booms` hold only what the lane has. `fire` None means that the input could not be read.
    `unknown_because` names the fault when these inputs are no knowledge to act on: the module is lost and everything is
    UNKNOWN, or a wire of the lane is broken and what it carries is. `local_button`, `power_fail`: None where it is not
    wired or cannot be read.
    """

    detectors: Mapping[Detector, Presence]
    booms: Mapping[Side, BoomPosition]
    fire: bool | None
    taken_at: datetime
    taken_monotonic_s: float
    unknown_because: str | None = None
    local_button: bool | None = None  # somebody in sight of the boom uses its button
    power_fail: bool | None = None  # mains lost: what still answers runs on its battery
    queue: tuple[Presence, ...] = ()  # loops before the approach loop, the nearest first; none: not wired
    far_approach: Presence | None = None  # of a reversible lane: loop beyond the exit boom; None: not wired


@dataclass(frozen=True, slots=True)
class DeviceHealth:
    """One device as the service sees it now: `fault` None is healthy; `last_good_monotonic_s` None: never answered."""

    device: str
    kind: str
    fault: str | None
    last_good_monotonic_s: float | None
    is_safe_state_confirmed: bool | None = None
    rejects: Mapping[str, int] | None = None
    is_tampered: bool = False  # somebody else writes its outputs
