"""A customs message from bytes to one plain object: frame, name, fields, state word, warnings. Pure.

The shape is public: `gate message` prints it (CONTRACT 2).
"""

from __future__ import annotations

from typing import Any, Final

from gate_service.domain.errors import MessageError
from sync.central.jgst14.frame import HEAD_MARK, Frame, read_frame
from sync.central.jgst14.messages import bare_code, field_warnings, frame_warnings, state_word_of
from sync.central.jgst14.state_word import StateWord
from sync.central.single_window.envelope import open_envelope
from sync.central.single_window.slip_facts import slip_warnings
from sync.central.warnings import WarningCode, warning
from sync.central.xml import XmlDocument, read_xml

LARGEST_MESSAGE_BYTES: Final = 32 * 1024 * 1024  # a frame with six pictures has some megabytes
_BEGINNINGS: Final = (b"<", b"\xef\xbb\xbf", b"\xff\xfe", b"\xfe\xff")


def read_message(raw: bytes) -> dict[str, Any]:
    """Read a frame, the XML of one, or a single-window message. MessageError says why bytes are none of them."""
    if len(raw) > LARGEST_MESSAGE_BYTES:
        raise MessageError(f"a message of at most {LARGEST_MESSAGE_BYTES} bytes expected, found more")
    if raw.startswith(HEAD_MARK):
        return _framed(raw)
    if not raw.strip(b"\0 \t\r\n"):
        raise MessageError("a message expected, found no bytes")
    if raw.lstrip(b"\0 \t\r\n").startswith(_BEGINNINGS):
        return _bare(read_xml(raw))
    place = raw.find(HEAD_MARK)
    behind = f"; a head mark comes at byte {place}" if place >= 0 else ""
    raise MessageError(f"XML or the head mark e2 5c 4b 89 expected, found {raw[:8].hex(' ')}{behind}")


def _framed(raw: bytes) -> dict[str, Any]:
    reading = read_frame(raw)
    frame, notes = reading.frame, list(reading.warnings)
    if frame.xml.strip(b"\0 \t\r\n"):
        document = read_xml(frame.xml)
        notes += [*document.warnings, *frame_warnings(frame, document)]
    else:
        document = XmlDocument("", frozenset(), {}, "utf-8", ())
        notes.append(warning(WarningCode.XML_EMPTY, f"XML expected in 0x{frame.code:02x}, found none"))
    return _jgst14(frame.code, document, notes, frame)


def _bare(document: XmlDocument) -> dict[str, Any]:
    envelope = open_envelope(document)
    if envelope is None:
        code, notes = bare_code(document)
        return _jgst14(code, document, [*document.warnings, *notes], None)
    notes = [*document.warnings, *envelope.warnings, *slip_warnings(envelope)]
    return _answer(envelope.message, None, document, notes)


def _jgst14(code: int, document: XmlDocument, notes: list[str], frame: Frame | None) -> dict[str, Any]:
    word, word_notes = state_word_of(code, document)
    fields_notes = field_warnings(code, document) if document.root else []
    answer = _answer(f"0x{code:02x}", frame, document, [*notes, *word_notes, *fields_notes])
    if word is not None:
        answer["state_word"] = _state_word_object(word)
    return answer


def _answer(message: str, frame: Frame | None, document: XmlDocument, notes: list[str]) -> dict[str, Any]:
    return {
        "message": message,
        "frame": None if frame is None else _frame_object(frame),
        "root": document.root,
        "encoding": document.encoding,
        "fields": document.fields,
        "warnings": list(dict.fromkeys(notes)),
    }


def _frame_object(frame: Frame) -> dict[str, Any]:
    images = frame.images or ()
    return {
        "code": f"0x{frame.code:02x}",
        "area_id": frame.area_id,
        "channel": frame.channel,
        "direction": frame.direction,
        "byte_order": frame.form.byte_order,
        "code_length": frame.form.code_length,
        "identifier": frame.identifier.hex(),
        "images": [{"position": f"0x{image.position:02x}", "length": len(image.content)} for image in images],
    }


def _state_word_object(word: StateWord) -> dict[str, Any]:
    return {
        "variant": str(word.variant),
        "text": word.text,
        "overall": word.overall,
        "barrier": str(word.barrier),
        "words": [
            {"word": place, "device": device, "value": letter, "meaning": meaning}
            for place, device, letter, meaning in word.findings()
        ],
    }
