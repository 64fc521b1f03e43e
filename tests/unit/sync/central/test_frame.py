"""JGS/T 14 frames: the four forms, what is read leniently, and what is no frame."""

from __future__ import annotations

import struct

import pytest

from gate_service.domain.errors import FrameError
from sync.central.jgst14.frame import Frame, FrameForm, Image, read_frame, write_frame
from tests.fakes import customs_messages as built

XML = b"<COMMAND_INFO/>"
FORMS = [("<", "little", 1), (">", "big", 1), ("<", "little", 4), (">", "big", 4)]


def codes(reading):
    return [text.partition(":")[0] for text in reading.warnings]


@pytest.mark.parametrize(("pack", "order", "length"), FORMS)
def test_byte_order_and_code_length_are_found_from_the_lengths(pack, order, length):
    reading = read_frame(built.frame(XML, order=pack, code_length=length))
    assert reading.frame == Frame(0x22, built.AREA, built.CHANNEL, "I", XML, form=FrameForm(order, length))
    assert reading.length == 37 + length + len(XML) + 2
    assert reading.warnings == ()


@pytest.mark.parametrize(("pack", "order", "length"), FORMS)
def test_what_is_written_is_the_layout_of_the_standard(pack, order, length):
    frame = Frame(0x22, built.AREA, built.CHANNEL, "I", XML, form=FrameForm(order, length))
    assert write_frame(frame) == built.frame(XML, order=pack, code_length=length)


@pytest.mark.parametrize(("pack", "order", "length"), FORMS)
@pytest.mark.parametrize("code", [0x21, 0x26])
def test_pictures_behind_the_xml_of_a_gather_are_read(pack, order, length, code):
    pictures = built.images((0x30, b"\xff\xd8front"), (0x35, b""), order=pack)
    frame = read_frame(built.frame(XML, code, order=pack, code_length=length, images=pictures)).frame
    assert frame.images == (Image(0x30, b"\xff\xd8front"), Image(0x35, b""))
    assert (frame.xml, frame.form) == (XML, FrameForm(order, length))


def test_an_images_part_of_no_pictures_is_there_but_empty():
    assert read_frame(built.frame(XML, 0x21, images=bytes(4))).frame.images == ()
    assert read_frame(built.frame(XML, 0x21)).frame.images is None


def test_pictures_behind_another_message_are_no_frame():
    with pytest.raises(FrameError, match="total length"):
        read_frame(built.frame(XML, 0x22, images=built.images((0x30, b"x"))))


@pytest.mark.parametrize(
    "pictures",
    [built.images((0x30, b"abc"), total=99), struct.pack("<I", 7) + b"\x30abcdef"],
    ids=["wrong total", "wrong layout"],
)
def test_pictures_that_do_not_add_up_are_told_and_the_xml_still_read(pictures):
    reading = read_frame(built.frame(XML, 0x21, images=pictures))
    assert reading.frame.xml == XML
    assert codes(reading) == ["images"]


def test_pictures_that_neither_add_up_nor_parse_are_no_frame():
    with pytest.raises(FrameError, match="total length"):
        read_frame(built.frame(XML, 0x21, images=struct.pack("<I", 99) + b"\x30abcdef"))


def test_thousands_of_pictures_are_told_not_unpacked():
    reading = read_frame(built.frame(XML, 0x21, images=built.images(*[(0x30, b"")] * 5000)))
    assert (reading.frame.images, codes(reading)) == ((), ["images"])


def test_four_stray_bytes_behind_the_xml_are_no_images_part():
    with pytest.raises(FrameError, match="total length"):
        read_frame(built.frame(XML, 0x21, images=struct.pack("<I", 9)))


def test_an_identifier_of_zeros_as_the_jz_front_end_sends_is_read_and_told():
    reading = read_frame(built.frame(XML, identifier=bytes(4)))
    assert codes(reading) == ["identifier_not_ff"]
    assert reading.frame.identifier == bytes(4)


@pytest.mark.parametrize(
    ("area", "read", "warned"),
    [
        (b"311", "311", []),
        (b"311       ", "311", []),
        (b"", "", []),
        (bytes([3, 1, 1, 6, 0, 0, 0, 0, 0, 1]), "3116000001", ["frame_text"]),
        (b"311\x00rest\x00\x00", "311", ["frame_text"]),
        (b"\xb2\xe2", "\\xb2\\xe2", ["frame_text"]),
    ],
)
def test_an_area_is_text_padded_with_nul(area, read, warned):
    reading = read_frame(built.frame(XML, area=area))
    assert (reading.frame.area_id, codes(reading)) == (read, warned)


