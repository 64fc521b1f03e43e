"""Rice Lake outputs: the indicator stream (RLWS, also IQ355), three scoreboard forms, 880 answer, print line."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping

from devices.weighbridge.cutter import Drop, FrameCutter, Scanned, Take, Window, seek_any
from devices.weighbridge.frame import Decoded, Decoder, Reason, Rejected, Status, TareFrame, WeightFrame
from devices.weighbridge.number import read_number, read_unit
from devices.weighbridge.rinstrum import ANSWERS
from devices.weighbridge.text_frames import NUMBER, UNIT, TextForm, TextFrames

OPTIONS: Mapping[str, tuple[str, ...]] = {}

STX, ETX, CR = 0x02, 0x03, 0x0D
LONGEST_BYTES = 34
_FRAME_BYTES = 30  # STX to its end mark: ours, the longest form is 17

# Polarity, seven characters, unit, mode, state: 480, 482, 680, 682, Laser LT manuals; Cardinal 200 p.28.
_STREAM = re.compile(
    rb"\x02(?P<sign>[ \-])(?P<number>[ .\d]{7})(?P<unit>[LKTGO ])(?P<kind>[GN])(?P<state>[ IMOZ])\r\n?"
)
_STREAM_UNITS = {b"L": "lb", b"K": "kg", b"T": "t", b"G": "g", b"O": "oz", b" ": None}
_STREAM_STATUS = {b"I": Status.ERROR, b"O": Status.OUT_OF_RANGE}
# OB-350 format 3: state letter, sign, seven characters, blank, unit.
_SCOREBOARD = re.compile(rb"\x02(?P<state>[GNUOME])(?P<number>[ \-][ .\d]{7}) (?P<unit>kg|lb|t|g|tn|oz) ?\x03")
_SCOREBOARD_STATUS = {b"U": Status.UNDERLOAD, b"O": Status.OVERLOAD, b"E": Status.ERROR}
# 880 on RS-485: address, number, unit. Known as the answer to XG#1 only, so it is gross.
_ADDRESSED = re.compile(rb"\x02[A-Z] (?P<number> *-?\d+(?:\.\d*)?) (?P<unit>kg|lb|t|g|tn|oz)\r\n\x03\r")

_WORDS = re.compile(rb"(?:NET|GROSS|TARE) ")
_WORD_LINE = re.compile(rb"(?P<kind>NET|GROSS|TARE) " + NUMBER + rb" +" + UNIT + rb" *$")
# Print line: number right-justified in 9 places, unit, mode. The fixed places keep cut numbers out.
_PRINT = re.compile(
    rb"(?P<number>[ \-.\d]{8}[.\d]) (?P<unit>kg|lb|tn|oz|t |g )  (?P<kind>Net|Gross) {0,3}(?P<end>\r\n?)"
)
_PRINT_START = re.compile(rb" *-?\d*\.?\d*")
_PRINT_BYTES = 24


def read_stream(found: re.Match[bytes]) -> Decoded:
    """Read one frame of the indicator stream."""
    raw, unit, is_net = found[0], _STREAM_UNITS[found["unit"]], found["kind"] == b"N"
    if found["state"] in _STREAM_STATUS:
        return WeightFrame(None, unit, is_net, None, _STREAM_STATUS[found["state"]], raw)
    number = read_number((found["sign"] + found["number"]).decode())
    if number is None:
        return Rejected(Reason.VALUE, raw)
    is_stable = found["state"] != b"M"
    return WeightFrame(number.value, unit, is_net, is_stable, Status.OK, raw, is_minus_zero=number.is_minus_zero)


def read_scoreboard(found: re.Match[bytes]) -> Decoded:
    """Read OB-350 format 3."""
    raw, state, unit = found[0], found["state"], read_unit(found["unit"].decode())
    if state in _SCOREBOARD_STATUS:
        return WeightFrame(None, unit, None, None, _SCOREBOARD_STATUS[state], raw)
    number = read_number(found["number"].decode())
    if number is None:
        return Rejected(Reason.VALUE, raw)
    is_net, is_stable = (None, False) if state == b"M" else (state == b"N", None)
    return WeightFrame(number.value, unit, is_net, is_stable, Status.OK, raw, is_minus_zero=number.is_minus_zero)


def read_addressed(found: re.Match[bytes]) -> Decoded:
    """Read the answer of an 880 to XG#1."""
    number = read_number(found["number"].decode())
    if number is None:
        return Rejected(Reason.VALUE, found[0])
    unit = read_unit(found["unit"].decode())
    return WeightFrame(number.value, unit, False, None, Status.OK, found[0], is_minus_zero=number.is_minus_zero)


