"""The messages 0x21 to 0x85 of JGS/T 14: which one an XML is, and what in it disagrees with the standard. Pure.

Tags, code lists and the spellings of the standard (EXCUTE_COMMAND, GETHER_MODE): tables A.5, A.6 and 1 to 5.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Final

from gate_service.domain.errors import MessageUnknownError
from gate_service.domain.vehicle import container_check_digit_fits
from sync.central.figures import weight_kg
from sync.central.jgst14.frame import Frame
from sync.central.jgst14.state_word import StateWord, StateWordVariant, read_state_word
from sync.central.warnings import WarningCode, shown, warning
from sync.central.xml import XmlDocument, text_of, texts

# Codes whose XML has the same shape: the root and its tags name the family, only the frame names the message.
_ROOTS: Final[Mapping[str, tuple[int, ...]]] = {
    "DEVICE_STATUS": (0x42,),
    "CHANNEL_EXCEPTION": (0x43,),
    "GATHER_FEEDBACK": (0x82,),
    "OPERATE_INFO": (0x83,),
    "OPERATE_FEEDBACK": (0x84,),
    "MANUAL_CHECK": (0x85,),
}
# The sources do not name every root; these tags belong to one message each. The first row with all its tags wins.
_BY_TAGS: Final[tuple[tuple[frozenset[str], tuple[int, ...]], ...]] = (
    (frozenset({"EXCUTE_COMMAND"}), (0x31, 0x35)),
    (frozenset({"EXECUTE_COMMAND"}), (0x31, 0x35)),  # the word as it is spelt elsewhere
    (frozenset({"EXECUTE_RESULT"}), (0x32,)),
    (frozenset({"EXCUTE_RESULT"}), (0x32,)),
    (frozenset({"CONTROL_RESULT"}), (0x34, 0x36)),
    (frozenset({"MONITOR_IP"}), (0x61,)),
    (frozenset({"RESULT", "RIGHTS"}), (0x62,)),
    (frozenset({"RESULT", "PIC_DATA_FLAG"}), (0x62,)),
    (frozenset({"DEVICE_ID", "DEVICE_STATUS"}), (0x33,)),
)
_RELEASE_TAGS: Final = frozenset({"CHECK_RESULT", "FORM_TYPE", "FORM_ID", "OP_HINT"})
_LEGACY_GATHER: Final = frozenset({"SEQ_NO", "I_E_TYPE", "IC", "WEIGHT", "CAR", "CONTA", "SEAL"})
_SMART_GATHER: Final = frozenset({"SESSION_ID", "I_E_FLAG", "GETHER_MODE", "VE_LICENSE_NO", "IC_INFO", "FORM_INFO"})

_STATE_WORDS: Final[Mapping[int, tuple[tuple[str, ...], StateWordVariant]]] = {
    0x22: (("CHECK_RESULT",), StateWordVariant.RELEASE),
    0x31: (("EXCUTE_COMMAND", "EXECUTE_COMMAND"), StateWordVariant.CONTROL),
    0x35: (("EXCUTE_COMMAND", "EXECUTE_COMMAND"), StateWordVariant.CONTROL),
    0x32: (("EXECUTE_RESULT", "EXCUTE_RESULT"), StateWordVariant.RESULT),
}
_MUST_HAVE: Final[Mapping[int, tuple[str, ...]]] = {
    0x21: ("AREA_ID", "CHNL_NO", "I_E_TYPE", "SEQ_NO"),  # table A.5: none may be empty
    0x22: ("SEQ_NO", "CHECK_RESULT"),
    0x81: ("AREA_ID", "CHNL_NO", "SESSION_ID"),
    0x82: ("SESSION_ID", "CHECK_RESULT"),
    0x85: ("SESSION_ID", "CHECK_RESULT"),
}
_LISTS: Final[Mapping[int, Mapping[str, str]]] = {  # tag -> the values allowed, separated by blanks
    0x22: {"FORM_TYPE": "1 2 3 4 5 6 7 8 A B C D"},
    0x31: {"OP_TYPE": "0 1 2"},
    0x33: {"DEVICE_STATUS": "0 1 2 3"},
    0x34: {"CONTROL_RESULT": "0 1 2 3 4"},
    0x35: {"OP_TYPE": "0 1 2"},
    0x36: {"CONTROL_RESULT": "0 1 2 3 4"},
    0x42: {"DEVICE_STATUS": "0 1 2 3"},
    0x43: {"DEVICE_STATUS": "0 1 2 3"},
    0x62: {"RESULT": "0 1 2 3 4 5 6 7", "RIGHTS": "0 1 2"},
    0x81: {"GETHER_MODE": "A M B", "FORM_TYPE": "bill entry rmft cdl oneoff"},
    0x82: {"CHECK_RESULT": "Y N M"},
    0x83: {"ESEAL_OPERATE": "U L"},
    0x84: {"RESULT": "0 1 2", "GPS_OPERATE": "S C"},
    0x85: {"CHECK_RESULT": "1 2 3"},
}
_WEIGHTS: Final = (
    "GROSS_WT",
    "IC_GROSS_WT",
    "VE_WT",
    "VE_WEIGHT",
    "WEIGHT_DIFF",
    "CHANNEL_WEIGHT",
    "GROSS_WEIGHT",
    "VEHICLE_WEIGHT",
)
_CONTAINERS: Final = ("CONTA_ID_F", "CONTA_ID_B")
_SEQ_NO: Final = re.compile(r"[0-9A-Za-z]{20,24}")  # 20 in the standard, up to about 24 in a port's system


def codes_of(document: XmlDocument) -> tuple[int, ...]:
    """The codes an XML can have, the likeliest first; empty where it is none of these messages."""
    root, names = document.root, frozenset(document.fields)
    if root == "GATHER_INFO":
        if document.root_attributes & {"SEQ_NO", "I_E_TYPE", "AREA_ID"}:
            return (0x21, 0x26)
        if names & _SMART_GATHER:
            return (0x81,)
        return (0x21, 0x26) if names & _LEGACY_GATHER else ()
    if root in _ROOTS:
        return _ROOTS[root]
    found = next((codes for tags, codes in _BY_TAGS if tags <= names), ())
    return found or ((0x22,) if root == "COMMAND_INFO" and names & _RELEASE_TAGS else ())


def bare_code(document: XmlDocument) -> tuple[int, list[str]]:
    """The code of an XML that came without a frame. MessageUnknownError where root and tags name none."""
    codes = codes_of(document)
    if not codes:
        raise MessageUnknownError(
            f"the XML of a JGS/T 14 message or a single-window message expected, found root {shown(document.root)} "
            f"with {', '.join(map(shown, list(document.fields)[:5])) or 'nothing in it'}"
        )
    if codes[0] not in {0x31, 0x34}:  # 0x26 holds images, and those come in frames only
        return codes[0], []
    others = " or ".join(f"0x{code:02x}" for code in codes)
    return codes[0], [warning(WarningCode.CODE_NOT_IN_XML, f"without its frame this may be {others}")]


def frame_warnings(frame: Frame, document: XmlDocument) -> list[str]:
    """Where the frame and the XML it carries disagree: message, area, channel, direction."""
    notes = []
    codes = codes_of(document)
    if codes and frame.code not in codes:
        said = " or ".join(f"0x{code:02x}" for code in codes)
        notes.append(warning(WarningCode.CODE_XML_MISMATCH, f"frame says 0x{frame.code:02x}, XML is that of {said}"))
    # A channel of twenty characters is area and channel together, as some senders repeat it.
    pairs = (
        (WarningCode.AREA_MISMATCH, {frame.area_id}, ("AREA_ID",)),
        (WarningCode.CHANNEL_MISMATCH, {frame.channel, frame.area_id + frame.channel}, ("CHNL_NO",)),
        (WarningCode.DIRECTION_MISMATCH, {frame.direction}, ("I_E_TYPE", "I_E_FLAG")),
    )
    for code, framed, tags in pairs:
        for tag in tags:
            value = (text_of(document.fields, tag) or "").strip()
            if value and value not in framed:
                notes.append(warning(code, f"frame says {shown(min(framed, key=len))}, {tag} says {shown(value)}"))
    return notes


def state_word_of(code: int, document: XmlDocument) -> tuple[StateWord | None, list[str]]:
    """The state word a message carries; None without warning where it carries none."""
    tags, variant = _STATE_WORDS.get(code, ((), StateWordVariant.RELEASE))
    for tag in tags:
        value = (text_of(document.fields, tag) or "").strip()
        if value:
            return read_state_word(value, variant)
    return None, []


def field_warnings(code: int, document: XmlDocument) -> list[str]:
    """What in the fields of a message disagrees with the standard's own lists and forms."""
    return [*_missing(code, document), *_unlisted(code, document), *_malformed(code, document)]


