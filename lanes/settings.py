"""What a lane is told about itself. Numbers that nobody published are site decisions with a default here."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from gate_service.domain.events import JsonObject
from lanes.guards import Layout
from lanes.platform import DeckSettings


@dataclass(frozen=True, slots=True)
class LaneSettings:
    """One lane. `refuse_way`: how a refused vehicle leaves, `back_out` or `forward` (divert or U-turn after the gate).

    `inspect_way`: `yard_inside` (through the lane), `yard_before` (as `refuse_way`) or `at_premises` (let on).
    Times are real seconds.
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
    refuse_way: str = "back_out"
    inspect_way: str = "yard_inside"
    gate: str = "single"  # single | first | second: its site's place where a slip passes two gates
    policy: JsonObject | None = None
    secret: str | None = None  # hex; the day's secret for draws
    scan_wait_s: float = 10.0  # a driver finds the slip; then the plate alone decides
    plate_wait_s: float = 3.0  # a camera answers within 1 s
    weigh_wait_s: float = 30.0  # a truck rocks 3 to 10 s; then the rules decide without a weight
    escalate_after_s: float = 60.0  # a person is called again
    is_safe_state_accepted: bool = False  # the site says in words that a device without watchdog is acceptable
