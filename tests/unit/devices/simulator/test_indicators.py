"""The emulators speak what the decoders read, though neither knows the other; their faults do what they are called."""

from __future__ import annotations

from typing import Any

import pytest

from devices.simulator.indicators import _blueprint, emulator
from devices.simulator.indicators.display import Display
from devices.simulator.indicators.line import Line, heard
from devices.weighbridge import _blueprint as blueprint_decoder
from devices.weighbridge import protocols
from devices.weighbridge.frame import Decoded, Rejected, Status, TareFrame, WeightFrame

# protocol, options of the emulator, options of the decoder, and whether the frame itself says: unit, net, motion,
# range; metric: it knows no pounds
SETUPS: list[tuple[str, dict[str, str], dict[str, str], str]] = [
    ("xk3190-continuous", {}, {}, ""),
    ("xk3190-equals", {"form": "reversed"}, {"form": "reversed"}, ""),
    ("xk3190-equals", {"form": "forward"}, {"form": "forward"}, ""),
    ("xk3190-equals", {"form": "trailing"}, {"form": "trailing"}, ""),
    ("xk3190-equals", {"form": "reversed", "prefix": "weigh01T0000x"}, {"form": "reversed"}, ""),
    ("xk3190-a12", {}, {}, "unit net range"),
    ("xk3190-a12", {"lines": "unchecked"}, {}, "unit net"),
    ("xk3190-a12", {"lines": "unchecked", "end": "none"}, {}, "unit net"),
    ("toledo-continuous", {}, {}, "unit net motion range"),
    ("toledo-continuous", {"checksum": "no"}, {"checksum": "none"}, "unit net motion range"),
    ("toledo-continuous", {"checksum": "plain-sum"}, {"checksum": "plain-sum"}, "unit net motion range"),
    ("toledo-continuous", {"form": "short"}, {"form": "short"}, "unit net motion range"),
    ("toledo-continuous", {"form": "clone12"}, {"form": "clone12"}, "motion range"),
    ("toledo-continuous", {"fill": "zero"}, {}, "unit net motion range"),
    ("mt-sics", {"repeat": "yes"}, {}, "unit motion range"),
    ("sma", {"repeat": "yes"}, {}, "unit net motion range"),
    ("csv", {"maker": "ad"}, {}, "unit net motion range"),
    ("csv", {"maker": "cas"}, {}, "unit net motion range"),
    ("csv", {"maker": "dini"}, {}, "unit net motion range"),
    ("csv", {"maker": "nocomma"}, {}, "unit net motion range"),
    ("csv", {"maker": "nocomma", "end": "none"}, {}, "unit net motion range"),
    ("rice-lake", {}, {}, "unit net motion range"),
    ("rice-lake", {"form": "scoreboard"}, {}, "unit motion range"),
    ("rinstrum", {}, {}, "motion range"),
    ("rinstrum", {"lights": "yes"}, {}, "motion range"),
    ("cardinal", {}, {}, "unit net motion range"),
    ("cardinal", {"form": "sb200"}, {}, "unit net motion range"),
]
IDS = [f"{name}-{'-'.join(options.values()) or 'plain'}" for name, options, _, _ in SETUPS]


def speaking(name: str, options: dict[str, str], **display: Any) -> emulator.Emulator:
    return emulator.make(name, options, Display(**display))


def weights(name: str, options: dict[str, str], *chunks: bytes) -> list[WeightFrame]:
    return [one for one in decoded(name, options, *chunks) if isinstance(one, WeightFrame)]


def decoded(name: str, options: dict[str, str], *chunks: bytes) -> list[Decoded]:
    decoder = protocols.create(name, options)
    return [one for chunk in chunks for one in decoder.feed(chunk)] + decoder.flush()


def bad(frames: list[Decoded]) -> list[Rejected]:
    return [one for one in frames if isinstance(one, Rejected) and not isinstance(one, TareFrame)]


@pytest.mark.parametrize("kg", [0, 20, 12_340, 79_980, -20])
@pytest.mark.parametrize(("name", "options", "reading", "_says"), SETUPS, ids=IDS)
def test_what_is_shown_is_what_is_read(
    name: str, options: dict[str, str], reading: dict[str, str], _says: str, kg: int
) -> None:
    sending = speaking(name, options)
    frames = decoded(name, reading, *(sending.next_bytes(kg) for _ in range(12)))
    values = {one.value for one in frames if isinstance(one, WeightFrame) and one.status is Status.OK}
    assert values == {str(kg)}
    if "prefix" not in options:
        assert not [one for one in bad(frames) if "not_weight" not in str(one.reason)]


