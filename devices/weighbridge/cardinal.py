"""Cardinal SB-400 (sign, six digits, unit, mode, state, CR; also the answer to ENQ) and SB-200 (CR ... ETX)."""

from __future__ import annotations

import re
from collections.abc import Mapping

from devices.weighbridge.cutter import Drop, FrameCutter, Scanned, Take, Window, seek_any
from devices.weighbridge.frame import Decoded, Decoder, Reason, Rejected, Status, WeightFrame
from devices.weighbridge.number import read_number, read_unit
from devices.weighbridge.polling import OFF, Poll

OPTIONS: Mapping[str, tuple[str, ...]] = {"poll": (OFF, "enq")}

CR, ENQ = 0x0D, 0x05
LONGEST_BYTES = 14
# Six digits, and a point among or behind them where one is set up. All places are fixed, so a cut number never fits.
_WEIGHT = rb"(?P<sign>[ \-])(?P<weight>(?=[ \d.]{7}[^.\d])[ \d]*\.\d*|[ \d]{6})"
_UNIT = rb"(?P<unit>kg|lb|tn|oz| t|t | g|g )"
_SB400 = re.compile(_WEIGHT + _UNIT + rb"(?P<kind>[GN])(?P<state>  |OC|CZ|BZ|MO|ee|EE)\r")
_SB200 = re.compile(rb"\r" + _WEIGHT + rb"(?P<state>[ mMoOeE])" + _UNIT + rb"(?P<kind>[GN])\x03")
_SB400_STATUS = {b"OC": Status.OVERLOAD, b"ee": Status.ERROR, b"EE": Status.ERROR}
_SB200_STATUS = {b"o": Status.OVERLOAD, b"O": Status.OVERLOAD, b"e": Status.ERROR, b"E": Status.ERROR}
_IN_FRAME = re.compile(rb"[\r ]?[ -~]*")


def decode_frame(frame: bytes) -> Decoded:
    """Read exactly one frame of either form."""
    found, status = _SB400.fullmatch(frame), _SB400_STATUS
    if found is None:
        found, status = _SB200.fullmatch(frame), _SB200_STATUS
    if found is None or len(found["weight"].replace(b".", b"")) != 6:
        return Rejected(Reason.LAYOUT, frame)
    unit, is_net, state = read_unit(found["unit"].decode()), found["kind"] == b"N", found["state"]
    if state in status:
        return WeightFrame(None, unit, is_net, None, status[state], frame)
    number = read_number((found["sign"] + found["weight"]).decode())
    if number is None:
        return Rejected(Reason.VALUE, frame)
    is_stable = state.upper() not in (b"MO", b"M")
    return WeightFrame(number.value, unit, is_net, is_stable, Status.OK, frame, is_minus_zero=number.is_minus_zero)


def scan(window: Window) -> Scanned:
    """Take or drop at a sign (SB-400) or at a CR (SB-200): the place of the end mark settles it."""
    data = window.data[:LONGEST_BYTES]
    for place in range(1, len(data)):
        if data[place] in (0x0D, 0x03):
            frame = decode_frame(data[: place + 1])
            if not isinstance(frame, Rejected):
                return Take(frame)
            return Drop(frame.reason, place + 1) if frame.reason is Reason.VALUE else Drop()
        if not 0x20 <= data[place] < 0x7F:
            return Drop()
    return None if len(data) < LONGEST_BYTES and not window.is_last else Drop()


def poll(options: Mapping[str, str]) -> Poll | None:
    """ENQ asks for one SB-400 answer (225 manual p.129)."""
    return Poll(bytes([ENQ])) if options["poll"] == "enq" else None


def create(_options: Mapping[str, str]) -> Decoder:
    """Make a decoder for one stream."""
    return FrameCutter(seek=seek_any(b"\r -"), scan=scan, limit=LONGEST_BYTES)
