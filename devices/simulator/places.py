"""Where things stand along a lane, in metres from the approach loop's first edge, in driving order. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from devices.simulator.specs import LaneSpec

Span = tuple[float, float]

APPROACH: Final[Span] = (0.0, 3.0)
STOP_LINE_M: Final = 2.5
HOLD_LINE_M: Final = -15.0
ENTRY_BOOM_M: Final = 5.0
ENTRY_LOOP: Final[Span] = (3.5, 6.5)
TURNED_M: Final = 35.0
"""A reversible lane is the same from both ends: what is at x from one is at this less x from the other."""


def mirrored(span: Span) -> Span:
    """A stretch of a reversible lane in metres from its other end."""
    return TURNED_M - span[1], TURNED_M - span[0]


FAR_APPROACH: Final[Span] = mirrored(APPROACH)


@dataclass(frozen=True, slots=True)
class Places:
    """One lane's places. None: the lane has no such thing. `inside_stop_m`: for lanes without platform."""

    entry_boom_m: float | None
    entry_loop: Span | None
    platform: Span | None
    exit_boom_m: float | None
    exit_loop: Span | None
    exit_line_m: float
    gone_m: float
    inside_stop_m: float | None = None

    @property
    def is_open_platform(self) -> bool:
        """Whether trucks drive on to the platform with no boom before it."""
        return self.platform is not None and self.entry_boom_m is None

    @property
    def exit_end_m(self) -> float:
        """A rear beyond this has cleared every detector of the lane."""
        return self.exit_line_m if self.exit_loop is None else self.exit_loop[1]

    def turned(self) -> Places:
        """The same places for who comes from the far end. Only for a lane with two barriers and a platform."""
        assert self.entry_boom_m is not None
        assert self.exit_boom_m is not None
        assert self.platform is not None
        return Places(
            TURNED_M - self.exit_boom_m,
            self.exit_loop and mirrored(self.exit_loop),
            mirrored(self.platform),
            TURNED_M - self.entry_boom_m,
            self.entry_loop and mirrored(self.entry_loop),
            TURNED_M - self.entry_boom_m,
            TURNED_M + 10.0,
        )

    def stop_inside_m(self, length_m: float) -> float | None:
        """Where the front of a truck stops inside: in the middle of the platform, never past its exit edge."""
        if self.platform is None:
            return self.inside_stop_m
        start, end = self.platform
        return min((start + end + length_m) / 2, end - 0.5)


def places_of(spec: LaneSpec) -> Places:
    """The places of a lane. Without a platform there is no reason to drive 30 m: the exit boom stands nearer."""
    entry_boom, entry_loop = (ENTRY_BOOM_M, ENTRY_LOOP) if spec.entry_barrier else (None, None)
    if spec.weighbridge is not None:
        exit_boom, exit_loop = (30.0, (28.5, 31.5)) if spec.exit_barrier else (None, None)
        platform = (TURNED_M - 26.0 if spec.reversible else 8.0, 26.0)  # the same distances from both ends
        # A lane without exit barrier keeps its exit loop: the crossing has to be proven by something.
        return Places(entry_boom, entry_loop, platform, exit_boom, exit_loop or (28.5, 31.5), 30.0, 45.0)
    if spec.entry_barrier and spec.exit_barrier:
        return Places(entry_boom, entry_loop, None, 25.0, (23.5, 26.5), 25.0, 40.0, inside_stop_m=24.0)
    if spec.exit_barrier:
        return Places(None, None, None, ENTRY_BOOM_M, ENTRY_LOOP, ENTRY_BOOM_M, 20.0)
    return Places(entry_boom, entry_loop, None, None, None, ENTRY_BOOM_M, 20.0)