@pytest.mark.parametrize(("unit", "decimals", "text"), [("t", 2, "12.34"), ("lb", 0, "27200")])
@pytest.mark.parametrize(("name", "options", "reading", "says"), SETUPS, ids=IDS)
def test_unit_and_decimals_are_read_as_shown(
    name: str, options: dict[str, str], reading: dict[str, str], says: str, *, unit: str, decimals: int, text: str
) -> None:
    if unit == "lb" and "metric" in says:
        pytest.skip("knows no pounds")
    interval_kg = 20 if unit == "t" else 20 * 0.45359237
    sending = speaking(name, options, unit=unit, decimals=decimals, interval_kg=interval_kg)
    kg = 12_340 if unit == "t" else 27_200 * 0.45359237
    frames = weights(name, reading, *(sending.next_bytes(kg) for _ in range(12)))
    assert {frame.value for frame in frames} == {text}
    assert {frame.unit for frame in frames} == ({unit} if "unit" in says else {None})


@pytest.mark.parametrize(("name", "options", "reading", "says"), SETUPS, ids=IDS)
def test_net_motion_and_range_are_told_where_the_frame_can(
    name: str, options: dict[str, str], reading: dict[str, str], says: str
) -> None:
    sending = speaking(name, options, tare_kg=5_000)
    moving = weights(name, reading, *(sending.next_bytes(12_340 + 100 * step) for step in range(8)))
    resting = weights(name, reading, *(sending.next_bytes(13_340) for _ in range(12)))[-2:]
    assert {frame.value for frame in resting} == {"8340"}
    if "motion" in says:
        assert not any(frame.stable for frame in moving)
        assert {frame.stable for frame in resting} <= {True, None}
    if "net" in says:
        assert {frame.net for frame in resting} == {True}
    if "range" in says:
        over = weights(name, reading, *(sending.next_bytes(120_000) for _ in range(12)))[-2:]
        assert {frame.value for frame in over} == {None}
        assert {frame.status for frame in over} <= {Status.OVERLOAD, Status.OUT_OF_RANGE}


@pytest.mark.parametrize("fault", ["garbage", "cut_frames", "wrong_checksum", "silence"])
@pytest.mark.parametrize(("name", "options", "reading", "_says"), SETUPS, ids=IDS)
def test_a_fault_never_gives_another_value_where_there_is_a_check(
    name: str, options: dict[str, str], reading: dict[str, str], _says: str, fault: str
) -> None:
    sending = speaking(name, options)
    try:
        sending.switch(fault, on=True)
    except ValueError:
        assert fault == "wrong_checksum"
        return
    has_check = fault != "cut_frames" or name in ("xk3190-continuous", "xk3190-command")
    frames = weights(name, reading, *(sending.next_bytes(12_340) for _ in range(200)))
    if fault == "wrong_checksum":
        assert frames == []
    if has_check:
        assert {frame.value for frame in frames} <= {"12340", None}
    sending.switch(fault, on=False)
    good = weights(name, reading, *(sending.next_bytes(12_340) for _ in range(12)))
    assert {frame.value for frame in good} == {"12340"}


def test_the_blueprints_of_decoder_and_dialect_agree() -> None:
    sending = emulator.Emulator(_blueprint.continuous({}), Display())
    decoder = blueprint_decoder.create({})
    frames = [one for _ in range(12) for one in decoder.feed(sending.next_bytes(12_340))]
    assert [(one.value, one.unit) for one in frames if isinstance(one, WeightFrame)] == [("12340", "kg")] * 12
    sending.switch("wrong_checksum", on=True)
    assert all(isinstance(one, Rejected) for one in decoder.feed(sending.next_bytes(12_340)))


def ask(sending: emulator.Emulator, question: str) -> bytes:
    for _ in range(6):
        sending.next_bytes(12_340)
    return sending.hear(bytes.fromhex(question), 12_340)


def test_an_indicator_that_is_asked_says_nothing_by_itself() -> None:
    assert speaking("xk3190-command", {}).next_bytes(12_340) == b""
    powering_on = speaking("mt-sics", {})
    assert powering_on.next_bytes(12_340).startswith(b"I4 A")
    assert powering_on.next_bytes(12_340) == b""


