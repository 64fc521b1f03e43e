"""Yaohua XK3190 command mode (tF=1): answers with address, letter, data and XOR check. Reads B gross, C tare, D net."""

from __future__ import annotations

import re
import string
from collections.abc import Mapping

from devices.weighbridge.cutter import Drop, FrameCutter, Scanned, Take, Window, seek_any
from devices.weighbridge.frame import Decoded, Decoder, Reason, Rejected, Status, TareFrame, WeightFrame
from devices.weighbridge.number import Shown, read_number, shown
from devices.weighbridge.polling import OFF, Poll
from devices.weighbridge.xk3190_continuous import ETX, STX, xor_check
from gate_service.domain.errors import InputError

ANY = "any"
OPTIONS: Mapping[str, tuple[str, ...]] = {"address": (ANY, *string.ascii_uppercase), "poll": (OFF, "gross", "net")}

WEIGHT_BYTES = 14
LONGEST_BYTES = 16
_GROSS, _TARE, _NET = b"B", b"C", b"D"
# Data of a weight: sign, six digits, decimal place (Yaohua); or sign, six digits and a real point among them (Keli).
_DIGITS_AND_PLACE = re.compile(rb"([+-])(\d{6})([0-4])")
_DIGITS_AND_POINT = re.compile(rb"[+-](?=[\d.]{7}$)\d+\.\d*")
_CHECKED = re.compile(rb"\x02[A-Z][A-I][ -~]*[0-9A-F]{2}\x03")


def decode_frame(frame: bytes) -> Decoded:
    """Read exactly one frame, from STX to ETX. Frames that hold no weight (handshake, numbers, echoes) say so."""
    if not _CHECKED.fullmatch(frame):
        return Rejected(Reason.LAYOUT, frame)
    if xor_check(frame[1:-3]) != frame[-3:-1]:
        return Rejected(Reason.CHECKSUM, frame)
    letter, data = frame[2:3], frame[3:-3]
    if letter not in (_GROSS, _TARE, _NET) or not data:  # without data: the question itself, heard on a shared line
        return Rejected(Reason.NOT_WEIGHT, frame)
    if len(frame) != WEIGHT_BYTES:
        return Rejected(Reason.LENGTH, frame)
    number = _number(data)
    if number is None:
        return Rejected(Reason.VALUE, frame)
    if letter == _TARE:
        return TareFrame(Reason.TARE, frame, number.value, None)
    return WeightFrame(number.value, None, letter == _NET, None, Status.OK, frame, is_minus_zero=number.is_minus_zero)


def _number(data: bytes) -> Shown | None:
    placed = _DIGITS_AND_PLACE.fullmatch(data)
    if placed is not None:
        return shown(placed[2].decode(), decimals=int(placed[3]), is_minus=placed[1] == b"-")
    return read_number(data.decode()) if _DIGITS_AND_POINT.fullmatch(data) else None


def scan(window: Window) -> Scanned:
    """Take or drop at an STX; the frame ends at the first ETX."""
    for place, byte in enumerate(window.data[1:LONGEST_BYTES], start=1):
        if byte == ETX:
            frame = decode_frame(window.data[: place + 1])
            if isinstance(frame, Rejected) and frame.reason not in (Reason.TARE, Reason.NOT_WEIGHT):
                return Drop(frame.reason, place + 1)
            return Take(frame)
        if not 0x20 <= byte < 0x7F:
            return Drop(Reason.LENGTH if byte == STX else Reason.LAYOUT, place)
    return None


def poll(options: Mapping[str, str]) -> Poll | None:
    """Ask for gross (B) or net (D) and nothing else: on some models other letters zero, take tare or clear records."""
    letter = {"gross": _GROSS, "net": _NET}.get(options["poll"])
    if letter is None:
        return None
    if options["address"] == ANY:
        raise InputError("protocol xk3190-command: poll needs the address to ask, A to Z; found address any")
    covered = options["address"].encode() + letter
    return Poll(bytes([STX]) + covered + xor_check(covered) + bytes([ETX]))


def create(options: Mapping[str, str]) -> Decoder:
    """Make a decoder for one stream. `address`: hear this indicator only, on a line shared by several."""
    wanted = options["address"]

    def scan_one(window: Window) -> Scanned:
        scanned = scan(window)
        if isinstance(scanned, Take) and wanted not in (ANY, chr(scanned.frame.raw[1])):
            return Take(Rejected(Reason.NOT_WEIGHT, scanned.frame.raw))
        return scanned

    return FrameCutter(seek=seek_any(bytes([STX])), scan=scan_one, limit=LONGEST_BYTES)
