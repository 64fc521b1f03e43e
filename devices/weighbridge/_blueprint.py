"""Blueprint of a weighing protocol: copy it, replace what is marked NEW. It works as it stands, for a made-up frame.

The made-up frame, 16 bytes: `$`, sign (blank or -), six digits, decimals (0 to 4), unit (kg, lb or blank t), state
(S at rest, M moving, O overload), sum of all bytes before as two hexadecimal characters, CR, LF.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from devices.weighbridge.cutter import Drop, FrameCutter, Scanned, Take, Window, seek_any
from devices.weighbridge.frame import Decoded, Decoder, Reason, Rejected, Status, WeightFrame
from devices.weighbridge.number import read_unit, shown

# NEW: settings of the protocol and their values, the default first. Most need none.
OPTIONS: Mapping[str, tuple[str, ...]] = {}

# NEW: the byte that a frame begins with, and the length of the longest frame.
START = b"$"
LONGEST_BYTES = 16
# NEW: the layout, every byte in its place. What the manual does not allow must not match: that is how damage is found.
_LAYOUT = re.compile(
    rb"\$(?P<sign>[ -])(?P<digits>\d{6})(?P<decimals>[0-4])(?P<unit>kg|lb| t)(?P<state>[SMO])(?P<check>[0-9A-F]{2})\r\n"
)


def checksum(covered: bytes) -> bytes:
    """NEW: the check as the manual gives it. Without one, say so in the quality card."""
    return b"%02X" % (sum(covered) & 0xFF)


def decode_frame(frame: bytes) -> Decoded:
    """Read exactly one frame. Whatever is not surely a weight is rejected with its reason, never guessed."""
    found = _LAYOUT.fullmatch(frame)
    if found is None:
        return Rejected(Reason.LAYOUT, frame)
    if checksum(frame[: found.start("check")]) != found["check"]:
        return Rejected(Reason.CHECKSUM, frame)
    unit = read_unit(found["unit"].decode())
    if found["state"] == b"O":  # NEW: states that are no weight have no value, whatever digits stand there
        return WeightFrame(None, unit, None, None, Status.OVERLOAD, frame)
    # NEW: `shown` takes bare digits; `number.read_number` text with blanks, sign and point (None: no number).
    number = shown(found["digits"].decode(), decimals=int(found["decimals"]), is_minus=found["sign"] == b"-")
    # NEW: net and stable are None where the frame does not say. Then stability is computed from the readings.
    is_net, is_stable = None, found["state"] == b"S"
    return WeightFrame(number.value, unit, is_net, is_stable, Status.OK, frame, is_minus_zero=number.is_minus_zero)


def scan(window: Window) -> Scanned:
    """Take or drop at a start byte, by the bytes alone: None only while bytes that will settle it have not come."""
    end = window.data.find(b"\n", 0, LONGEST_BYTES)  # NEW: how a frame ends
    if end < 0:
        return None if len(window.data) < LONGEST_BYTES and not window.is_last else Drop(Reason.LENGTH)
    frame = decode_frame(window.data[: end + 1])
    return Drop(frame.reason, end + 1) if isinstance(frame, Rejected) else Take(frame)


def create(_options: Mapping[str, str]) -> Decoder:
    """Make a decoder for one stream."""
    return FrameCutter(seek=seek_any(START), scan=scan, limit=LONGEST_BYTES)
