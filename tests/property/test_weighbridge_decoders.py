"""For every weighing decoder: chunking changes nothing, nothing crashes or grows, and no damage makes another value."""

from __future__ import annotations

import functools
import json
import operator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from devices.weighbridge import protocols
from devices.weighbridge.cutter import NOISE_RUN_BYTES, FrameCutter
from devices.weighbridge.frame import Decoded, Rejected, WeightFrame

GOLDEN = Path(__file__).parents[1] / "golden" / "weighbridge"
SAMPLES: list[dict[str, Any]] = json.loads((GOLDEN / "frames.json").read_text(encoding="utf-8"))
for file in sorted((GOLDEN / "captures").glob("*.json")):
    capture = json.loads(file.read_text(encoding="utf-8"))
    SAMPLES += [
        {"id": f"{file.stem}-{at}", "protocol": capture["protocol"], "options": capture["options"], "hex": frame["raw"]}
        for at, frame in enumerate(capture["expect"])
        if frame["kind"] == "reading"
    ]
NAMES = sorted(protocols.PROTOCOLS)
PATIENT = settings(deadline=None)  # the machine may be busy; the time limit per test still holds
NOISE = st.one_of(
    st.binary(max_size=12),
    st.text("ST,GS+-0123456789.kg =\r\nWwnUO", max_size=16).map(str.encode),
    st.just(b"\x02\x02"),
)


def all_frames(name: str, options: dict[str, str], *chunks: bytes) -> list[Decoded]:
    decoder = protocols.create(name, options)
    return [frame for chunk in chunks for frame in decoder.feed(chunk)] + decoder.flush()


def streams(name: str) -> st.SearchStrategy[bytes]:
    frames = [bytes.fromhex(sample["hex"]) for sample in SAMPLES if sample["protocol"] == name]
    whole = st.sampled_from(frames)
    cut = st.tuples(whole, st.integers(0, 20), st.integers(0, 20)).map(lambda t: t[0][: t[1]] + t[0][t[1] + t[2] :])
    return st.lists(st.one_of(whole, whole, cut, NOISE), max_size=8).map(b"".join)


def option_sets(name: str) -> st.SearchStrategy[dict[str, str]]:
    return st.fixed_dictionaries(
        {}, optional={key: st.sampled_from(values) for key, values in protocols.PROTOCOLS[name].options.items()}
    )


def test_a_line_as_long_as_may_be_waits_for_its_end() -> None:
    stream = b"wn-000\xe59k139kg3D\r\n"  # found by the fuzzer: sixteen bytes of text, cut before the line end
    for cut in range(1, len(stream)):
        assert all_frames("xk3190-a12", {}, stream[:cut], stream[cut:]) == all_frames("xk3190-a12", {}, stream)


@pytest.mark.parametrize("name", NAMES)
@PATIENT
@given(data=st.data())
def test_how_bytes_are_split_over_reads_changes_nothing(name: str, data: st.DataObject) -> None:
    stream, options = data.draw(streams(name)), data.draw(option_sets(name))
    cuts = sorted(data.draw(st.lists(st.integers(0, len(stream)), max_size=12)))
    chunks = [stream[start:end] for start, end in zip([0, *cuts], [*cuts, len(stream)], strict=True)]
    assert all_frames(name, options, *chunks) == all_frames(name, options, stream)


@pytest.mark.parametrize("name", NAMES)
@PATIENT
@given(data=st.data())
def test_every_byte_but_line_ends_is_told_once_and_in_order(name: str, data: st.DataObject) -> None:
    stream = data.draw(streams(name))
    told = b"".join(frame.raw for frame in all_frames(name, {}, stream))
    for ends in (b"\r", b"\n"):
        told, stream = told.replace(ends, b""), stream.replace(ends, b"")
    assert told == stream


@pytest.mark.parametrize("name", NAMES)
@PATIENT
@given(data=st.data())
def test_any_bytes_leave_a_small_buffer(name: str, data: st.DataObject) -> None:
    decoder = protocols.create(name, data.draw(option_sets(name)))
    for chunk in data.draw(st.lists(st.one_of(st.binary(max_size=200), streams(name)), max_size=8)):
        decoder.feed(chunk)
        inner = getattr(decoder, "_inner", decoder)
        assert isinstance(inner, FrameCutter)
        assert len(inner._buffer) < inner._limit
        assert len(inner._run) < NOISE_RUN_BYTES + inner._limit


