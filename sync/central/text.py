"""Bytes of an XML document to text: what the declaration says, held against what the bytes can be.

The legacy gate says ASCII in the standard and GB2312 in every implementation, the smart gate and the single window say
UTF-8 (`reference` of the protocol pages); some documents declare nothing, some declare the wrong one.
"""

from __future__ import annotations

import codecs
import re
from typing import Final

from gate_service.domain.errors import XmlError
from sync.central.warnings import WarningCode, shown, warning

_DECLARED: Final = re.compile(rb"^\s*<\?xml\s[^>]{0,200}?encoding\s*=\s*[\"']([A-Za-z0-9._-]{1,40})[\"']")
# GB18030 reads all of GB2312 and GBK; senders that declare GB2312 send characters outside it (rare plates and names).
_GB: Final = frozenset({"gb2312", "gbk", "gb18030", "gb_2312-80", "cp936", "ms936", "euc-cn", "x-gbk"})
_UTF8: Final = frozenset({"utf-8", "utf8", "ascii", "us-ascii"})
_FIRST_CJK: Final = "\u2000"  # above are punctuation, ideographs, full width: what Chinese text in UTF-8 consists of


def decode_xml(raw: bytes) -> tuple[str, str, list[str]]:
    """Text, name of the encoding it was read in, and warnings. XmlError if the bytes are text in none of them."""
    raw = raw.lstrip(b"\0 \t\r\n")
    if raw.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return _strictly(raw, "utf-16"), "utf-16", []
    raw = raw.rstrip(b"\0 \t\r\n")  # senders in C count the closing NUL of their string as XML
    if raw.startswith(codecs.BOM_UTF8):
        return _strictly(raw[len(codecs.BOM_UTF8) :], "utf-8").lstrip(), "utf-8", []
    match = _DECLARED.match(raw)
    declared = match[1].decode("ascii").lower() if match else None
    encoding, reason = _choose(raw, declared)
    said = "no declaration" if declared is None else f"declared {declared}"
    notes = [warning(WarningCode.ENCODING_GUESSED, f"{said}, read as {encoding}: {reason}")] if reason else []
    return _strictly(raw, encoding), encoding, notes


def _choose(raw: bytes, declared: str | None) -> tuple[str, str]:
    """The encoding to read in, and the reason where that is not simply what was declared."""
    if raw.isascii():
        return ("gb18030" if declared in _GB else "utf-8"), ""
    as_utf8, as_gb = _decoded(raw, "utf-8"), _decoded(raw, "gb18030")
    if as_utf8 is None and as_gb is None:
        raise XmlError(f"text in UTF-8 or GB18030 expected (declared: {declared}), found bytes that are neither")
    looks_utf8 = as_utf8 is not None and all(c >= _FIRST_CJK for c in as_utf8 if not c.isascii())
    if declared in _UTF8 and as_utf8 is not None:
        return "utf-8", ""
    if declared in _GB and as_gb is not None and not looks_utf8:
        return "gb18030", ""
    if declared is None and looks_utf8:  # what XML itself means by no declaration
        return "utf-8", ""
    if looks_utf8 or as_gb is None:
        return "utf-8", "the bytes are Chinese text in UTF-8" if looks_utf8 else "the bytes are no text in GB18030"
    return "gb18030", "the bytes are text in GB18030"


def _decoded(raw: bytes, encoding: str) -> str | None:
    try:
        return raw.decode(encoding)
    except UnicodeDecodeError:
        return None


def _strictly(raw: bytes, encoding: str) -> str:
    try:
        return raw.decode(encoding)
    except UnicodeDecodeError as error:
        raise XmlError(f"text in {encoding} expected, found {shown(str(error.reason))} at byte {error.start}") from None
