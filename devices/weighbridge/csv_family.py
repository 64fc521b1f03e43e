"""The ST,GS text family: A&D, CAS (22 bytes), Dini Argeo, T-Scale and many that speak alike. No check."""

from __future__ import annotations

import re
from collections.abc import Mapping
from decimal import Decimal

from devices.weighbridge.cutter import FrameCutter, seek_any
from devices.weighbridge.frame import Decoded, Decoder, Reason, Rejected, Status, TareFrame, WeightFrame
from devices.weighbridge.number import read_number, read_unit, shown
from devices.weighbridge.polling import OFF, Poll
from devices.weighbridge.text_frames import NUMBER, UNIT, TextForm, TextFrames

ANY = "any"
OPTIONS: Mapping[str, tuple[str, ...]] = {
    "length": (ANY, *(str(count) for count in range(10, 33))),
    "poll": (OFF, "RW", "READ"),
    "zero": (OFF, "MZ", "Z"),
}

_HEADS = rb"ST|US|OL|UL|LO|TL|HD"
_ADDRESS = rb"(?:@?\d\d)?"  # Dini on RS-485: two digits; A&D: @ and two digits
# WT1000: flag, gross, tare, net; three numbers of fixed shape, so it has a check of its own.
_THREE = rb"[01],\d{3}\.\d{3},"
_HEAD = re.compile(_ADDRESS + rb"(?:" + _HEADS + rb"),|PIDST,|PIDNO|" + _THREE)
_HEAD_BYTES = 10
_TEXT_BYTES = 48  # longest: the Dini alibi answer

# CAS puts device id and a lamp byte with bit 7 set before the number: bytes, not text.
_WEIGHT = re.compile(
    _ADDRESS + rb"(?P<head>" + _HEADS + rb"),"
    rb"(?:(?P<kind>GS|NT|TR|PT|[GNT])(?=[, +\-])(?:,[\x30-\x7f](?P<lamp>[\x80-\xff]))?,?)?"
    + NUMBER
    + rb",? *"
    + UNIT
    + rb" *"
)
_ALIBI = re.compile(
    rb"PIDST,1,(?P<gross> *\d+(?:\.\d*)?)(?P<unit>kg|g|t|lb|oz) *,"
    rb"(?P<tare>[ \d.]+)(?:kg|g|t|lb|oz) *,(?P<id>\d{5}-\d{6}) *"
)
_NO_ALIBI = re.compile(rb"PIDNO *")
_GROSS_TARE_NET = re.compile(
    rb"(?P<moves>[01]),(?P<gross>\d{3}\.\d{3}),(?P<tare>\d{3}\.\d{3}),(?P<net>-?\d{2,3}\.\d{3}) *"
)

_NET: Mapping[bytes | None, bool | None] = {b"GS": False, b"G": False, b"NT": True, b"N": True, None: None}
_TARE_KINDS = (b"TR", b"PT", b"T")
# A&D prints LO where others print OL, other makers for under range: so it says only that the range was left.
_STATUS = {b"OL": Status.OVERLOAD, b"UL": Status.UNDERLOAD, b"LO": Status.OUT_OF_RANGE, b"TL": Status.ERROR}
# HD holds an old value on the display, so it never counts as a weight at rest.
_STABLE = {b"ST": True, b"US": False, b"HD": False}


def read_weight(found: re.Match[bytes], raw: bytes) -> Decoded:
    """Read a line with a state header. A state other than a weight has no value, whatever digits follow it."""
    head, kind, unit = found["head"], found["kind"], read_unit(found["unit"].decode())
    net = _NET.get(kind)
    if head in _STATUS:
        return WeightFrame(None, unit, net, None, _STATUS[head], raw)
    number = read_number(found["number"].decode())
    if number is None:
        return Rejected(Reason.VALUE, raw)
    if unit is None:
        return Rejected(Reason.UNIT, raw)
    if kind in _TARE_KINDS:
        return TareFrame(Reason.TARE, raw, number.value, unit)
    return WeightFrame(number.value, unit, net, _STABLE[head], Status.OK, raw, is_minus_zero=number.is_minus_zero)


def read_alibi(found: re.Match[bytes], raw: bytes) -> Decoded:
    """Read the answer to PID (Dini Argeo): the weight as stored, and its number in the indicator's alibi memory."""
    number = read_number(found["gross"].decode())
    if number is None:
        return Rejected(Reason.VALUE, raw)
    unit = read_unit(found["unit"].decode())
    return WeightFrame(number.value, unit, False, True, Status.OK, raw, alibi_id=found["id"].decode())


def read_no_alibi(_found: re.Match[bytes], raw: bytes) -> Decoded:
    """The indicator stored nothing: the load moved, or was below zero."""
    return Rejected(Reason.NOT_WEIGHT, raw)


def read_gross_tare_net(found: re.Match[bytes], raw: bytes) -> Decoded:
    """Read the WT1000 line. Gross less tare must be net: the one check this family knows."""
    gross, tare, net = (found[part].decode() for part in ("gross", "tare", "net"))
    if Decimal(gross) - Decimal(tare) != Decimal(net):
        return Rejected(Reason.CHECKSUM, raw)
    number = shown(gross.replace(".", ""), decimals=3)
    return WeightFrame(number.value, None, False, found["moves"] == b"0", Status.OK, raw)


_LINES = TextFrames(
    _HEAD,
    _HEAD_BYTES,
    _TEXT_BYTES,
    (
        TextForm(_ALIBI, read_alibi),
        TextForm(_NO_ALIBI, read_no_alibi),
        TextForm(_GROSS_TARE_NET, read_gross_tare_net),
        TextForm(_WEIGHT, read_weight),
    ),
)


def poll(options: Mapping[str, str]) -> Poll | None:
    """`RW` asks an A&D, `READ` a Dini Argeo for the weight. `PID` is none of these: it stores a weighing."""
    return None if options["poll"] == OFF else Poll(options["poll"].encode() + b"\r\n")


def zero(options: Mapping[str, str]) -> bytes | None:
    """`MZ` zeroes an A&D, `Z` a Dini Argeo. CAS wants its device number in the command and is not offered."""
    return None if options["zero"] == OFF else options["zero"].encode() + b"\r\n"


def create(options: Mapping[str, str]) -> Decoder:
    """Make a decoder for one stream. `length`: bytes of a whole line with its end; others are rejected."""
    wanted = options["length"]
    lines = _LINES if wanted == ANY else _of_length(int(wanted))
    return FrameCutter(seek=seek_any(b"@0123456789SUOLTHP"), scan=lines.scan, limit=lines.limit)


def _of_length(length: int) -> TextFrames:
    def only(read: TextForm) -> TextForm:
        def checked(found: re.Match[bytes], raw: bytes) -> Decoded:
            return read.read(found, raw) if len(raw) == length else Rejected(Reason.LENGTH, raw)

        return TextForm(read.pattern, checked)

    return TextFrames(_LINES.head, _LINES.head_bytes, _LINES.text_bytes, [only(form) for form in _LINES.forms])
