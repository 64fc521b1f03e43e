"""Facts that leave the site: to the central system, and those about hazardous chemicals to the zone authority."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any, Final
from uuid import UUID

JsonObject = Mapping[str, Any]
"""A JSON object: text keys; values are None, bool, int, float, str, lists and objects of these."""

SCHEMA_VERSION: Final = 1


class EventType(StrEnum):
    """Public event types (CONTRACT 3, and those of `docs/registers.md`)."""

    PASSAGE_ARRIVED = "passage.arrived"
    PASSAGE_WEIGHED = "passage.weighed"
    PASSAGE_DECIDED = "passage.decided"
    PASSAGE_RESOLVED = "passage.resolved"
    PASSAGE_OVERRIDDEN = "passage.overridden"
    PASSAGE_RELEASED = "passage.released"
    PASSAGE_HELD = "passage.held"
    PASSAGE_REFUSED = "passage.refused"
    PASSAGE_TURNED_BACK = "passage.turned_back"
    PASSAGE_CLEARED = "passage.cleared"
    SLIP_PREASSESSED = "slip.preassessed"
    SLIP_REGISTERED = "slip.registered"  # gate-registered goods by the form at the gate
    SLIP_SECOND_GATE_MISSING = "slip.second_gate_missing"  # dual gate: passed one, not seen at the other in time
    SLIP_USED = "slip.used"
    SLIP_RETURNED = "slip.returned"
    HAZMAT_ENTERED = "hazmat.entered"
    HAZMAT_EXITED = "hazmat.exited"
    HAZMAT_TURNED_AWAY = "hazmat.turned_away"
    HAZMAT_CORRECTED = "hazmat.corrected"
    INSPECTION_ORDERED = "inspection.ordered"
    INSPECTION_DONE = "inspection.done"
    SPOT_CHECK_COMMITTED = "spot_check.committed"
    SPOT_CHECK_REVEALED = "spot_check.revealed"
    DEVICE_FAULT = "device.fault"
    DEVICE_RECOVERED = "device.recovered"
    LANE_OPENED = "lane.opened"
    LANE_CLOSED = "lane.closed"
    MOTION_UNEXPLAINED = "motion.unexplained"
    REGIME_OPENED = "regime.opened"
    REGIME_CLOSED = "regime.closed"
    SECURITY_ALARM = "security.alarm"

    @property
    def is_hazmat(self) -> bool:
        """Whether the zone authority is told as well as the central system."""
        return self.startswith("hazmat.")


@dataclass(frozen=True, slots=True)
class Event:
    """One fact to be told outside. `id` is minted once, so a repeat is known as one; `seq` comes with the commit."""

    id: UUID
    type: EventType
    at: datetime
    data: JsonObject = field(default_factory=dict)
    passage_id: str | None = None
