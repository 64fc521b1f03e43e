"""XML to fields: the naming decided once, encodings, and everything hostile refused."""

from __future__ import annotations

import pytest

from gate_service.domain.errors import XmlError, XmlRefusedError
from sync.central.xml import DEEPEST, LARGEST_XML_BYTES, parts, read_xml, text_of, texts

PLATE = "<a>浙B12345</a>"


@pytest.mark.parametrize(
    ("xml", "fields"),
    [
        ("<a/>", {}),
        ("<a>words</a>", {"#text": "words"}),
        ('<a x="1"><y>2</y></a>', {"x": "1", "y": "2"}),
        ("<a><b/><c></c></a>", {"b": "", "c": ""}),
        ("<a><b> 1 </b></a>", {"b": " 1 "}),
        ("<a><b>007</b></a>", {"b": "007"}),
        ('<a><b u="kg">5</b></a>', {"b": {"u": "kg", "#text": "5"}}),
        ('<a><b u="kg"/></a>', {"b": {"u": "kg"}}),
        ("<a><b>1</b><b>2</b><b>3</b></a>", {"b": ["1", "2", "3"]}),
        ("<a><b/><b/></a>", {"b": ["", ""]}),
        ('<a b="0"><b>1</b></a>', {"b": ["0", "1"]}),
        ("<a>\n  <b>\n    <c>1</c>\n  </b>\n</a>", {"b": {"c": "1"}}),
        ("<a>left<b/>right</a>", {"#text": "leftright", "b": ""}),
        ("<a><b>1 &lt; 2 &#x6d59;</b></a>", {"b": "1 < 2 浙"}),
        ("<a><b><![CDATA[<x>]]></b><!-- c --><?p i?></a>", {"b": "<x>"}),
        ('<p:a xmlns:p="u" xmlns="v"><p:b p:c="1"/></p:a>', {"b": {"c": "1"}}),
    ],
)
def test_names_and_values_are_those_of_the_message(xml, fields):
    assert read_xml(xml.encode()).fields == fields


@pytest.mark.parametrize(
    ("declared", "sent", "guessed"),
    [
        ("utf-8", "utf-8", False),
        ("UTF-8", "utf-8", False),
        ("GB2312", "gb2312", False),
        ("gbk", "gbk", False),
        ("gb18030", "gb18030", False),
        (None, "utf-8", False),
        (None, "gbk", True),
        ("utf-8", "gbk", True),
        ("GB2312", "utf-8", True),
        ("big5", "gbk", True),
        ("iso-8859-1", "utf-8", True),
    ],
)
def test_chinese_text_is_read_in_what_it_is_and_a_guess_is_told(declared, sent, guessed):
    head = f'<?xml version="1.0" encoding="{declared}"?>' if declared else ""
    document = read_xml((head + f"<r>{PLATE}</r>").encode(sent))
    assert document.fields == {"a": "浙B12345"}
    assert [text.partition(":")[0] for text in document.warnings] == (["encoding_guessed"] if guessed else [])


def test_a_character_outside_gb2312_is_read_under_that_declaration():
    assert read_xml('<?xml version="1.0" encoding="gb2312"?><r><a>喆镕</a></r>'.encode("gbk")).fields == {"a": "喆镕"}


@pytest.mark.parametrize("raw", ["\ufeff" + PLATE, "  \r\n" + PLATE, PLATE + "\0\0"])
def test_byte_order_marks_blanks_and_nul_around_the_document_are_nothing(raw):
    assert read_xml(raw.encode()).fields == {"#text": "浙B12345"}


@pytest.mark.parametrize("encoding", ["utf-16"])
def test_utf_16_is_read_by_its_mark(encoding):
    assert read_xml(PLATE.encode(encoding)).fields == {"#text": "浙B12345"}


_LAUGHS = "<!DOCTYPE a [<!ENTITY l0 'ha'>" + "".join(f"<!ENTITY l{n} '{f'&l{n - 1};' * 10}'>" for n in range(1, 10))


@pytest.mark.parametrize(
    "xml",
    [
        _LAUGHS + "]><a>&l9;</a>",
        '<!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/passwd">]><a>&x;</a>',
        '<!DOCTYPE a SYSTEM "http://127.0.0.1:9/a.dtd"><a/>',
        '<!DOCTYPE a [<!ENTITY % p SYSTEM "http://127.0.0.1:9/"> %p;]><a/>',
        "<!DOCTYPE a><a/>",
        "<a>" * (DEEPEST + 1),
        "<a>" * 100_000,
        "<a>" + "<b/>" * 200_001 + "</a>",
        "<a " + " ".join(f'x{n}=""' for n in range(200_001)) + "/>",
        "<a>" + " " * LARGEST_XML_BYTES + "</a>",
    ],
    ids=["laughs", "file", "dtd", "parameter", "doctype", "deep", "deeper", "many", "attributes", "large"],
)
def test_hostile_xml_is_refused(xml):
    with pytest.raises(XmlRefusedError):
        read_xml(xml.encode())


def test_the_deepest_allowed_is_read():
    read_xml(("<a>" * DEEPEST + "</a>" * DEEPEST).encode())


@pytest.mark.parametrize(
    "raw",
    [b"", b"x", b"<", b"<a>", b"<a></b>", b"<a/><a/>", b"<a>&x;</a>", b"<a>\x00</a>", b"<a>\x01</a>", b"<a b=1/>",
     b"<p:a/>", b"<a b='1' b='2'/>", b"<a>\xff\xff</a>", b"\xff\xfe<", b"\xef\xbb\xbf\xff"],
)  # fmt: skip
def test_what_is_not_xml_is_an_error_of_ours(raw):
    with pytest.raises(XmlError):
        read_xml(raw)


def test_texts_and_parts_find_through_lists_and_depth():
    fields = read_xml(b'<a><b><c>1</c></b><b><c>2</c><c d="x">3</c></b><c/></a>').fields
    assert sorted(texts(fields, "c")) == ["", "1", "2", "3"]
    assert text_of(fields, "c") == ""
    assert text_of(fields, "none") is None
    assert len(parts(fields, "b")) == 2
    assert parts(fields, "c") == []
    assert parts(fields, "b", "c") == [{"d": "x", "#text": "3"}]