def _missing(code: int, document: XmlDocument) -> Iterator[str]:
    for tag in _MUST_HAVE.get(code, ()):
        if not (text_of(document.fields, tag) or "").strip():
            yield warning(WarningCode.FIELD_MISSING, f"{tag} must have a value in 0x{code:02x}, found none")


def _unlisted(code: int, document: XmlDocument) -> Iterator[str]:
    for tag, listed in _LISTS.get(code, {}).items():
        for value in texts(document.fields, tag):
            if value.strip() and value.strip() not in listed.split():
                yield warning(WarningCode.VALUE_UNKNOWN, f"{tag}: one of {listed} expected, found {shown(value)}")
    for tag in ("I_E_TYPE", "I_E_FLAG"):
        value = (text_of(document.fields, tag) or "").strip()
        allowed = "I E F H" if 0x63 <= code <= 0x66 else "I E"
        if value and value not in allowed.split():
            yield warning(WarningCode.DIRECTION_UNKNOWN, f"{tag}: one of {allowed} expected, found {shown(value)}")


def _malformed(code: int, document: XmlDocument) -> Iterator[str]:
    sequence = (text_of(document.fields, "SEQ_NO") or "").strip()
    if sequence and not _SEQ_NO.fullmatch(sequence):
        yield warning(WarningCode.SEQ_NO, f"20 to 24 digits or letters expected, found {shown(sequence)}")
    for tag in _WEIGHTS if code in {0x21, 0x81, 0x82} else ():
        for value in texts(document.fields, tag):
            if value.strip() and weight_kg(value) is None:
                yield warning(WarningCode.WEIGHT_NOT_A_NUMBER, f"{tag}: a number of kg expected, found {shown(value)}")
    for tag in _CONTAINERS:
        for value in texts(document.fields, tag):
            if value.strip() and value.strip() != "NULL" and not container_check_digit_fits(value):
                found = f"{tag}: four letters and seven digits with the check digit expected, found {shown(value)}"
                yield warning(WarningCode.CONTAINER_NO, found)
