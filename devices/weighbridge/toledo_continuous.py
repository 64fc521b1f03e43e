"""Toledo continuous output: STX, three status words, weight, tare, CR, mostly a checksum; short form and clone.

The sign, the decimal place and the unit stand in the status words only. The words also state the scale interval, so
every value can be tested against it: the one check that a frame without checksum has.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace

from devices.weighbridge.cutter import Drop, FrameCutter, Scanned, Take, Window
from devices.weighbridge.frame import Decoded, Decoder, Reason, Rejected, Status, WeightFrame
from devices.weighbridge.number import shown
from devices.weighbridge.polling import OFF

AUTO, REQUIRED, NONE, PLAIN_SUM = "auto", "required", "none", "plain-sum"
STANDARD, SHORT, CLONE12 = "standard", "short", "clone12"
INCLUDED, MULTIPLY = "included", "multiply"
OPTIONS: Mapping[str, tuple[str, ...]] = {
    "form": (STANDARD, SHORT, CLONE12),
    "checksum": (AUTO, REQUIRED, NONE, PLAIN_SUM),
    "dummy_zero": (INCLUDED, MULTIPLY),
    "zero": (OFF, "Z"),
}

STX, LF, CR = 0x02, 0x0A, 0x0D
_FIELDS = re.compile(rb" *\d+")  # leading zeros as blanks or as digits (8142), never blank behind a digit
_TARE = re.compile(rb" *\d*")
_NEXT_START = re.compile(rb"[\x02\n]")
_WORDS = 3
PLAIN_FRAMES = 5  # ours: so many frames in a row without checksum, and the stream is taken to have none
_BODY_BYTES = {STANDARD: 17, SHORT: 11, CLONE12: 11}  # up to and with CR

_MOTION, _OUT_OF_RANGE, _MINUS, _NET, _KG, _NO_ZERO = 0x08, 0x04, 0x02, 0x01, 0x10, 0x40  # status word B
_EXPANDED = 0x10  # status word C
# Status word C, bits 0..2; 0 leaves it to B (kg or lb), 7 is "other": no unit of mass that can be named.
_UNITS: Mapping[int, str | None] = {1: "g", 2: "t", 3: "oz", 4: "ozt", 5: "dwt", 6: "short_ton", 7: None}
_STEPS = {1: 1, 2: 2, 3: 5}  # status word A, bits 3..4
_CLONE_OVERLOAD, _CLONE_STABLE = 0x04, 0x08  # debugease.com/csharp/1354919: stable is 1 here


def twos_complement_check(covered: bytes) -> int:
    """Low seven bits of the two's complement of the sum, STX and CR included."""
    return -sum(covered) & 0x7F


def plain_sum_check(covered: bytes) -> int:
    """Low eight bits of the sum (Fairbanks)."""
    return sum(covered) & 0xFF


@dataclass(frozen=True, slots=True)
class ToledoForm:
    """What the options chose."""

    form: str
    checksum: str
    dummy_zero: str

    @property
    def body_bytes(self) -> int:
        """Bytes up to and with CR."""
        return _BODY_BYTES[self.form]

    def check(self, body: bytes) -> int:
        """Return the checksum that belongs behind this body."""
        return plain_sum_check(body) if self.checksum == PLAIN_SUM else twos_complement_check(body)


def decode_frame(frame: bytes, form: ToledoForm) -> Decoded:
    """Read one frame, from STX to CR with whatever stands behind it. The checksum is settled where frames are cut."""
    body = frame[: form.body_bytes]
    fault = body_fault(body, form)
    if fault is not None:
        return Rejected(fault.reason, frame)
    word_a, word_b, word_c = body[1 : 1 + _WORDS]
    unit = None if form.form == CLONE12 else _UNITS.get(word_c & 0x07, "kg" if word_b & _KG else "lb")
    status, is_stable, is_net = _state(word_b, form)
    if status is not Status.OK:
        return WeightFrame(None, unit, is_net, None, status, frame)
    if word_c & _EXPANDED:
        return Rejected(Reason.EXPANDED, frame)
    if unit is None and form.form != CLONE12:
        return Rejected(Reason.UNIT, frame)
    digits = body[4:10].decode().strip()
    place = word_a & 0x07
    if form.dummy_zero == MULTIPLY and place < 2:
        digits += "0" * (2 - place)
    step = _STEPS[word_a >> 3 & 0x03] * 10 ** max(2 - place, 0)
    if int(digits) % step:
        return Rejected(Reason.INCREMENT, frame)
    number = shown(digits, decimals=max(place - 2, 0), is_minus=bool(word_b & _MINUS))
    return WeightFrame(number.value, unit, is_net, is_stable, Status.OK, frame, is_minus_zero=number.is_minus_zero)


