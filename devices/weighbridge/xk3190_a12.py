"""Yaohua XK3190-A12 text: the 15-byte lines with XOR check (WG, WN, OL, LO) and the unchecked wn/ww/wt lines."""

from __future__ import annotations

import re
from collections.abc import Mapping

from devices.weighbridge.cutter import FrameCutter, seek_any
from devices.weighbridge.frame import Decoded, Decoder, Reason, Rejected, Status, TareFrame, WeightFrame
from devices.weighbridge.number import read_number, read_unit
from devices.weighbridge.text_frames import TextForm, TextFrames
from devices.weighbridge.xk3190_continuous import xor_check

OPTIONS: Mapping[str, tuple[str, ...]] = {}

COVERED_BYTES = 11  # the check covers bytes 1..11
_HEAD = re.compile(rb"W[GN](?=[ +\-0-9.])| {9}[OL]|w[nwt](?=[ +\-0-9.])")
_HEAD_BYTES = 10
_TEXT_BYTES = 16
_UNIT = rb"(?P<unit>kg|lb|[ ]t|t[ ]|[ ]g|g[ ])"

# Seven places with sign and point; the point may be missing only where a site shows whole kilograms.
_CHECKED = re.compile(rb"W(?P<kind>[GN])(?P<number>[ +\-0-9.]{7})" + _UNIT + rb"(?P<check>[0-9A-F]{2})")
_OUT = re.compile(rb" {9}(?P<state>OL|LO)(?P<check>[0-9A-F]{2})")
# Unchecked: seven places, or a blank and seven places (HEB-TW). A bare `t` or `g` only before the line end.
_UNCHECKED = re.compile(rb"w(?P<kind>[nwt])(?P<number>[ ]?[ +\-0-9.]{7})(?P<unit>kg|lb|[ ]t|[ ]g|t[ ]*$|g[ ]*$)")

_STATUS = {b"OL": Status.OVERLOAD, b"LO": Status.UNDERLOAD}


def read_checked(found: re.Match[bytes], raw: bytes) -> Decoded:
    """Read WG (gross) or WN (net)."""
    if xor_check(raw[:COVERED_BYTES]) != found["check"]:
        return Rejected(Reason.CHECKSUM, raw)
    return _weight(found, raw, is_net=found["kind"] == b"N")


def read_out(found: re.Match[bytes], raw: bytes) -> Decoded:
    """Read OL (above Max + 9e) or LO (below -20d)."""
    if xor_check(raw[:COVERED_BYTES]) != found["check"]:
        return Rejected(Reason.CHECKSUM, raw)
    return WeightFrame(None, None, None, None, _STATUS[found["state"]], raw)


def read_unchecked(found: re.Match[bytes], raw: bytes) -> Decoded:
    """Read ww (gross), wn (net) or wt (tare)."""
    if found["kind"] != b"t":
        return _weight(found, raw, is_net=found["kind"] == b"n")
    number = read_number(found["number"].decode())
    if number is None:
        return Rejected(Reason.VALUE, raw)
    return TareFrame(Reason.TARE, raw, number.value, read_unit(found["unit"].decode()))


def _weight(found: re.Match[bytes], raw: bytes, *, is_net: bool) -> Decoded:
    number = read_number(found["number"].decode())
    if number is None:
        return Rejected(Reason.VALUE, raw)
    unit = read_unit(found["unit"].decode())
    return WeightFrame(number.value, unit, is_net, None, Status.OK, raw, is_minus_zero=number.is_minus_zero)


_LINES = TextFrames(
    _HEAD,
    _HEAD_BYTES,
    _TEXT_BYTES,
    (TextForm(_CHECKED, read_checked), TextForm(_OUT, read_out), TextForm(_UNCHECKED, read_unchecked)),
)


def create(_options: Mapping[str, str]) -> Decoder:
    """Make a decoder for one stream."""
    return FrameCutter(seek=seek_any(b"Ww "), scan=_LINES.scan, limit=_LINES.limit)
