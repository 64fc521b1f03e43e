"""What a person or a device asks of a lane, and who asks. Pure shapes; who may is `gate_service.web.access`."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from types import MappingProxyType
from typing import Any, Final


class Role(StrEnum):
    """What a person (or a device) is at this site. One role each."""

    OPERATOR = "operator"
    SUPERVISOR = "supervisor"
    AUDITOR = "auditor"  # reads everything, changes nothing
    AUTHORITY = "authority"  # zone authority: hazardous goods only
    ADMINISTRATOR = "administrator"  # accounts only: who keeps the accounts does not work the lanes
    CUSTOMS = "customs"
    DEVICE = "device"


class Scope(StrEnum):
    """What a token may do; a token has one or more, and may be bound to lanes."""

    SCAN = "scan"  # report a scanned slip
    PLATE = "plate"  # report what a camera saw
    DISPLAY = "display"  # show the driver display
    READ = "read"  # lanes, passages, slips, devices, sync
    EVENTS = "events"  # the stream of lane snapshots
    ROUTING = "routing"  # ask for a lane
    HAZMAT = "hazmat"  # the zone authority's pull addresses
    HOLDS = "holds"  # place and lift the zone authority's safety holds
    METRICS = "metrics"  # /metrics and /readyz


class ActorKind(StrEnum):
    """How the asker proved who they are."""

    USER = "user"
    TOKEN = "token"  # noqa: S105 - the word, not a secret
    SERVICE = "service"


@dataclass(frozen=True, slots=True)
class Actor:
    """Who asks."""

    name: str
    role: Role
    kind: ActorKind

    @property
    def label(self) -> str:
        """As the record names it: `service`, `user:<name>` or `token:<name>`."""
        return self.kind.value if self.kind is ActorKind.SERVICE else f"{self.kind.value}:{self.name}"


class Command(StrEnum):
    """Public commands to a lane (CONTRACT 6)."""

    RESOLVE = "resolve"
    RELEASE = "release"
    HOLD = "hold"
    INSPECT = "inspect"
    REFUSE = "refuse"
    TURN_BACK = "turn_back"
    REWEIGH = "reweigh"
    RAISE_BOOM = "raise_boom"
    LOWER_BOOM = "lower_boom"
    EMERGENCY_RAISE = "emergency_raise"
    CLEAR_FAULT = "clear_fault"
    OPEN_LANE = "open_lane"
    CLOSE_LANE = "close_lane"
    ZERO = "zero"  # set the indicator's zero, where the site switched that on
    TURN_LANE = "turn_lane"  # a reversible lane, to the direction that is named
    RECONFIGURE_LANE = "reconfigure_lane"  # take the site file's settings for this lane, while the others work

    @property
    def acts_on_vehicle(self) -> bool:
        """Whether it must name the passage and the facts it was decided on."""
        return self in ACTS_ON_VEHICLE

    @property
    def needs_reason(self) -> bool:
        """Whether a reason code must be given."""
        return self not in NEEDS_NO_REASON


ACTS_ON_VEHICLE: Final = frozenset(
    {
        Command.RESOLVE,
        Command.RELEASE,
        Command.HOLD,
        Command.INSPECT,
        Command.REFUSE,
        Command.TURN_BACK,
        Command.REWEIGH,
    }
)
NEEDS_NO_REASON: Final = frozenset({Command.RESOLVE, Command.REWEIGH, Command.OPEN_LANE})


def request_number(*bound: object) -> str:
    """Eight digits that stand for a request with all that it is bound to: what a one-time code is made for."""
    digest = hashlib.sha256("/".join(str(part) for part in bound).encode()).digest()
    return f"{int.from_bytes(digest[:8]) % 10**8:08}"


@dataclass(frozen=True, slots=True)
class CommandRequest:
    """One command to one lane.

    `passage_id` and `facts_version` are None only for commands that do not act on a vehicle. `fields` holds what the
    command needs beyond that: `resolve` takes any of `plate`, `trailer_plate`, `slip_nos`, `containers`, `seals`;
    `raise_boom`, `lower_boom` and `emergency_raise` take `side` (`entry` or `exit`; `emergency_raise` without: both);
    `raise_boom` also `hold_s`: hold it open so long, as a lease. `refuse`, `turn_back` and `inspect` take `way`
    (`lanes.ways`), and `escort`, who leads the vehicle. `turn_lane` takes `direction`.
    """

    command: Command
    passage_id: str | None = None
    facts_version: int | None = None
    reason_code: str | None = None
    reason: str | None = None
    fields: Mapping[str, Any] = field(default_factory=lambda: MappingProxyType({}))


@dataclass(frozen=True, slots=True)
class PlateRead:
    """What a camera saw. None means not looked at; an empty list means looked and nothing there.

    `plate` None means that a vehicle was seen and no plate could be read.
    """

    plate: str | None
    trailer_plate: str | None = None
    containers: tuple[str, ...] | None = None
    seals: tuple[str, ...] | None = None
    confidence_permille: int | None = None
    read_id: str | None = None
    at: datetime | None = None