def _state(word_b: int, form: ToledoForm) -> tuple[Status, bool, bool | None]:
    """Status, stable, net of status word B."""
    if form.form == CLONE12:
        return (Status.OVERLOAD if word_b & _CLONE_OVERLOAD else Status.OK), bool(word_b & _CLONE_STABLE), None
    status = Status.OK
    if word_b & _OUT_OF_RANGE:
        status = Status.OUT_OF_RANGE
    elif word_b & _NO_ZERO:
        status = Status.ERROR  # zero not captured since power-up: the number stands on no zero
    return status, not word_b & _MOTION, bool(word_b & _NET)


def body_fault(body: bytes, form: ToledoForm) -> Drop | None:
    """Why the bytes up to CR are no frame of this form, or None. A prefix of a body is judged as far as it goes."""
    last = form.body_bytes - 1
    for place, byte in enumerate(body[: form.body_bytes]):
        if not _fits(place, byte, form):
            if place == last or (byte in (CR, STX) and place > _WORDS):
                return Drop(Reason.LENGTH, place + (byte == CR))
            return Drop(Reason.LAYOUT, max(place, 1))
    if len(body) < form.body_bytes:
        return None
    weight, tare = body[4:10], body[10:-1]
    is_dark = bool(body[2] & _OUT_OF_RANGE) and not weight.strip()  # out of range may blank the digits
    if not is_dark and not _FIELDS.fullmatch(weight):
        return Drop(Reason.LAYOUT if weight.strip() else Reason.VALUE, form.body_bytes)
    return None if _TARE.fullmatch(tare) else Drop(Reason.LAYOUT, form.body_bytes)


def _fits(place: int, byte: int, form: ToledoForm) -> bool:
    if place == 0:
        return byte == STX
    if place <= _WORDS:
        return _fits_word(place, byte, form)
    return byte == CR if place == form.body_bytes - 1 else byte in b" 0123456789"


def _fits_word(place: int, byte: int, form: ToledoForm) -> bool:
    """Bit 5 is always 1 (Fairbanks: not in B), bit 7 is 0; in A an interval must be stated."""
    if place == 1:
        return byte & 0xA0 == 0x20 and bool(byte & 0x18)
    if place == 2 and form.checksum == PLAIN_SUM:
        return byte & 0x80 == 0 and byte not in (STX, CR)
    return byte & 0xA0 == 0x20


