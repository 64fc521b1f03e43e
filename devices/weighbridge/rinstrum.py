"""Rinstrum automatic output (R320 and kin): STX, sign, seven characters, state, ETX; and answers to register reads."""

from __future__ import annotations

import re
from collections.abc import Mapping

from devices.weighbridge.cutter import Drop, FrameCutter, Scanned, Take, Window, seek_any
from devices.weighbridge.frame import Decoded, Decoder, Reason, Rejected, Status, WeightFrame
from devices.weighbridge.number import read_number, read_unit
from devices.weighbridge.text_frames import NUMBER, TextForm, TextFrames

OPTIONS: Mapping[str, tuple[str, ...]] = {}

STX, ETX = 0x02, 0x03
FRAME_BYTES = 11
_LIGHTS = 0x50  # M4222: the sign byte also carries the traffic light, seen as 20h, 30h, 60h, 70h
_PLUS, _MINUS = 0x20, 0x2D
_STATES = b"GNUOME"
_STATUS = {b"U": Status.UNDERLOAD, b"O": Status.OVERLOAD, b"E": Status.ERROR}

# Answer to reading register 0026 as text: address and command (`9F05`), register, then number, unit, G or N.
_ANSWER_HEAD = re.compile(rb"[0-9A-F]{4}0026:")
_ANSWER = re.compile(rb"[0-9A-F]{4}0026:" + NUMBER + rb" *(?P<unit>kg|lb|t|g)(?: +(?P<kind>[GN])| *$)")


def decode_frame(frame: bytes) -> Decoded:
    """Read exactly one frame, from STX to ETX. M says motion and no longer whether gross or net."""
    if len(frame) != FRAME_BYTES:
        return Rejected(Reason.LENGTH, frame)
    if not all(_fits(place, byte) for place, byte in enumerate(frame)):
        return Rejected(Reason.LAYOUT, frame)
    state = frame[9:10]
    if state in _STATUS:
        return WeightFrame(None, None, None, None, _STATUS[state], frame)
    sign = "-" if frame[1] & ~_LIGHTS == _MINUS else ""
    number = read_number(sign + frame[2:9].decode())
    if number is None:
        return Rejected(Reason.VALUE, frame)
    is_net = None if state == b"M" else state == b"N"
    return WeightFrame(number.value, None, is_net, state != b"M", Status.OK, frame, is_minus_zero=number.is_minus_zero)


def _fits(place: int, byte: int) -> bool:
    if place == 0:
        return byte == STX
    if place == 1:
        return byte & ~_LIGHTS in (_PLUS, _MINUS)
    if place < 9:
        return byte in b" 0123456789.-" if place > 1 else False
    return byte in _STATES if place == 9 else byte == ETX


def read_answer(found: re.Match[bytes], raw: bytes) -> Decoded:
    """Read the answer to a register read, as one scoreboard form of Rice Lake uses it too."""
    number, unit = read_number(found["number"].decode()), read_unit(found["unit"].decode())
    if number is None:
        return Rejected(Reason.VALUE, raw)
    is_net = None if found["kind"] is None else found["kind"] == b"N"
    return WeightFrame(number.value, unit, is_net, None, Status.OK, raw, is_minus_zero=number.is_minus_zero)


ANSWERS = TextFrames(_ANSWER_HEAD, 9, 32, (TextForm(_ANSWER, read_answer),))


def scan(window: Window) -> Scanned:
    """Take or drop at an STX, or at an answer."""
    if window.data[0] != STX:
        return ANSWERS.scan(window)
    for place, byte in enumerate(window.data[:FRAME_BYTES]):
        if not _fits(place, byte):
            if byte == ETX:
                return Drop(Reason.LENGTH, place + 1)
            return Drop(Reason.LAYOUT if place > 1 else Reason.NOISE, place)
    if len(window.data) < FRAME_BYTES:
        return None
    frame = decode_frame(window.data[:FRAME_BYTES])
    return Drop(frame.reason, FRAME_BYTES) if isinstance(frame, Rejected) else Take(frame)


def create(_options: Mapping[str, str]) -> Decoder:
    """Make a decoder for one stream."""
    return FrameCutter(seek=seek_any(b"\x020123456789ABCDEF"), scan=scan, limit=ANSWERS.limit)
