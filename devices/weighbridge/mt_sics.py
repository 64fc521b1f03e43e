"""Mettler-Toledo MT-SICS: answer lines to S, SI, SIR and SNR. No check over the bytes."""

from __future__ import annotations

import re
from collections.abc import Mapping

from devices.weighbridge.cutter import Drop, FrameCutter, Scanned, Window, seek_any
from devices.weighbridge.frame import Decoded, Decoder, Reason, Rejected, Status, TareFrame, WeightFrame
from devices.weighbridge.number import read_number, read_unit
from devices.weighbridge.polling import OFF, STABLE_ANSWER_S, Poll
from devices.weighbridge.text_frames import NUMBER, UNIT, TextForm, TextFrames

OPTIONS: Mapping[str, tuple[str, ...]] = {"poll": (OFF, "SI", "S"), "zero": (OFF, "Z")}

_HEAD = re.compile(rb"S [SDI+\-]|E[STL](?=[\r\n])|T S |TI [SD] |TA A |(?:Z|ZI|T|TI|TA|TAC|@|I\d{1,2}) [A-Z+\-]")
_HEAD_BYTES = 5
_TEXT_BYTES = 64  # I2 answers carry a device text

_WEIGHT = re.compile(rb"S (?P<state>[SD]) " + NUMBER + rb" *" + UNIT + rb" *")
_STATE = re.compile(rb"S (?P<state>[I+\-]) *$")
_TARE = re.compile(rb"(?:T S|TI [SD]|TA A) " + NUMBER + rb" *" + UNIT + rb" *")
_ERROR = re.compile(rb"E[STL]")
_OTHER = re.compile(rb"(?:Z|ZI|T|TI|TA|TAC|@|I\d{1,2}) [A-Z+\-][ -~]*$")

_STATUS = {b"I": Status.ERROR, b"+": Status.OVERLOAD, b"-": Status.UNDERLOAD}


def read_weight(found: re.Match[bytes], raw: bytes) -> Decoded:
    """Read `S S` (stable) or `S D` (in motion) with value and unit. Whether a tare is set, the line does not say."""
    number, unit = read_number(found["number"].decode()), read_unit(found["unit"].decode())
    if number is None or unit is None:
        return Rejected(Reason.VALUE if number is None else Reason.UNIT, raw)
    is_stable = found["state"] == b"S"
    return WeightFrame(number.value, unit, None, is_stable, Status.OK, raw, is_minus_zero=number.is_minus_zero)


def read_state(found: re.Match[bytes], raw: bytes) -> Decoded:
    """Read an answer without a value: I not executable or no stable value in time, + overload, - underload."""
    return WeightFrame(None, None, None, None, _STATUS[found["state"]], raw)


def read_tare(found: re.Match[bytes], raw: bytes) -> Decoded:
    """Read an answer to T, TI or TA: the stored tare, never a weight."""
    number, unit = read_number(found["number"].decode()), read_unit(found["unit"].decode())
    if number is None or unit is None:
        return Rejected(Reason.VALUE if number is None else Reason.UNIT, raw)
    return TareFrame(Reason.TARE, raw, number.value, unit)


def read_error(_found: re.Match[bytes], raw: bytes) -> Decoded:
    """ES syntax, ET transmission, EL logical: the question was not understood."""
    return WeightFrame(None, None, None, None, Status.ERROR, raw)


def read_other(_found: re.Match[bytes], raw: bytes) -> Decoded:
    """Answers to other commands, and I4, which comes unasked after power-on."""
    return Rejected(Reason.NOT_WEIGHT, raw)


_LINES = TextFrames(
    _HEAD,
    _HEAD_BYTES,
    _TEXT_BYTES,
    (
        TextForm(_WEIGHT, read_weight),
        TextForm(_STATE, read_state),
        TextForm(_TARE, read_tare),
        TextForm(_ERROR, read_error),
        TextForm(_OTHER, read_other),
    ),
)


def scan(window: Window) -> Scanned:
    """Take or drop at a possible head. All but weights count only at the beginning of a line: they are short words."""
    if window.before >= 0x20 and window.data[:1] != b"S":
        return Drop()
    return _LINES.scan(window)


def poll(options: Mapping[str, str]) -> Poll | None:
    """`SI` asks for the weight as it is now, `S` for the next stable one."""
    questions = {"SI": Poll(b"SI\r\n"), "S": Poll(b"S\r\n", answer_s=STABLE_ANSWER_S)}
    return questions.get(options["poll"])


def zero(options: Mapping[str, str]) -> bytes | None:
    """`Z` zeroes once the weight is stable; the answer is `Z A`, or `Z I`, `Z +`, `Z -` for not done."""
    return b"Z\r\n" if options["zero"] == "Z" else None


def create(_options: Mapping[str, str]) -> Decoder:
    """Make a decoder for one stream."""
    return FrameCutter(seek=seek_any(b"SETZ@I"), scan=scan, limit=_LINES.limit)
