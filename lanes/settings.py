"""What a lane is told about itself. Numbers that nobody published are site decisions with a default here."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from gate_service.domain.events import JsonObject
from lanes.guards import Layout
from lanes.platform import DeckSettings

SAME: Final[Mapping[str, str]] = {"forward": "divert"}
"""Other words for a way, taken in commands and configuration."""


def way_named(name: str) -> str:
    """A way's own name."""
    return SAME.get(name, name)


@dataclass(frozen=True, slots=True)
class LaneSettings:
    """One lane. `refuse_way`: how a refused vehicle leaves unless a person says otherwise (`lanes.ways`).

    `inspect_way`: `yard_inside` (through the lane), `at_premises` (let on), or `yard_before` (as a refused vehicle).
    `readers`: where camera and scanner stand, `approach` (before the entry boom) or `platform`; None: by the layout.
    `refuse_ways` and `inspect_ways`: all that this lane has. Times are real seconds.
    """

    id: str
    site_id: str
    name: Mapping[str, str]
    kind: str  # declared | non_declared
    direction: str  # inbound | outbound
    allows_hazmat: bool
    layout: Layout
    deck: DeckSettings | None
    verified_until_at: datetime | None
    is_closing_ours: bool = True
    is_pair: bool = False  # both booms as an airlock: one rises only when the other is seen down
    refuse_way: str = "back_out"
    refuse_ways: tuple[str, ...] = ("back_out", "divert", "escort")
    inspect_way: str = "yard_inside"
    gate: str = "single"  # single | first | second: its site's place where a slip passes two gates
    inspect_ways: tuple[str, ...] = ("yard_inside", "yard_before", "at_premises")
    readers: str | None = None
    policy: JsonObject | None = None
    scan_wait_s: float = 10.0  # a driver finds the slip; then the plate alone decides
    plate_wait_s: float = 3.0  # a camera answers within 1 s
    weigh_wait_s: float = 30.0  # a truck rocks 3 to 10 s; then the rules decide without a weight
    escalate_after_s: float = 60.0  # a person is called again
    is_safe_state_accepted: bool = False  # the site says in words that a device without watchdog is acceptable

    def ways_out(self) -> tuple[str, ...]:
        """Ways of a vehicle whose goods do not pass, the site's own choice first."""
        return _first(way_named(self.refuse_way), [way_named(name) for name in self.refuse_ways])

    @property
    def reads_at_approach(self) -> bool:
        """Whether camera and scanner see the vehicle before the entry boom, not the one behind it."""
        return (self.readers or ("approach" if self.layout.has_entry_barrier else "platform")) == "approach"

    def inspections(self) -> tuple[str, ...]:
        """Where vehicles of this lane are inspected, the site's own choice first. Premises are inside the zone."""
        all_ = _first(self.inspect_way, self.inspect_ways)
        return tuple(way for way in all_ if way != "at_premises" or self.direction == "inbound")


def _first(chosen: str, all_: Iterable[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys([chosen, *all_]))