class ToledoScan:
    """Scans one stream. It remembers whether the stream has checksums: once seen, frames without are not believed."""

    def __init__(self, form: ToledoForm) -> None:
        self._form = form
        self._has_checksums = form.checksum in (REQUIRED, PLAIN_SUM)
        self._has_none = form.checksum == NONE
        self._plain_in_a_row = 0

    @property
    def limit(self) -> int:
        """Body and checksum of one frame and of the next, and a byte that may have come between."""
        return 2 * self._form.body_bytes + 2

    def scan(self, window: Window) -> Scanned:
        """Take or drop at an STX, or at the beginning of a line that lost its STX on the way."""
        if window.data[:1] != bytes([STX]):
            return self._scan_without_stx(window)
        size = self._form.body_bytes
        fault = body_fault(window.data[:size], self._form)
        if fault is not None:
            return fault
        if len(window.data) < size:
            return None
        if self._form.form == CLONE12:
            return self._scan_clone(window)
        length = self._length(window)
        if length is None:
            return None
        return length if isinstance(length, Drop) else self._taken(window.data[:length])

    def _taken(self, frame: bytes) -> Scanned:
        decoded = decode_frame(frame, self._form)
        if isinstance(decoded, Rejected):
            return Drop(decoded.reason, len(frame))
        return Take(decoded)

    def _length(self, window: Window) -> int | Drop | None:
        """Bytes of the frame with its checksum, if it has one; a Drop when the checksum is wrong."""
        size = self._form.body_bytes
        if self._has_none:
            return size
        behind = window.data[size : size + 2]
        if not behind and not window.is_last:
            return None
        if behind and behind[0] == self._form.check(window.data[:size]):
            return self._with_good_checksum(window, behind)
        if self._has_checksums:
            return Drop(Reason.CHECKSUM if behind else Reason.INCOMPLETE, size + len(behind[:1]))
        return self._without_checksum(window, behind)

    def _with_good_checksum(self, window: Window, behind: bytes) -> int | None:
        """The byte behind CR fits. If it is 02h it may still be the next STX: then the byte behind it tells."""
        size = self._form.body_bytes
        if behind[0] == STX:
            if len(behind) < 2 and not window.is_last:
                return None
            if behind[1:] not in (b"", b"\x02"):
                return size
        elif len(behind) < 2 and not window.is_last and not self._has_checksums:
            return None
        self._plain_in_a_row = 0
        if behind[1:] == b"\x02":
            self._has_checksums = True  # a fitting byte between CR and the next STX: no noise of just that shape
        return size + 1

    def _without_checksum(self, window: Window, behind: bytes) -> int | Drop | None:
        """No good checksum in a stream that showed none yet: believed only where none can have been meant."""
        size = self._form.body_bytes
        if not behind:
            return size
        wrong = Drop(Reason.CHECKSUM, size + 1)
        if len(behind) < 2:
            return wrong if window.is_last else None
        if behind[1] == STX:  # what stands between CR and the next STX is a checksum, and it does not fit
            return wrong
        if len(window.data) < self.limit and not window.is_last:
            return None
        if self._next_shows_checksums(window.data):
            return wrong
        if behind[0] == STX:
            self._plain_in_a_row += 1
            self._has_none = self._plain_in_a_row >= PLAIN_FRAMES
        return size

    def _next_shows_checksums(self, data: bytes) -> bool:
        """Whether the next frame betrays that this stream has checksums, though its STX was hurt or lost on the way."""
        size = self._form.body_bytes
        following, check = data[size : 2 * size], data[2 * size : 2 * size + 1]
        if following[:1] == b"\x02" and following[-1:] == b"\r" and len(following) == size:
            is_stx = check == b"\x02" and data[2 * size + 1 : 2 * size + 2] != b"\x02"
            return not is_stx and check == bytes([self._form.check(following)])
        return CR in data[2 * size - 1 : self.limit]

    def _scan_clone(self, window: Window) -> Scanned:
        """The 12-byte clone ends CR LF."""
        size = self._form.body_bytes
        if len(window.data) <= size and not window.is_last:
            return None
        if window.data[size : size + 1] != b"\n":
            return Drop(Reason.LENGTH, size)
        return self._taken(window.data[: size + 1])

    def _scan_without_stx(self, window: Window) -> Scanned:
        """A converter that eats STX leaves `1     960    00` CR LF. Only whole lines, and never beside checksums."""
        if window.before not in (-1, LF) or self._has_checksums or self._form.form != STANDARD:
            return Drop()
        size = self._form.body_bytes - 1
        if body_fault(bytes([STX]) + window.data[:size], self._form) is not None:
            return Drop()
        if len(window.data) < size + 1:
            return Drop() if window.is_last else None
        if window.data[size] != LF or self._form.checksum not in (AUTO, NONE):
            return Drop()
        decoded = decode_frame(bytes([STX]) + window.data[:size], self._form)
        if isinstance(decoded, Rejected):
            return Drop(decoded.reason, size + 1)
        return Take(replace(decoded, raw=window.data[: size + 1]))


def seek(data: bytes, position: int, before: int) -> int:
    """Stop at an STX, and at the beginning of a line or of the stream."""
    if before in (-1, LF):
        return position
    found = _NEXT_START.search(data, position)
    if found is None:
        return len(data)
    return found.start() if found[0] == b"\x02" else found.end()


def zero(options: Mapping[str, str]) -> bytes | None:
    """The letter `Z` zeroes while the indicator sends (Kern FTC manual)."""
    return b"Z" if options["zero"] == "Z" else None


def create(options: Mapping[str, str]) -> Decoder:
    """Make a decoder for one stream.

    `checksum`: `auto` learns whether frames carry one; `required`, `none`; `plain-sum` is Fairbanks. `dummy_zero`:
    whether the fixed zeros of decimal places 0 and 1 are `included` in the six digits or to be multiplied in.
    """
    scan = ToledoScan(ToledoForm(options["form"], options["checksum"], options["dummy_zero"]))
    return FrameCutter(seek=seek, scan=scan.scan, limit=scan.limit)
