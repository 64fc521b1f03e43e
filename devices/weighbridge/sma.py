"""SMA SCP-0499 (Scale Manufacturers Association): LF, flags, weight, unit, CR. Fixed places, no checksum."""

from __future__ import annotations

import re
from collections.abc import Mapping

from devices.weighbridge.cutter import Drop, FrameCutter, Scanned, Take, Window, seek_any
from devices.weighbridge.frame import Decoded, Decoder, Reason, Rejected, Status, TareFrame, WeightFrame
from devices.weighbridge.number import read_number, read_unit
from devices.weighbridge.polling import OFF, Poll

OPTIONS: Mapping[str, tuple[str, ...]] = {"poll": (OFF, "W"), "zero": (OFF, "Z")}

LF, CR = 0x0A, 0x0D
LONGEST_BYTES = 40  # ours: a compliance line is 12, a weight 20; device texts may be longer
# Weight: 10 places by the standard, 9 in replies printed in the PR5220 manual.
_WEIGHT = re.compile(
    rb"\n(?P<state>[ ZOUEITe])[0-9 ](?P<kind>[GNTgnt])(?P<motion>[M ])[ -~]"
    rb"(?P<weight>[ +\-.0-9]{8,9}[0-9.\-])(?P<unit>[ A-Za-z]{3})\r"
)
_BLANK_WEIGHT = re.compile(rb"\n[ ZOUEITe][0-9 ][GNTgnt][M ][ -~] {9,10}[ A-Za-z]{3}\r")
_STATUS = {b"O": Status.OVERLOAD, b"U": Status.UNDERLOAD, b" ": Status.OK, b"Z": Status.OK}  # E, I, T, e: errors
_OTHER = re.compile(rb"\n[ -~]+\r")


def decode_frame(frame: bytes) -> Decoded:
    """Read exactly one answer, from LF to CR."""
    found = _WEIGHT.fullmatch(frame)
    if found is None:
        if frame in (b"\n?\r", b"\n!\r"):  # command not known; error on the line
            return WeightFrame(None, None, None, None, Status.ERROR, frame)
        if _BLANK_WEIGHT.fullmatch(frame):
            return Rejected(Reason.VALUE, frame)
        is_weight_like = re.match(rb"\n[ -~][0-9 ][GNTgnt]", frame)
        is_other = _OTHER.fullmatch(frame) and not is_weight_like
        return Rejected(Reason.NOT_WEIGHT if is_other else Reason.LAYOUT, frame)
    kind, is_net = found["kind"].upper(), found["kind"].upper() == b"N"
    unit = read_unit(found["unit"].decode())
    number = read_number(found["weight"].decode())
    status = _STATUS.get(found["state"], Status.ERROR)
    if status is Status.OK and number is None and not found["weight"].strip(b" -"):
        status = Status.ERROR  # dashes instead of digits: the standard's sign that no weight can be shown
    if status is not Status.OK:
        return WeightFrame(None, unit, None if kind == b"T" else is_net, None, status, frame)
    if number is None or unit is None:
        return Rejected(Reason.VALUE if number is None else Reason.UNIT, frame)
    if kind == b"T":
        return TareFrame(Reason.TARE, frame, number.value, unit)
    is_stable = found["motion"] == b" "
    return WeightFrame(number.value, unit, is_net, is_stable, Status.OK, frame, is_minus_zero=number.is_minus_zero)


def scan(window: Window) -> Scanned:
    """Take or drop at a line feed."""
    for place, byte in enumerate(window.data[1:LONGEST_BYTES], start=1):
        if byte == CR:
            frame = decode_frame(window.data[: place + 1])
            if isinstance(frame, Rejected) and frame.reason not in (Reason.TARE, Reason.NOT_WEIGHT):
                return Drop(frame.reason, place + 1)
            return Take(frame)
        if not 0x20 <= byte < 0x7F:
            return Drop(Reason.LAYOUT if place > 1 else Reason.NOISE, place)
    return None


def poll(options: Mapping[str, str]) -> Poll | None:
    """`W` asks for the weight (SCP-0499 level 1)."""
    return Poll(b"\nW\r") if options["poll"] == "W" else None


def zero(options: Mapping[str, str]) -> bytes | None:
    """`LF Z CR` zeroes (Sartorius PR5211 manual p.52)."""
    return b"\nZ\r" if options["zero"] == "Z" else None


def create(_options: Mapping[str, str]) -> Decoder:
    """Make a decoder for one stream."""
    return FrameCutter(seek=seek_any(bytes([LF])), scan=scan, limit=LONGEST_BYTES)