def test_an_xk3190_answers_gross_tare_net_handshake_and_refuses_other_letters() -> None:
    sending = speaking("xk3190-command", {}, tare_kg=5_000)
    gross, tare, net = (ask(sending, one) for one in ("024142303303", "024143303203", "024144303503"))
    assert [frame.value for frame in weights("xk3190-command", {}, gross, net)] == ["12340", "7340"]
    assert isinstance(decoded("xk3190-command", {}, tare)[0], TareFrame)
    assert ask(sending, "024141303003") == bytes.fromhex("024141303003")
    assert ask(sending, "024147303603") == b"\x04"
    assert ask(sending, "024242303003") == b""  # another address
    assert ask(sending, "024142303403") == b""  # its check is wrong


@pytest.mark.parametrize(
    ("name", "options", "question"),
    [
        ("mt-sics", {}, b"SI\r\n"),
        ("mt-sics", {}, b"S\r\n"),
        ("sma", {}, b"\nW\r"),
        ("csv", {"asked": "yes"}, b"RW\r\n"),
        ("cardinal", {"form": "enq"}, b"\x05"),
        ("xk3190-command", {"point": "text"}, bytes.fromhex("024142303303")),
    ],
)
def test_an_answer_is_read_as_a_weight_however_the_question_is_split(
    name: str, options: dict[str, str], question: bytes
) -> None:
    sending = speaking(name, options)
    for _ in range(6):
        sending.next_bytes(12_340)
    answer = b"".join(sending.hear(question[at : at + 1], 12_340) for at in range(len(question)))
    assert [frame.value for frame in weights(name, {}, answer)] == ["12340"]


def test_a_late_answer_comes_in_its_own_time() -> None:
    sending = speaking("sma", {})
    sending.switch("late", on=True)
    assert ask(sending, b"\nW\r".hex()) == b""
    waited = [sending.next_bytes(12_340) for _ in range(emulator.LATE_FRAMES + 1)]
    assert [bool(one) for one in waited] == [False] * emulator.LATE_FRAMES + [True]


def test_a_wrong_unit_is_shown_only_by_those_that_show_one() -> None:
    sending = speaking("toledo-continuous", {})
    sending.switch("wrong_unit", on=True)
    assert {frame.unit for frame in weights("toledo-continuous", {}, *(sending.next_bytes(0) for _ in range(8)))} == {
        "lb"
    }
    with pytest.raises(ValueError, match="silence"):
        speaking("rinstrum", {}).switch("wrong_unit", on=True)


@pytest.mark.parametrize(("protocol", "options"), [("no-such", {}), ("csv", {"maker": "x"}), ("csv", {"colour": "x"})])
def test_what_cannot_be_set_up_is_refused(protocol: str, options: dict[str, str]) -> None:
    with pytest.raises(ValueError, match=r"expected|unknown"):
        speaking(protocol, options)


FRAME = bytes.fromhex("02 2B 30 31 32 33 34 30 30 31 46 03")


@pytest.mark.parametrize("framing", ["8N1", "7E1", "7O1", "8E1", "8O1", "7N1"])
@pytest.mark.parametrize("baud", [600, 9600, 115200])
def test_the_same_settings_hear_what_was_sent(baud: int, framing: str) -> None:
    line = Line.parse(baud, framing)
    assert heard(FRAME, line, line) == FRAME


def test_seven_bits_with_parity_heard_as_eight_keep_it_in_the_eighth() -> None:
    even = heard(FRAME, Line(9600, 7, "E"), Line(9600))
    assert bytes(byte & 0x7F for byte in even) == FRAME
    assert all(byte.bit_count() % 2 == 0 for byte in even)
    odd = heard(FRAME, Line(9600, 7, "O"), Line(9600))
    assert all(byte.bit_count() % 2 == 1 for byte in odd)


@pytest.mark.parametrize(
    ("sent", "listened"),
    [(9600, 4800), (9600, 19200), (1200, 9600), (4800, 9600), (9600, 1200), (115200, 9600)],
)
def test_another_speed_hears_something_else(sent: int, listened: int) -> None:
    assert FRAME not in heard(FRAME * 3, Line(sent), Line(listened))
