"""Which weighing protocols fit some bytes, with the evidence. Pure: listening is others' work.

A protocol fits only when its frames make up nearly all of the bytes: random bytes, text logs and position sentences of
satellite receivers then fit none, and the answer is an empty list: unknown.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from devices.weighbridge import protocols
from devices.weighbridge.frame import Decoded, Reason, Rejected, Status, TareFrame, WeightFrame

FEWEST_FRAMES = 3  # ours: two may be chance in formats without check
LEAST_SHARE = 0.7  # ours: leaves room for the name a data radio puts in front of short frames, see SHARE_WITH_CHECK
SHARE_WITH_CHECK = 0.3  # ours: a check that holds three times is evidence enough beside noise
LIKELY_FRAMES, LIKELY_SHARE = 5, 0.9  # ours: what makes a format without check likely
FEWER = 0.8  # ours: a variant that reads fewer than this share of another's frames is that other's accident
_NAME = re.compile(rb"[A-Za-z0-9_-]{6,32}")  # a data radio's name: one word, ahead of each frame
_PARITY_BYTES = 24  # ours: by chance so many bytes have even parity once in sixteen million

# Beyond the defaults: what one site must set and another must not.
_VARIANTS: Mapping[str, tuple[Mapping[str, str], ...]] = {
    "xk3190-equals": tuple({"form": form} for form in ("reversed", "forward", "reversed-plain", "trailing")),
    "toledo-continuous": (
        {"checksum": "required"},
        {"checksum": "plain-sum"},
        {"checksum": "none"},
        {"form": "short"},
        {"form": "clone12"},
    ),
}
_HAS_CHECK = ("xk3190-continuous", "xk3190-command", "toledo-continuous required", "toledo-continuous plain-sum")


class Confidence(StrEnum):
    """How sure a fit is."""

    SURE = "sure"  # a check over the bytes held, and nothing else fits as well
    LIKELY = "likely"  # no check, but nearly every byte reads, and as one format only
    POSSIBLE = "possible"  # few frames, foreign bytes between them, or several forms that the bytes cannot tell apart


@dataclass(frozen=True, slots=True)
class Fit:
    """One protocol that fits: frames read, their share of all bytes, and whether a check over the bytes held.

    `name` is the word that stood ahead of each frame (a data radio's); it is not counted among the bytes.
    """

    protocol: str
    options: Mapping[str, str]
    frames: int
    share: float
    has_check: bool
    examples: tuple[str, ...] = field(default=())
    rejects: int = 0
    name: str | None = None
    units: frozenset[str] = frozenset()

    @property
    def evidence(self) -> str:
        """Say why, in one line."""
        check = "the check of each holds" if self.has_check else "no check over the bytes"
        shown = ", ".join(self.examples)
        behind = f", each behind {self.name!r}" if self.name else ""
        read = f"{self.frames} frames{behind}, {self.share:.0%} of the bytes"
        return f"{read}, {self.rejects} rejected, {check}; reads {shown}"


def fits(data: bytes) -> list[Fit]:
    """Return the protocols that fit, surest first; several where the bytes cannot tell, none where nothing is known."""
    found = [_fit(name, options, data) for name in protocols.PROTOCOLS for options in _VARIANTS.get(name, ({},))]
    good = [fit for fit in found if fit.frames >= FEWEST_FRAMES and fit.share >= _least_share(fit)]
    good = [fit for fit in good if not any(_outdoes(other, fit) for other in good)]
    return sorted(good, key=lambda fit: (not fit.has_check, -fit.share))


def confidence(fit: Fit, found: Iterable[Fit]) -> Confidence:
    """How sure a fit is beside all the others that were found in the same bytes."""
    others = [other for other in found if other is not fit]
    if fit.has_check and not any(other.has_check for other in others):
        return Confidence.SURE
    is_clear = fit.frames >= LIKELY_FRAMES and fit.share >= LIKELY_SHARE and fit.name is None
    return Confidence.LIKELY if is_clear and not others else Confidence.POSSIBLE


def parity_of(data: bytes) -> str | None:
    """E or O where seven bits with parity were heard as eight without: every byte has the same parity, and all differ.

    None: the eighth bit says nothing of the kind. What is left without it is the text.
    """
    if len(data) < _PARITY_BYTES or not any(byte & 0x80 for byte in data):
        return None
    odd = sum(byte.bit_count() & 1 for byte in data)
    return {0: "E", len(data): "O"}.get(odd)


def _outdoes(other: Fit, fit: Fit) -> bool:
    """Whether another variant of the same protocol makes this one idle: it reads more, or as much with a check."""
    if other is fit or other.protocol != fit.protocol:
        return False
    if fit.frames < other.frames * FEWER:
        return True
    return other.has_check and not fit.has_check and other.frames >= fit.frames * FEWER


def _least_share(fit: Fit) -> float:
    return SHARE_WITH_CHECK if fit.has_check else LEAST_SHARE


def _fit(name: str, options: Mapping[str, str], data: bytes) -> Fit:
    """Read the bytes as one protocol. Rejected frames and mere error words are no evidence."""
    decoder = protocols.create(name, options)
    decoded = decoder.feed(data) + decoder.flush()
    frames = [frame for frame in decoded if isinstance(frame, TareFrame) or not isinstance(frame, Rejected)]
    told = [frame for frame in frames if isinstance(frame, TareFrame) or frame.status is not Status.ERROR]
    examples = dict.fromkeys(_example(frame) for frame in told)
    radio, radio_bytes = _radio_name(decoded, len(told))
    share = sum(len(frame.raw) for frame in told) / max(len(data) - radio_bytes, 1)
    has_check = " ".join((name, *options.values())) in _HAS_CHECK
    return Fit(
        name,
        options,
        len(told),
        share,
        has_check,
        tuple(examples)[:3],
        rejects=sum(isinstance(frame, Rejected) and not isinstance(frame, TareFrame) for frame in decoded),
        name=radio,
        units=frozenset(frame.unit for frame in told if frame.unit),
    )


def _radio_name(decoded: Iterable[Decoded], frames: int) -> tuple[str | None, int]:
    """The one word that stands ahead of most frames, and how many bytes it takes in all."""
    noise = Counter(one.raw for one in decoded if isinstance(one, Rejected) and one.reason is Reason.NOISE)
    word, times = next(iter(noise.most_common(1)), (b"", 0))
    if times < FEWEST_FRAMES or times < frames * FEWER or not _NAME.fullmatch(word):
        return None, 0
    return word.decode(), len(word) * times


def _example(frame: WeightFrame | TareFrame) -> str:
    if frame.value is None:
        return str(frame.status) if isinstance(frame, WeightFrame) else "tare"
    return f"{frame.value} {frame.unit}" if frame.unit else frame.value
