"""Yaohua XK3190 continuous output (tF=0): 12 bytes with sign, six digits, decimal place and an XOR check."""

from __future__ import annotations

from collections.abc import Mapping

from devices.weighbridge.cutter import Drop, FrameCutter, Scanned, Take, Window, seek_any
from devices.weighbridge.frame import Decoded, Decoder, Reason, Rejected, Status, WeightFrame
from devices.weighbridge.number import shown

OPTIONS: Mapping[str, tuple[str, ...]] = {}

STX, ETX = 0x02, 0x03
FRAME_BYTES = 12
_DIGITS, _HEX = b"0123456789", b"0123456789ABCDEF"
# What may stand at each place; the reference gives the decimal place as '0'..'4'.
_LAYOUT = (bytes([STX]), b"+-", *[_DIGITS] * 6, b"01234", _HEX, _HEX, bytes([ETX]))


def xor_check(covered: bytes) -> bytes:
    """XOR over the bytes as two upper-case hexadecimal characters, high nibble first."""
    check = 0
    for byte in covered:
        check ^= byte
    return b"%02X" % check


def decode_frame(frame: bytes) -> Decoded:
    """Read exactly one frame, from STX to ETX."""
    if len(frame) != FRAME_BYTES:
        return Rejected(Reason.LENGTH, frame)
    if any(byte not in allowed for byte, allowed in zip(frame, _LAYOUT, strict=True)):
        return Rejected(Reason.LAYOUT, frame)
    if xor_check(frame[1:9]) != frame[9:11]:
        return Rejected(Reason.CHECKSUM, frame)
    number = shown(frame[2:8].decode(), decimals=frame[8] - 0x30, is_minus=frame[1:2] == b"-")
    return WeightFrame(number.value, None, None, None, Status.OK, frame, is_minus_zero=number.is_minus_zero)


def scan(window: Window) -> Scanned:
    """Take or drop at an STX. A byte out of place settles it at once, without waiting for the full length."""
    for place, byte in enumerate(window.data[:FRAME_BYTES]):
        if byte not in _LAYOUT[place]:
            if byte == ETX:
                return Drop(Reason.LENGTH, place + 1)
            return Drop(Reason.LAYOUT if place > 1 else Reason.NOISE, place)
    if len(window.data) < FRAME_BYTES:
        return None
    frame = decode_frame(window.data[:FRAME_BYTES])
    return Drop(frame.reason, FRAME_BYTES) if isinstance(frame, Rejected) else Take(frame)


def create(_options: Mapping[str, str]) -> Decoder:
    """Make a decoder for one stream."""
    return FrameCutter(seek=seek_any(bytes([STX])), scan=scan, limit=FRAME_BYTES)
