"""Which weighing protocols fit some bytes, with the evidence. Pure: listening is others' work.

A protocol fits only when its frames make up nearly all of the bytes: random bytes, text logs and position sentences of
satellite receivers then fit none, and the answer is an empty list: unknown.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from devices.weighbridge import protocols
from devices.weighbridge.frame import Rejected, Status, TareFrame, WeightFrame

FEWEST_FRAMES = 3  # ours: two may be chance in formats without check
LEAST_SHARE = 0.7  # ours: leaves room for the name a data radio puts in front of short frames, see SHARE_WITH_CHECK
SHARE_WITH_CHECK = 0.3  # ours: a check that holds three times is evidence enough beside noise

# Beyond the defaults: what one site must set and another must not.
_VARIANTS: Mapping[str, tuple[Mapping[str, str], ...]] = {
    "xk3190-equals": tuple({"form": form} for form in ("reversed", "forward", "reversed-plain", "trailing")),
    "toledo-continuous": ({"checksum": "required"}, {"checksum": "none"}, {"form": "short"}, {"form": "clone12"}),
}
_HAS_CHECK = ("xk3190-continuous", "xk3190-command", "toledo-continuous required")


@dataclass(frozen=True, slots=True)
class Fit:
    """One protocol that fits: frames read, their share of all bytes, and whether a check over the bytes held."""

    protocol: str
    options: Mapping[str, str]
    frames: int
    share: float
    has_check: bool
    examples: tuple[str, ...] = field(default=())

    @property
    def evidence(self) -> str:
        """Say why, in one line."""
        check = "the check of each holds" if self.has_check else "no check over the bytes"
        shown = ", ".join(self.examples)
        return f"{self.frames} frames, {self.share:.0%} of the bytes, {check}; reads {shown}"


def fits(data: bytes) -> list[Fit]:
    """Return the protocols that fit, surest first; several where the bytes cannot tell, none where nothing is known."""
    found = [_fit(name, options, data) for name in protocols.PROTOCOLS for options in _VARIANTS.get(name, ({},))]
    good = [fit for fit in found if fit.frames >= FEWEST_FRAMES and fit.share >= _least_share(fit)]
    return sorted(good, key=lambda fit: (not fit.has_check, -fit.share))


def _least_share(fit: Fit) -> float:
    return SHARE_WITH_CHECK if fit.has_check else LEAST_SHARE


def _fit(name: str, options: Mapping[str, str], data: bytes) -> Fit:
    """Read the bytes as one protocol. Rejected frames and mere error words are no evidence."""
    decoder = protocols.create(name, options)
    decoded = decoder.feed(data) + decoder.flush()
    frames = [frame for frame in decoded if isinstance(frame, TareFrame) or not isinstance(frame, Rejected)]
    told = [frame for frame in frames if isinstance(frame, TareFrame) or frame.status is not Status.ERROR]
    examples = dict.fromkeys(_example(frame) for frame in told)
    share = sum(len(frame.raw) for frame in told) / max(len(data), 1)
    has_check = " ".join((name, *options.values())) in _HAS_CHECK
    return Fit(name, options, len(told), share, has_check, tuple(examples)[:3])


def _example(frame: WeightFrame | TareFrame) -> str:
    if frame.value is None:
        return str(frame.status) if isinstance(frame, WeightFrame) else "tare"
    return f"{frame.value} {frame.unit}" if frame.unit else frame.value
