"""What may be odd about a customs message that can still be read: one stable code each, followed by words.

A warning is the text `code: words`. Codes are public (`docs/protocols/jgst14.md`, `single-window.md`) and never change
their meaning; the words name what was expected and what was found.
"""

from __future__ import annotations

from enum import StrEnum

_LONGEST_SHOWN = 60


class WarningCode(StrEnum):
    """Every code a warning can begin with."""

    ENCODING_GUESSED = "encoding_guessed"
    IDENTIFIER_NOT_FF = "identifier_not_ff"
    CODE_FORM = "code_form"
    CODE_UNKNOWN = "code_unknown"
    CODE_XML_MISMATCH = "code_xml_mismatch"
    CODE_NOT_IN_XML = "code_not_in_xml"
    FRAME_TEXT = "frame_text"
    IMAGES = "images"
    TRAILING_BYTES = "trailing_bytes"
    XML_EMPTY = "xml_empty"
    AREA_MISMATCH = "area_mismatch"
    CHANNEL_MISMATCH = "channel_mismatch"
    DIRECTION_MISMATCH = "direction_mismatch"
    DIRECTION_UNKNOWN = "direction_unknown"
    FIELD_MISSING = "field_missing"
    FIELD_REPEATED = "field_repeated"
    VALUE_UNKNOWN = "value_unknown"
    SEQ_NO = "seq_no"
    STATE_WORD_LENGTH = "state_word_length"
    STATE_WORD_VALUE = "state_word_value"
    STATE_WORD_CONFLICT = "state_word_conflict"
    WEIGHT_NOT_A_NUMBER = "weight_not_a_number"
    WEIGHT_SUM = "weight_sum"
    WEIGHT_ERROR = "weight_error"
    TARE = "tare"
    MESSAGE_TYPE = "message_type"
    BODY_MISSING = "body_missing"
    POCKET_PART = "pocket_part"
    SLIP_NO = "slip_no"
    SLIP_NO_MISMATCH = "slip_no_mismatch"
    BINDING_NOT_EMPTY = "binding_not_empty"
    RELATED_DOCUMENTS = "related_documents"
    DOCUMENT_NO = "document_no"
    PLATE = "plate"
    CONTAINER_NO = "container_no"
    CUSTOMS_CODE = "customs_code"


def warning(code: WarningCode, words: str) -> str:
    """One warning as it is printed."""
    return f"{code}: {words}"


def shown(text: str) -> str:
    """A value of a message as words may quote it: in quotation marks, cut to a length a line can bear."""
    return repr(text if len(text) <= _LONGEST_SHOWN else text[:_LONGEST_SHOWN] + "…")
