"""How many vehicles wait for a lane, from its detectors alone. Pure. An unknown queue is None, never zero."""

from __future__ import annotations

from typing import Final

from gate_service.domain.reading import Detector, Presence
from lanes.detectors import Sight
from lanes.states import LaneState

OWN_AT_APPROACH: Final = frozenset({LaneState.APPROACH, LaneState.ADMITTING})
"""States in which the vehicle on the approach loop is the one of the passage."""


def queue_length(sight: Sight, state: LaneState, *, has_passage: bool) -> int | None:
    """The vehicle in the lane, the one at the approach, and those on the queue loops behind it without a gap."""
    inputs = sight.inputs
    if inputs is None or inputs.unknown_because is not None:
        return None
    waiting = [inputs.detectors.get(Detector.APPROACH, Presence.CLEAR), *inputs.queue]
    if Presence.UNKNOWN in waiting:
        return None
    is_own = has_passage and state in OWN_AT_APPROACH
    count = int(has_passage) + int(waiting[0] is Presence.OCCUPIED and not is_own)
    for presence in waiting[1:]:
        if presence is not Presence.OCCUPIED:
            break
        count += 1
    return count
