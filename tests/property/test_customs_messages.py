"""Customs messages from a network without authentication: any bytes end in an answer or in an error of ours, soon."""

from __future__ import annotations

import json
import time

from hypothesis import example, given, settings
from hypothesis import strategies as st

from gate_service.domain.errors import FrameError, MessageError
from sync.central.jgst14.frame import CODES, FORMS, HEAD_MARK, Frame, Image, read_frame, write_frame
from sync.central.jgst14.state_word import StateWordVariant, read_state_word
from sync.central.message import read_message
from tests.fakes import customs_messages as built

names = st.text("0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcxyz-", max_size=10)
xml_texts = st.text(st.characters(codec="utf-8", exclude_characters="<&"), max_size=40).map(
    lambda text: f"<R><A>{text}</A></R>".encode()
)
pictures = st.lists(st.builds(Image, st.integers(0x30, 0x35), st.binary(max_size=30)), max_size=3).map(tuple)
frames = st.builds(
    lambda code, area, channel, way, xml, images, form: Frame(
        code, area, channel, way, xml, images if code in {0x21, 0x26} else None, form=form
    ),
    st.sampled_from(sorted(CODES)),
    names,
    names,
    st.sampled_from("IE"),
    xml_texts,
    st.none() | pictures,
    st.sampled_from(FORMS),
)
SAMPLES = [
    built.frame(built.release().encode("gbk")),
    built.frame(built.gather().encode(), 0x21, order=">", code_length=4, images=built.images((0x30, b"x"), order=">")),
    built.receipt().encode(),
    built.application().encode(),
]
TAGS = ["Package", "EnvelopInfo", "DataInfo", "BussinessData", "SAS223", "SasPassportBsc", "passportNo", "rltNo",
        "HdeApprResult", "Signature", "Object", "PassPortMessage", "PassportHead", "GATHER_INFO", "COMMAND_INFO",
        "CHECK_RESULT", "SEQ_NO", "GROSS_WT", "DxpMessage", "MessageHead", "messageType", "totalWt"]  # fmt: skip
trees = st.recursive(
    st.text("0123456789.IEZ浙* ", max_size=24),
    lambda inner: st.lists(st.tuples(st.sampled_from(TAGS), inner), max_size=4).map(
        lambda items: "".join(f"<{tag}>{value}</{tag}>" for tag, value in items)
    ),
    max_leaves=20,
)


def answered(raw):
    """Read bytes; the answer must be printable JSON, the refusal one of ours with words."""
    try:
        answer = read_message(raw)
    except MessageError:
        return None
    json.dumps(answer, ensure_ascii=False).encode()
    assert isinstance(answer["fields"], dict)
    assert all(isinstance(text, str) and ": " in text for text in answer["warnings"])
    return answer


@given(st.binary(max_size=300))
@example(b"\xe2\x5c\x4b\x89" + b"\xff" * 60)
@example(b"\xe2\x5c\x4b\x89" + b"\x00" * 60)
def test_any_bytes_are_answered(raw):
    answered(raw)
    answered(HEAD_MARK + raw)
    answered(b"<" + raw)


@given(st.sampled_from(SAMPLES), st.data())
def test_a_damaged_message_is_answered(sample, data):
    at = data.draw(st.integers(0, len(sample) - 1))
    piece = data.draw(st.binary(max_size=4))
    width = data.draw(st.integers(0, 4))
    answered(sample[:at] + piece + sample[at + width :])
    answered(sample[:at])


@given(st.sampled_from(TAGS), trees)
def test_any_nesting_of_known_tags_is_answered(root, inner):
    answered(f"<{root}>{inner}</{root}>".encode())


@given(frames)
def test_a_frame_written_is_the_frame_read(frame):
    raw = write_frame(frame)
    reading = read_frame(raw)
    assert reading.frame == frame
    assert (reading.length, reading.warnings) == (len(raw), ())


@given(frames, st.binary(min_size=1, max_size=30))
def test_what_follows_a_frame_never_changes_it(frame, behind):
    assert read_frame(write_frame(frame) + behind).frame == frame


@given(frames, st.data())
def test_a_cut_frame_is_never_read(frame, data):
    raw = write_frame(frame)
    short = raw[: data.draw(st.integers(0, len(raw) - 1))]
    try:
        read_frame(short)
    except FrameError:
        return
    raise AssertionError(short)


@given(frames.filter(lambda frame: frame.images is None), st.data())
def test_a_wrong_length_is_never_read_as_another_frame(frame, data):
    raw = bytearray(write_frame(frame))
    at = data.draw(st.sampled_from([4, 5, 6, 7, *range(frame.form.header_length - 4, frame.form.header_length)]))
    raw[at] ^= data.draw(st.integers(1, 255))
    try:
        reading = read_frame(bytes(raw))
    except FrameError:
        return
    assert reading.frame.code in {0x21, 0x26}  # only there may bytes behind the XML be a part of their own
    assert reading.frame.xml != frame.xml or reading.warnings


@given(st.text(max_size=30), st.sampled_from(StateWordVariant))
def test_any_state_word_is_read_or_told(text, variant):
    word, notes = read_state_word(text, variant)
    assert (word is None) == (len(text) != 20)
    if word is not None:
        assert word.overall
        assert word.barrier
        word.findings()
    else:
        assert notes


@settings(max_examples=20)
@given(st.integers(1, 200_000), st.sampled_from(["<a>", "<a><b/>", "&amp;", "<a b=''/>", "]]>", "<![CDATA[", "<!--"]))
def test_long_monotonous_xml_ends_soon(count, piece):
    began_s = time.thread_time()  # of work: what else the machine does does not count
    answered(b"<GATHER_INFO>" + (piece * count).encode()[:1_000_000])
    assert time.thread_time() - began_s < 2