@pytest.mark.parametrize(
    ("flag", "code", "read", "warned"),
    [
        (b"E", 0x22, "E", []),
        (b"F", 0x63, "F", []),
        (b"H", 0x66, "H", []),
        (b"F", 0x22, "F", ["direction_unknown"]),
        (b"\0", 0x22, "", ["direction_unknown"]),
        (b"i", 0x22, "i", ["direction_unknown"]),
    ],
)
def test_the_flag_is_the_letter_sent_and_a_strange_one_is_told(flag, code, read, warned):
    reading = read_frame(built.frame(XML, code, flag=flag))
    assert (reading.frame.direction, codes(reading)) == (read, warned)


@pytest.mark.parametrize("code_bytes", [b"0x22", b"\0\0\0\x22"])
def test_four_code_bytes_may_be_text_or_of_the_other_byte_order(code_bytes):
    raw = bytearray(built.frame(XML, code_length=4))
    raw[8:12] = code_bytes
    reading = read_frame(bytes(raw))
    assert (reading.frame.code, codes(reading)) == (0x22, ["code_form"])


def test_a_code_outside_the_table_is_read_and_told():
    reading = read_frame(built.frame(XML, 0x99))
    assert (reading.frame.code, codes(reading)) == (0x99, ["code_unknown"])


@pytest.mark.parametrize("behind", [b"\r\n", b"\0\0", b" "])
def test_blanks_behind_the_frame_are_nothing(behind):
    assert read_frame(built.frame(XML) + behind).warnings == ()


@pytest.mark.parametrize("behind", [built.frame(XML), b"x"])
def test_of_glued_frames_the_first_is_read_and_the_rest_told(behind):
    reading = read_frame(built.frame(XML) + behind)
    assert reading.length == len(built.frame(XML))
    assert codes(reading) == ["trailing_bytes"]


def test_a_frame_of_forty_bytes_without_xml_is_the_shortest():
    assert read_frame(built.frame(b"")).frame.xml == b""
    assert len(built.frame(b"")) == 40


@pytest.mark.parametrize(
    ("raw", "told"),
    [
        (b"", "head mark"),
        (b"\xe2\x5c\x4b", "head mark"),
        (built.frame(XML, head=b"\x89\x4b\x5c\xe2"), "head mark"),
        (b"\xe2\x5c\x4b\x89", "at least 40 bytes"),
        (built.frame(XML)[:39], "at least 40 bytes"),
        (built.frame(XML)[:-1], "cut"),
        (built.frame(XML)[:-5], "cut"),
        (built.frame(XML, 0x21, images=built.images((0x30, b"abc")))[:-3], "cut"),
        (built.frame(XML, tail=b"\xff\x00"), "tail ff ff"),
        (built.frame(XML, total=54), "total length"),
        (built.frame(XML, xml_length=14), "total length"),
        (built.frame(XML, total=59), "total length"),
        (built.frame(XML, total=0xFFFFFFFF), "total length"),
        (built.frame(XML, total=0xFFFFFFFF, xml_length=0xFFFFFFFF - 40), "cut"),
        (built.frame(XML, total=0xFFFFFFFF, xml_length=0xFFFFFFFF), "total length"),
        (built.frame(XML, total=0, xml_length=0), "total length"),
    ],
)
def test_what_is_no_whole_frame_is_refused_with_the_reason(raw, told):
    with pytest.raises(FrameError, match=told):
        read_frame(raw)


@pytest.mark.parametrize(
    "frame",
    [
        Frame(0x122, "1", "1", "I", XML),
        Frame(0x22, "1" * 11, "1", "I", XML),
        Frame(0x22, "1", "通道", "I", XML),
        Frame(0x22, "1", "1", "IE", XML),
        Frame(0x22, "1", "1", "I", XML, identifier=b"\xff"),
    ],
)
def test_what_does_not_fit_its_field_is_not_written(frame):
    with pytest.raises(FrameError):
        write_frame(frame)