def read_word_line(found: re.Match[bytes], raw: bytes) -> Decoded:
    """Read OB-350 format 1: `NET 2160 kg`."""
    number, unit = read_number(found["number"].decode()), read_unit(found["unit"].decode())
    if number is None or unit is None:
        return Rejected(Reason.VALUE if number is None else Reason.UNIT, raw)
    if found["kind"] == b"TARE":
        return TareFrame(Reason.TARE, raw, number.value, unit)
    is_net = found["kind"] == b"NET"
    return WeightFrame(number.value, unit, is_net, None, Status.OK, raw, is_minus_zero=number.is_minus_zero)


Read = Callable[["re.Match[bytes]"], Decoded]
_WORD_LINES = TextFrames(_WORDS, 6, 32, (TextForm(_WORD_LINE, read_word_line),))


def scan(window: Window) -> Scanned:
    """Take or drop at the first byte of any form."""
    first = window.data[0]
    if first == STX:
        return _scan_from_stx(window)
    if first in b"NGT":
        return _WORD_LINES.scan(window)
    printed = _scan_print(window)
    if isinstance(printed, Drop) and first in b"0123456789ABCDEF":
        return ANSWERS.scan(window)
    return printed


def _scan_from_stx(window: Window) -> Scanned:
    data = window.data
    stop = next((place for place, byte in enumerate(data[1:_FRAME_BYTES], 1) if byte in (STX, ETX, CR)), None)
    if stop is None:
        return None if len(data) < _FRAME_BYTES else Drop(Reason.LENGTH, _FRAME_BYTES)
    if data[stop] == STX:
        return Drop(Reason.LENGTH, stop)
    if data[stop] == ETX:
        return _settled(_SCOREBOARD.fullmatch(data, 0, stop + 1), read_scoreboard, stop + 1)
    is_addressed = data[1:2].isalpha()
    needed = stop + (4 if is_addressed else 2)
    if len(data) < needed and not window.is_last:
        return None
    if is_addressed:
        return _settled(_ADDRESSED.fullmatch(data, 0, needed), read_addressed, needed)
    return _settled(_STREAM.match(data), read_stream, stop + 1)


def _settled(found: re.Match[bytes] | None, read: Read, extent: int) -> Scanned:
    if found is None:
        return Drop(Reason.LAYOUT, extent)
    frame = read(found)
    return Drop(frame.reason, len(frame.raw)) if isinstance(frame, Rejected) else Take(frame)


def _scan_print(window: Window) -> Scanned:
    """A print line, or not: settled at the first place that cannot be one."""
    field = window.data[:9]
    start = _PRINT_START.match(field)
    if start is None or start.end() < len(field):
        return Drop()
    found = _PRINT.match(window.data)
    if found is None:
        return None if len(window.data) < _PRINT_BYTES and not window.is_last else Drop()
    if found["end"] == b"\r" and found.end() == len(window.data) and not window.is_last:
        return None
    number = read_number(found["number"].decode())
    if number is None:
        return Drop()
    unit, is_net = read_unit(found["unit"].decode()), found["kind"] == b"Net"
    frame = WeightFrame(number.value, unit, is_net, True, Status.OK, found[0], is_minus_zero=number.is_minus_zero)
    return Take(frame)


def create(_options: Mapping[str, str]) -> Decoder:
    """Make a decoder for one stream."""
    return FrameCutter(seek=seek_any(b"\x02NGT 0123456789ABCDEF-"), scan=scan, limit=LONGEST_BYTES)
