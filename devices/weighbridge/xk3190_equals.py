"""The `=` outputs of XK3190 D2+, A23p, A26 and data radios. No check, no flags, and direction and place differ by site.

One frame cannot tell its form: `=0003.000` and `=000.3000` are both 3.000, each in its own. So the form is a setting.
Without it (`auto`) only frames are read that have one meaning in all forms together; the rest is rejected as ambiguous.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

from devices.weighbridge.cutter import Drop, FrameCutter, Scanned, Take, Window, seek_any
from devices.weighbridge.frame import Decoded, Decoder, Reason, Rejected, Status, WeightFrame
from devices.weighbridge.number import Shown, read_number

AUTO = "auto"
LEADING_BYTES = 9  # '=' and eight characters
LONGEST_BYTES = 40  # ours: a frame of variable length, or one glued to the digits of a data radio's name
TRAILING_BYTES = 8
_FEWEST_NAME_DIGITS = 4  # ours: fewer digits in front are more likely bytes added to the number itself


@dataclass(frozen=True, slots=True)
class EqualsForm:
    """One form: the pattern of the whole frame, and whether its characters run backwards."""

    pattern: re.Pattern[bytes]
    is_backwards: bool

    def read(self, frame: bytes) -> Shown | None:
        """Number of a frame, or None when the frame is not of this form."""
        if not self.pattern.fullmatch(frame):
            return None
        text = frame.strip(b"=").decode()
        return read_number(text[::-1] if self.is_backwards else text)


FORMS: Mapping[str, EqualsForm] = {
    # '=' first, low digit first, sign last as '0' or '-': A23p format 2, A26 format 1
    "reversed": EqualsForm(re.compile(rb"=(?=\d*\.\d+-?$)[\d.]{7}[0-9-]"), is_backwards=True),
    # '=' first, sign first as '0' or '-', forward: A26 format 2
    "forward": EqualsForm(re.compile(rb"=(?=-?\d+\.\d*$)[0-9-][\d.]{7}"), is_backwards=False),
    # '=' first, eight digits without point or sign, low digit first: behind a data radio
    "reversed-plain": EqualsForm(re.compile(rb"=\d{8}"), is_backwards=True),
    # '=' last, low digit first, seven places with point (D2+ eight characters)
    "trailing": EqualsForm(re.compile(rb"(?=\d*\.\d+-?=$)[\d.]{6}[\d.-]="), is_backwards=True),
    # '=' last, low digit first, any length
    "trailing-any": EqualsForm(re.compile(rb"(?=\d*\.?\d+-?=$)[\d.-]{2,15}="), is_backwards=True),
}
OPTIONS: Mapping[str, tuple[str, ...]] = {"form": (AUTO, *FORMS), "repeat": ("1", "2", "3")}

_LEADING = ("reversed", "forward", "reversed-plain")
_IN_AUTO = (*_LEADING, "trailing")  # any length would take the rest of a cut frame for a whole one
_PLACES = re.compile(rb"[0-9.\-]*")


def decode_frame(frame: bytes, form: str) -> Decoded:
    """Read exactly one frame in the form named, or in the only meaning it has (`auto`)."""
    forms = [FORMS[name] for name in (_IN_AUTO if form == AUTO else (form,))]
    numbers = {number for one in forms if (number := one.read(frame)) is not None}
    if not numbers:
        return Rejected(Reason.LAYOUT, frame)
    if len(numbers) > 1:
        return Rejected(Reason.AMBIGUOUS, frame)
    number = numbers.pop()
    return WeightFrame(number.value, None, None, None, Status.OK, frame, is_minus_zero=number.is_minus_zero)


def _scan_leading(form: str) -> Callable[[Window], Scanned]:
    def scan(window: Window) -> Scanned:
        frame = window.data[:LEADING_BYTES]
        if frame[:1] != b"=":
            return Drop()
        places = _PLACES.match(frame, 1)
        end = places.end() if places else 1
        if end < len(frame):  # a byte out of place
            return Drop(Reason.LENGTH if frame[end : end + 1] == b"=" and end > 1 else Reason.LAYOUT, end)
        if len(frame) < LEADING_BYTES:
            return None
        following = window.data[LEADING_BYTES : LEADING_BYTES + 1]
        if not following and not window.is_last:
            return None
        if _PLACES.fullmatch(following) and following:  # a ninth character: not of this form, or bytes were added
            return Drop(Reason.LENGTH, LEADING_BYTES)
        return _settled(decode_frame(frame, form))

    return scan


def _scan_trailing(form: str) -> Callable[[Window], Scanned]:
    def scan(window: Window) -> Scanned:
        if window.before >= 0 and chr(window.before) in "0123456789.-":
            return Drop()  # inside a number whose first characters were already dropped
        places = _PLACES.match(window.data[: LONGEST_BYTES - 1])
        end = places.end() if places else 0
        if end == len(window.data) < LONGEST_BYTES:
            return None
        if window.data[end : end + 1] != b"=":
            return Drop(Reason.LAYOUT, end) if end >= TRAILING_BYTES - 1 else Drop()
        return _settled(_behind_name(window.data[: end + 1], form) or decode_frame(window.data[: end + 1], form))

    return scan


def _behind_name(run: bytes, form: str) -> Decoded | None:
    """Read a frame of fixed length glued to a name that ends in digits (`weigh01T63866046557773`)."""
    name, frame = run[:-TRAILING_BYTES], run[-TRAILING_BYTES:]
    if form == "trailing-any" or len(name) < _FEWEST_NAME_DIGITS or not name.isdigit():
        return None
    decoded = decode_frame(frame, form)
    return replace(decoded, raw=run) if isinstance(decoded, WeightFrame) else None


def _scan_auto(window: Window) -> Scanned:
    if window.data[:1] == b"=":
        return _scan_leading(AUTO)(window)
    return _scan_trailing(AUTO)(window)


def _settled(frame: Decoded) -> Scanned:
    return Drop(frame.reason, len(frame.raw)) if isinstance(frame, Rejected) else Take(frame)


class Repeated:
    """Lets a value through only at its n-th equal frame in a row: what a form without any check needs at a site."""

    def __init__(self, inner: Decoder, repeat: int) -> None:
        self._inner, self._repeat = inner, repeat
        self._value: str | None = None
        self._seen = 0

    def feed(self, data: bytes) -> list[Decoded]:
        """Take the next bytes and hand out everything that they settle, in order."""
        return [self._confirmed(frame) for frame in self._inner.feed(data)]

    def flush(self) -> list[Decoded]:
        """End of input: settle what is left."""
        return [self._confirmed(frame) for frame in self._inner.flush()]

    def _confirmed(self, frame: Decoded) -> Decoded:
        if isinstance(frame, Rejected):
            self._value, self._seen = None, 0
            return frame
        self._seen = self._seen + 1 if frame.value == self._value else 1
        self._value = frame.value
        return frame if self._seen >= self._repeat else Rejected(Reason.UNCONFIRMED, frame.raw)


def create(options: Mapping[str, str]) -> Decoder:
    """Make a decoder for one stream. `form`: see FORMS; `repeat`: equal frames in a row before a value counts."""
    form = options["form"]
    scan, starts = _scan_trailing(form), b"0123456789.-"
    if form == AUTO:
        scan, starts = _scan_auto, b"=0123456789.-"
    elif form in _LEADING:
        scan, starts = _scan_leading(form), b"="
    cutter = FrameCutter(seek=seek_any(starts), scan=scan, limit=LONGEST_BYTES)
    repeat = int(options["repeat"])
    return cutter if repeat == 1 else Repeated(cutter, repeat)
