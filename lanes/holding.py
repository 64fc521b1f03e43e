"""Booms held open for a while, as a lease: it ends by itself unless somebody renews it. Pure but for its own memory.

A lease only keeps a boom from being lowered; it never raises one. It dies with the service and is not taken up again.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

from gate_service.domain.reading import Side

LONGEST_S: Final = 600
"""A convoy passes in ten minutes; who needs longer renews. Site decision."""


@dataclass(frozen=True, slots=True)
class Lease:
    """Who holds a boom open, and until when."""

    by: str
    until_monotonic_s: float


class Holding:
    """The leases of one lane, at most one for each boom: the newest replaces an older one."""

    def __init__(self) -> None:
        self._leases: dict[Side, Lease] = {}

    def hold(self, side: Side, by: str, until_monotonic_s: float) -> None:
        """Hold, or renew."""
        self._leases[side] = Lease(by, until_monotonic_s)

    def end(self, side: Side) -> None:
        """Let it come down as the interlocks allow."""
        self._leases.pop(side, None)

    def held(self, now_monotonic_s: float) -> frozenset[Side]:
        """Booms under a lease that has not ended."""
        return frozenset(side for side, lease in self._leases.items() if now_monotonic_s < lease.until_monotonic_s)

    def shown(self, now_monotonic_s: float) -> dict[str, Any]:
        """As pages show it."""
        return {
            side.value: {"by": lease.by, "seconds_left": round(lease.until_monotonic_s - now_monotonic_s)}
            for side, lease in sorted(self._leases.items())
            if now_monotonic_s < lease.until_monotonic_s
        }
