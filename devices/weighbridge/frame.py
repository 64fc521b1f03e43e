"""What a weighing decoder hands out: weight frames, and rejected bytes with their reason. Pure data."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol


class Status(StrEnum):
    """What the indicator says of the platform. Anything but `OK` comes without a value."""

    OK = "ok"
    OVERLOAD = "overload"
    UNDERLOAD = "underload"
    OUT_OF_RANGE = "out_of_range"  # over or under; the frame does not say which
    ERROR = "error"  # fault, tilt, no zero captured, or the indicator refused the question


class Reason(StrEnum):
    """Why bytes are no weight. This list is the whole vocabulary; counters and pages use these words."""

    NOISE = "noise"  # bytes that belong to no frame
    LAYOUT = "layout"  # a frame begins here, but a byte is not what the layout has in its place
    LENGTH = "length"  # the end mark comes too early, too late or not at all
    CHECKSUM = "checksum"  # complete, but the check over its bytes does not hold
    VALUE = "value"  # complete, but the weight field is blank or no number
    UNIT = "unit"  # complete, but the unit is missing, not known, or none of mass
    INCREMENT = "increment"  # the value is not a multiple of the interval that the frame itself states
    EXPANDED = "expanded"  # x10 resolution: no source says where the decimal point then is
    AMBIGUOUS = "ambiguous"  # well formed in more than one form, with different values
    UNCONFIRMED = "unconfirmed"  # not yet seen as often in a row as the option `repeat` asks
    TARE = "tare"  # a good frame that holds the stored tare, not what stands on the platform
    NOT_WEIGHT = "not_weight"  # a good frame that holds no weight: handshake, identification, echo of a command
    INCOMPLETE = "incomplete"  # the input ended inside a frame
    FROZEN = "frozen"  # a register answer whose heartbeat stands: the transmitter is dead behind a living interface


@dataclass(frozen=True, slots=True)
class WeightFrame:
    """One report of the indicator, as it was shown.

    `value` is the displayed number as text: no plus, no leading zeros, all decimals kept (`20.00`, `-1.00`); None when
    `status` is not ok. `unit`, `net` and `stable` are None where the frame does not say. Minus zero reads as zero and
    sets `is_minus_zero`. `alibi_id` names the record in the indicator's own alibi memory.
    """

    value: str | None
    unit: str | None
    net: bool | None
    stable: bool | None
    status: Status
    raw: bytes
    alibi_id: str | None = None
    is_minus_zero: bool = False


@dataclass(frozen=True, slots=True)
class Rejected:
    """Bytes that gave no weight, and why. Bytes of one rejected frame, or of one run of noise, come together."""

    reason: Reason
    raw: bytes


@dataclass(frozen=True, slots=True)
class TareFrame(Rejected):
    """A good frame that holds the stored tare. For whoever wants the weight on the platform it is rejected: `TARE`."""

    value: str
    unit: str | None


Decoded = WeightFrame | Rejected


class Decoder(Protocol):
    """Bytes of one indicator to frames. How the bytes are split over calls never changes what comes out."""

    def feed(self, data: bytes) -> list[Decoded]:
        """Take the next bytes and hand out everything that they settle, in order."""
        ...

    def flush(self) -> list[Decoded]:
        """End of input: settle what is left; a frame that has only begun is rejected as incomplete."""
        ...
