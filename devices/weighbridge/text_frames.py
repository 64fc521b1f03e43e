"""Frames that are lines of text: found by their head, ended by CR LF, by the next head or by any control byte.

Some indicators send no line end at all, others put line noise or a data radio's name in front. So a frame is looked for
wherever its head stands, and its end is settled by what follows it, never by how the bytes arrived.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from devices.weighbridge.cutter import Drop, Scanned, Take, Window
from devices.weighbridge.frame import Decoded, Reason, Rejected

# `kg` and `lb` are whole whatever follows; one letter is a unit only where no letter follows (`t`, but not of `txt`).
# What else stands there as a word is taken too, so that it can be rejected as no unit of mass.
UNIT = rb"(?P<unit>[kK][gG]|[lL][bB]|[A-Za-z%]*)"
# Sign, blanks, digits with blanks between them, decimal point or comma: what `number.read_number` then judges.
NUMBER = rb"(?P<number>[ +\-]*(?:\d[\d ]*)?(?:[.,]\d*)?)"

_CONTROL = re.compile(rb"[\x00-\x1f]")
Read = Callable[["re.Match[bytes]", bytes], Decoded]


@dataclass(frozen=True, slots=True)
class TextForm:
    """One shape of line: the pattern of its text without line end, and how its match reads. `raw` is the whole line."""

    pattern: re.Pattern[bytes]
    read: Read


@dataclass(frozen=True, slots=True)
class TextFrames:
    """The `scan` of a text protocol. Heads are at most `head_bytes` long, texts `text_bytes`.

    The cutter's limit must be at least `limit`.
    """

    head: re.Pattern[bytes]
    head_bytes: int
    text_bytes: int
    forms: Sequence[TextForm]

    @property
    def limit(self) -> int:
        """The most bytes needed to settle one frame: its text and a line end."""
        return self.text_bytes + 2

    def scan(self, window: Window) -> Scanned:
        """Take the line that begins here, drop its first byte, or wait for what ends it."""
        head = self.head.match(window.data)
        if head is None:
            return None if len(window.data) < self.head_bytes and not window.is_last else Drop()
        end = self._end(window.data, head.end())
        if end is None and len(window.data) < self.text_bytes and not window.is_last:
            return None
        text = window.data[: self.text_bytes if end is None else end]
        after = _line_end(window, len(text))
        if after is None:
            return None
        for form in self.forms:
            found = form.pattern.match(text)
            if found is not None:
                length = after if found.end() == len(text) else found.end()
                return _settled(form.read(found, window.data[:length]), length)
        is_cut = end is None and window.is_last and len(window.data) < self.text_bytes
        return Drop(Reason.INCOMPLETE if is_cut else Reason.LAYOUT, after)

    def _end(self, data: bytes, position: int) -> int | None:
        control = _CONTROL.search(data, position, self.text_bytes)
        following = self.head.search(data, position, self.text_bytes)
        return min((found.start() for found in (control, following) if found), default=None)


def _line_end(window: Window, end: int) -> int | None:
    """Where the line end behind the text stops; None while the byte that settles it has not come."""
    ahead = window.data[end : end + 2]
    if ahead in (b"", b"\r") and not window.is_last:
        return None
    if ahead == b"\r\n":
        return end + 2
    return end + 1 if ahead[:1] in (b"\r", b"\n") else end


def _settled(frame: Decoded, length: int) -> Scanned:
    if isinstance(frame, Rejected) and frame.reason not in (Reason.TARE, Reason.NOT_WEIGHT):
        return Drop(frame.reason, length)
    return Take(frame)
