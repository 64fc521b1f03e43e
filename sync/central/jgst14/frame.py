"""One JGS/T 14 frame: bytes to fields and back. Pure; knows no socket and no XML.

The standard fixes neither the byte order of the three integers nor, in practice, the length of the message code: the
one reading in which the total length equals header + XML + tail (for 0x21 and 0x26 + images) is the frame's form. Where
none fits, the bytes are no frame: a damaged command must never be guessed at. Layout, disagreements between
implementations and sources: `docs/protocols/jgst14.md`.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final, Literal

from gate_service.domain.errors import FrameError
from sync.central.warnings import WarningCode, shown, warning

ByteOrder = Literal["little", "big"]
CodeLength = Literal[1, 4]

HEAD_MARK: Final = bytes.fromhex("E25C4B89")
TAIL_MARK: Final = b"\xff\xff"
IDENTIFIER: Final = b"\xff\xff\xff\xff"
SHORTEST_FRAME: Final = 40  # bytes; what the JZ front end accepts at least
# Table A.4 of the standard, and the partial packets seen beside them.
CODES: Final = frozenset(
    {0x21, 0x22, 0x25, 0x26, *range(0x31, 0x37), 0x42, 0x43, *range(0x61, 0x67), *range(0x81, 0x86)},
)
_MOST_IMAGES: Final = 64  # limit of ours; the standard has six positions
_WITH_IMAGES: Final = frozenset({0x21, 0x26})
_DIRECTIONS: Final = {"I", "E"}
_SEAL_DIRECTIONS: Final = {"I", "E", "F", "H"}  # 0x63 to 0x66: fixed and mobile virtual lane
_SEAL_CODES: Final = frozenset(range(0x63, 0x67))
_CODE_AS_TEXT: Final = re.compile(rb"0[xX]([0-9A-Fa-f]{2})")
_FILLING: Final = b"\0 \t\r\n"


@dataclass(frozen=True, slots=True)
class FrameForm:
    """What the standard leaves open: byte order of the integers, bytes of the message code."""

    byte_order: ByteOrder = "little"
    code_length: CodeLength = 1

    @property
    def header_length(self) -> int:
        """Bytes before the XML: marks and lengths 4 + 4 + 4 + 4, area and channel 10 + 10, flag 1, and the code."""
        return 37 + self.code_length


# The form of the C gates first: it wins where two readings fit equally well.
FORMS: Final = (FrameForm("little", 1), FrameForm("big", 1), FrameForm("little", 4), FrameForm("big", 4))


@dataclass(frozen=True, slots=True)
class Image:
    """One picture: position as the byte sent (0x30 front to 0x35 back right) and its bytes."""

    position: int
    content: bytes


@dataclass(frozen=True, slots=True)
class Frame:
    """One frame; `direction` is the letter as sent (I, E, F, H), `images` None where the part is absent."""

    code: int
    area_id: str
    channel: str
    direction: str
    xml: bytes
    images: tuple[Image, ...] | None = None
    identifier: bytes = IDENTIFIER
    form: FrameForm = FrameForm()


@dataclass(frozen=True, slots=True)
class FrameReading:
    """A frame read: how many of the bytes it took, and what was odd."""

    frame: Frame
    length: int
    warnings: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _Candidate:
    form: FrameForm
    total: int
    xml_length: int
    code: int
    code_note: str = ""
    images: tuple[Image, ...] | None = None
    images_note: str = ""


def read_frame(raw: bytes) -> FrameReading:
    """Read the frame these bytes begin with. FrameError for what is no whole frame."""
    if not raw.startswith(HEAD_MARK):
        raise FrameError(f"head mark e2 5c 4b 89 expected, found {raw[:4].hex(' ') or 'no bytes'}")
    if len(raw) < SHORTEST_FRAME:
        raise FrameError(f"a frame of at least {SHORTEST_FRAME} bytes expected, found {len(raw)}")
    best = _best(raw)
    if len(raw) < best.total:
        raise FrameError(f"the total length says {best.total} bytes, found {len(raw)}: the frame is cut")
    tail = raw[best.total - 2 : best.total]
    if tail != TAIL_MARK:
        raise FrameError(f"tail ff ff expected at byte {best.total - 2}, found {tail.hex(' ')}")
    return _reading(raw, best)


def write_frame(frame: Frame) -> bytes:
    """The bytes of a frame in its own form. FrameError for what does not fit its fields."""
    order, length = frame.form.byte_order, frame.form.code_length
    if not 0 <= frame.code <= 0xFF or len(frame.identifier) != 4:
        raise FrameError(f"code of one byte, identifier of four expected, found {frame.code} {frame.identifier!r}")
    body = frame.xml if frame.images is None else frame.xml + _written_images(frame.images, order)
    total = frame.form.header_length + len(body) + len(TAIL_MARK)
    return b"".join(
        (
            HEAD_MARK,
            total.to_bytes(4, order),
            frame.code.to_bytes(length, order),
            _padded("area", frame.area_id, 10),
            _padded("channel", frame.channel, 10),
            _padded("direction", frame.direction, 1),
            frame.identifier,
            len(frame.xml).to_bytes(4, order),
            body,
            TAIL_MARK,
        )
    )


def _best(raw: bytes) -> _Candidate:
    """The form whose lengths fit; of several the one that fits best. FrameError where none does."""
    found = [candidate for form in FORMS if (candidate := _fit(raw, form)) is not None]
    if not found:
        raise FrameError(f"a total length equal to header + XML + tail expected, found {_lengths(raw)}")
    return max(found, key=lambda c: _likelihood(raw, c))  # the first of equals: FORMS is in order of preference


def _likelihood(raw: bytes, candidate: _Candidate) -> tuple[bool, bool, bool, bool]:
    xml = raw[candidate.form.header_length :][: min(candidate.xml_length, 64)].lstrip(_FILLING)
    begins_as_xml = not xml or xml.startswith((b"<", b"\xef\xbb\xbf", b"\xff\xfe", b"\xfe\xff"))
    whole = candidate.total <= len(raw) and raw[candidate.total - 2 : candidate.total] == TAIL_MARK
    return whole, begins_as_xml, candidate.code in CODES, candidate.images is None


def _fit(raw: bytes, form: FrameForm) -> _Candidate | None:
    header, order = form.header_length, form.byte_order
    if len(raw) < header:
        return None
    total, xml_length = int.from_bytes(raw[4:8], order), int.from_bytes(raw[header - 4 : header], order)
    code, code_note = _code(raw[8 : 8 + form.code_length], order)
    if code is None:
        return None
    if total == header + xml_length + len(TAIL_MARK):
        return _Candidate(form, total, xml_length, code, code_note)
    if code not in _WITH_IMAGES or total < header + xml_length + 4 + len(TAIL_MARK):
        return None
    images_at = header + xml_length
    said = int.from_bytes(raw[images_at : images_at + 4], order)
    room = total - images_at - 4 - len(TAIL_MARK)
    images = _read_images(raw[images_at + 4 : total - len(TAIL_MARK)], order)
    if said != room and (not images or total > len(raw)):
        return None
    note = ""
    if images is None:
        note = f"{room} bytes of images expected as position, length, bytes; found another layout"
    elif said != room:
        note = f"images total {said}, expected {room}"
    return _Candidate(form, total, xml_length, code, code_note, images or (), note)


def _code(raw: bytes, order: ByteOrder) -> tuple[int | None, str]:
    """The message code, and a note where four bytes hold it in another way than as an integer of this byte order."""
    value = int.from_bytes(raw, order)
    if value <= 0xFF:
        return value, ""
    text = _CODE_AS_TEXT.fullmatch(raw)
    if text:
        return int(text[1], 16), "the code is written as text"
    turned = int.from_bytes(raw[::-1], order)
    return (turned, "the code's byte order is not that of the lengths") if turned <= 0xFF else (None, "")


def _read_images(raw: bytes, order: ByteOrder) -> tuple[Image, ...] | None:
    """Images one after another; None if the bytes are not exactly that, or too many."""
    images: list[Image] = []
    at = 0
    while at < len(raw):
        if at + 5 > len(raw) or len(images) == _MOST_IMAGES:
            return None
        length = int.from_bytes(raw[at + 1 : at + 5], order)
        if at + 5 + length > len(raw):
            return None
        images.append(Image(raw[at], raw[at + 5 : at + 5 + length]))
        at += 5 + length
    return tuple(images)


def _lengths(raw: bytes) -> str:
    """What each form would read, for the message: total and XML length."""
    seen = []
    for form in FORMS:
        header, order = form.header_length, form.byte_order
        if len(raw) >= header:
            total, xml = int.from_bytes(raw[4:8], order), int.from_bytes(raw[header - 4 : header], order)
            seen.append(f"{order}/{form.code_length}: total {total}, header {header} + XML {xml} + tail 2")
    return "; ".join(seen)


def _reading(raw: bytes, found: _Candidate) -> FrameReading:
    at = 8 + found.form.code_length
    notes: list[str] = []
    if found.code_note:
        notes.append(warning(WarningCode.CODE_FORM, found.code_note))
    if found.code not in CODES:
        notes.append(warning(WarningCode.CODE_UNKNOWN, f"a code of table A.4 expected, found 0x{found.code:02x}"))
    area = _text("area", raw[at : at + 10], notes)
    channel = _text("channel", raw[at + 10 : at + 20], notes)
    direction = _direction(raw[at + 20], found.code, notes)
    identifier = raw[at + 21 : at + 25]
    if identifier != IDENTIFIER:
        notes.append(warning(WarningCode.IDENTIFIER_NOT_FF, f"ff ff ff ff expected, found {identifier.hex(' ')}"))
    if found.images_note:
        notes.append(warning(WarningCode.IMAGES, found.images_note))
    rest = raw[found.total :]
    if rest.strip(_FILLING):
        what = "another frame" if rest.startswith(HEAD_MARK) else "other bytes"
        notes.append(warning(WarningCode.TRAILING_BYTES, f"{len(rest)} bytes after the frame were left: {what}"))
    header = found.form.header_length
    xml = raw[header : header + found.xml_length]
    frame = Frame(found.code, area, channel, direction, xml, found.images, identifier, found.form)
    return FrameReading(frame, found.total, tuple(notes))


def _text(name: str, raw: bytes, notes: list[str]) -> str:
    """An identity of ten bytes: text padded with NUL or blanks; Quick.JGST14 sends digits as bytes 0 to 9."""
    if any(raw) and all(byte <= 9 for byte in raw):
        notes.append(warning(WarningCode.FRAME_TEXT, f"{name}: text expected, found bytes 0 to 9, read as digits"))
        return "".join(str(byte) for byte in raw)
    text, _, behind = raw.partition(b"\0")
    if behind.strip(b"\0 ") or not text.isascii():
        notes.append(warning(WarningCode.FRAME_TEXT, f"{name}: ASCII padded with NUL expected, found {raw.hex(' ')}"))
    return text.decode("ascii", "backslashreplace").rstrip(" ")


def _direction(byte: int, code: int, notes: list[str]) -> str:
    letter = chr(byte) if 0x20 < byte < 0x7F else ""
    allowed = _SEAL_DIRECTIONS if code in _SEAL_CODES else _DIRECTIONS
    if letter not in allowed:
        found = f"frame: one of {', '.join(sorted(allowed))} expected, found 0x{byte:02x}"
        notes.append(warning(WarningCode.DIRECTION_UNKNOWN, found))
    return letter


def _padded(name: str, text: str, length: int) -> bytes:
    raw = text.encode("ascii", "replace")
    if not text.isascii() or len(raw) > length:
        raise FrameError(f"{name} of at most {length} ASCII characters expected, found {shown(text)}")
    return raw.ljust(length, b"\0")


def _written_images(images: tuple[Image, ...], order: ByteOrder) -> bytes:
    body = b"".join(bytes([image.position]) + len(image.content).to_bytes(4, order) + image.content for image in images)
    return len(body).to_bytes(4, order) + body
