"""The lanes of the demo site: what the yard builds, what the site file describes and what a truck can be sent to."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

SITE_ID: Final = "K1"
SITE_NAME: Final = {"zh": "演示卡口", "en": "Demo gate"}
INTERVAL_KG: Final = 20  # scale interval of an ordinary 80 t road weighbridge, class III, 4 000 divisions
MAX_CAPACITY_KG: Final = 80_000


@dataclass(frozen=True, slots=True)
class DemoLane:
    """One lane of the demo site. `link` is how its weighbridge is reached; None: it has none.

    `looks` says whether its cameras read trailer, containers and seals, or the front plate only.
    """

    lane_id: str
    kind: str
    direction: str
    link: str | None
    zh: str
    en: str
    is_hazmat: bool = False
    has_entry_barrier: bool = True
    looks: bool = False

    def to_yard(self) -> dict[str, Any]:
        """As the yard process reads it."""
        weighbridge = None
        if self.link is not None:
            weighbridge = {"link": self.link, "interval_kg": INTERVAL_KG, "max_capacity_kg": MAX_CAPACITY_KG}
        return {
            "id": self.lane_id,
            "weighbridge": weighbridge,
            "entry_barrier": self.has_entry_barrier,
            "exit_barrier": True,
            "io_port": 0,
            "watchdog_s": 2.0,  # commissioned: outputs fall two seconds after the service went silent
        }


LANES: Final = (
    DemoLane("in-d1", "declared", "inbound", "pty", "进区报关 1", "Inbound declared 1", is_hazmat=True, looks=True),
    DemoLane("in-n1", "non_declared", "inbound", "tcp", "进区非报关 1", "Inbound non-declared 1"),
    DemoLane("in-s1", "non_declared", "inbound", None, "进区便捷 1", "Inbound service 1", has_entry_barrier=False),
    DemoLane("out-d1", "declared", "outbound", "tcp", "出区报关 1", "Outbound declared 1", looks=True),
    DemoLane("out-n1", "non_declared", "outbound", "tcp", "出区非报关 1", "Outbound non-declared 1"),
)
"""In driving practice one lane each way and class, and a service lane that neither weighs nor stops before its boom."""


def lane_named(lane_id: str) -> DemoLane:
    """The lane of that id. Raises KeyError."""
    return {lane.lane_id: lane for lane in LANES}[lane_id]