def xor(covered: bytes) -> bytes:
    return f"{functools.reduce(operator.xor, covered, 0):02X}".encode()


@st.composite
def continuous_frames(draw: st.DrawFn) -> tuple[str, bytes]:
    digits, place, sign = draw(st.integers(0, 999999)), draw(st.integers(0, 4)), draw(st.sampled_from("+-"))
    text = f"{sign}{digits:06d}{place}".encode()
    number = f"{digits / 10**place:.{place}f}"
    return (f"-{number}" if sign == "-" and digits else number), b"\x02" + text + xor(text) + b"\x03"


@st.composite
def toledo_frames(draw: st.DrawFn) -> tuple[str, bytes]:
    place, step = draw(st.integers(0, 7)), draw(st.sampled_from([1, 2, 5]))
    interval = step * 10 ** max(2 - place, 0)
    digits = draw(st.integers(0, 999999 // interval)) * interval
    minus, motion, net = draw(st.booleans()), draw(st.booleans()), draw(st.booleans())
    word_a = 0x20 | {1: 1, 2: 2, 5: 3}[step] << 3 | place
    word_b = 0x30 | net | minus << 1 | motion << 3
    body = b"\x02" + bytes([word_a, word_b, 0x20]) + f"{digits:6d}{draw(st.integers(0, 99999)):6d}\r".encode()
    decimals = max(place - 2, 0)
    number = f"{digits / 10**decimals:.{decimals}f}"
    return (f"-{number}" if minus and digits else number), body + bytes([-sum(body) & 0x7F])


CHECKED = {"xk3190-continuous": continuous_frames(), "toledo-continuous": toledo_frames()}


@pytest.mark.parametrize("name", sorted(CHECKED))
@PATIENT
@given(data=st.data())
def test_frames_made_from_the_layout_read_as_made(name: str, data: st.DataObject) -> None:
    made = data.draw(st.lists(CHECKED[name], min_size=1, max_size=4))
    frames = all_frames(name, {}, b"".join(frame for _, frame in made))
    assert [frame.value for frame in frames if isinstance(frame, WeightFrame)] == [value for value, _ in made]


@pytest.mark.parametrize("name", sorted(CHECKED))
@PATIENT
@given(data=st.data())
def test_a_damaged_byte_costs_a_frame_and_never_changes_a_value(name: str, data: st.DataObject) -> None:
    made = data.draw(st.lists(CHECKED[name], min_size=1, max_size=3))
    stream = bytearray(b"".join(frame for _, frame in made))
    place, flipped = data.draw(st.integers(0, len(stream) - 1)), data.draw(st.integers(1, 255))
    stream[place] ^= flipped
    values = [frame.value for frame in all_frames(name, {}, bytes(stream)) if isinstance(frame, WeightFrame)]
    hurt = place // len(made[0][1])
    good = [value for number, (value, _) in enumerate(made) if number != hurt]
    assert values in (good, [value for value, _ in made])


@pytest.mark.parametrize("name", sorted(CHECKED))
@PATIENT
@given(data=st.data())
def test_a_lost_byte_costs_a_frame_and_never_changes_a_value(name: str, data: st.DataObject) -> None:
    made = data.draw(st.lists(CHECKED[name], min_size=1, max_size=3))
    stream = b"".join(frame for _, frame in made)
    place = data.draw(st.integers(0, len(stream) - 1))
    values = [
        frame.value
        for frame in all_frames(name, {}, stream[:place] + stream[place + 1 :])
        if isinstance(frame, WeightFrame)
    ]
    hurt = place // len(made[0][1])
    good = [value for number, (value, _) in enumerate(made) if number != hurt]
    assert values in (good, [value for value, _ in made])


@pytest.mark.parametrize("name", NAMES)
@PATIENT
@given(noise=st.binary(max_size=600))
def test_noise_is_told_in_pieces_of_bounded_size(name: str, noise: bytes) -> None:
    for frame in all_frames(name, {}, noise):
        if isinstance(frame, Rejected):
            assert 0 < len(frame.raw) <= NOISE_RUN_BYTES + 64
