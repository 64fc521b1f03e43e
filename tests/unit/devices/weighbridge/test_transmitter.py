"""Registers of weighing transmitters: what is read is right, or it is no weight. The emulators share no code."""

from __future__ import annotations

import json
import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from devices.simulator.indicators.transmitter import MAKES, Deck
from devices.weighbridge import transmitter_decoder
from devices.weighbridge.frame import Reason, Rejected, Status, WeightFrame
from devices.weighbridge.transmitter_decoder import TransmitterDecoder
from devices.weighbridge.transmitter_profile import FOLDER, load_transmitter, read_transmitter, transmitter_names
from gate_service.domain.errors import InputError

DECIMALS_IN_REGISTERS = {"hbm-wtx110"}


def read(name: str, deck: Deck, at_s: float = 0.0, decoder: TransmitterDecoder | None = None):
    profile = load_transmitter(name)
    registers = MAKES[name](deck)
    answer = [registers[place] for place in range(profile.base, profile.base + profile.count)]
    return (decoder or TransmitterDecoder(profile, deck.decimals)).decode(answer, at_s)


def test_every_profile_has_its_emulator_and_its_sources() -> None:
    assert transmitter_names() == sorted(MAKES)
    assert all(load_transmitter(name).sources and load_transmitter(name).notes for name in MAKES)


@pytest.mark.parametrize("name", MAKES)
@given(gross=st.integers(-99_999, 999_999), decimals=st.integers(0, 3), is_moving=st.booleans(), tare=st.integers(0, 9))
def test_any_weight_is_read_digit_for_digit(name: str, gross: int, decimals: int, is_moving: bool, tare: int) -> None:
    frame = read(name, Deck(gross=gross, tare=tare, decimals=decimals, is_moving=is_moving))
    assert isinstance(frame, WeightFrame)
    is_net = name == "siwarex-wp251" and tare != 0  # the one that reads what is displayed
    digits = gross - tare if is_net else gross
    assert frame.value is not None
    assert int(frame.value.replace(".", "")) == digits
    assert len(frame.value.partition(".")[2]) == decimals
    assert (frame.net, frame.stable, frame.status) == (is_net, not is_moving, Status.OK)


@pytest.mark.parametrize(
    ("name", "flag", "status"),
    [
        ("laumas-w100", "is_over", Status.OVERLOAD),
        ("laumas-w100", "is_broken", Status.ERROR),
        ("siwarex-wp251", "is_over", Status.OUT_OF_RANGE),
        ("hbm-wtx110", "is_over", Status.OUT_OF_RANGE),
        ("hbm-wtx110", "is_broken", Status.ERROR),
        ("dini-dgt4x", "is_over", Status.OVERLOAD),
        ("dini-dgt4x", "is_under", Status.UNDERLOAD),
    ],
)
def test_a_state_is_no_number(name: str, flag: str, status: Status) -> None:
    deck = Deck(gross=999_999)
    setattr(deck, flag, True)
    frame = read(name, deck)
    assert isinstance(frame, WeightFrame)
    assert (frame.status, frame.value) == (status, None)


def test_the_makers_own_sample_reads_as_its_test_says() -> None:
    frame = TransmitterDecoder(load_transmitter("hbm-wtx110")).decode([0, 10000, 0, 10000, 0, 0], 0.0)
    assert isinstance(frame, WeightFrame)
    assert (frame.value, frame.stable, frame.net, frame.raw.hex()) == ("10000", True, False, "000027100000271000000000")


def test_a_heart_that_stands_voids_the_weight_until_it_beats_again() -> None:
    decoder = TransmitterDecoder(load_transmitter("flintec-ft112"))
    deck = Deck(gross=20_000, beat=7)
    assert isinstance(read("flintec-ft112", deck, 0.0, decoder), WeightFrame)
    assert isinstance(read("flintec-ft112", deck, 1.0, decoder), WeightFrame)
    frozen = read("flintec-ft112", deck, 1.1, decoder)
    assert isinstance(frozen, Rejected)
    assert frozen.reason is Reason.FROZEN
    deck.beat = 8
    assert isinstance(read("flintec-ft112", deck, 1.2, decoder), WeightFrame)


@pytest.mark.parametrize("number", [float("nan"), float("inf"), 20_000.4, 1e12])
def test_a_float_that_is_not_what_a_display_shows_is_rejected(number: float) -> None:
    high, low = struct.unpack(">HH", struct.pack(">f", number))
    registers = [0] * 10 + [high, low]
    frame = TransmitterDecoder(load_transmitter("siwarex-wp251")).decode(registers, 0.0)
    assert isinstance(frame, Rejected)
    assert frame.reason is Reason.VALUE


def test_words_in_the_wrong_order_are_no_truck_and_the_option_turns_them() -> None:
    registers = [1 << 11, 31_240, 0, 0, 0]
    wrong = TransmitterDecoder(load_transmitter("laumas-w100")).decode(registers, 0.0)
    assert isinstance(wrong, Rejected)
    right = transmitter_decoder.create({"profile": "laumas-w100", "word_order": "low_first"}).decode(registers, 0.0)
    assert isinstance(right, WeightFrame)
    assert right.value == "31240"


def test_a_short_answer_is_no_weight() -> None:
    frame = TransmitterDecoder(load_transmitter("laumas-w100")).decode([1 << 11, 0, 20], 0.0)
    assert isinstance(frame, Rejected)
    assert frame.reason is Reason.LENGTH


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({}, ["profile", "hbm-wtx110", "laumas-w100"]),
        ({"profile": "ind570"}, ["'ind570'", "dini-dgt4x"]),
        ({"profile": "laumas-w100", "decimals": "9"}, ["'9'", "0, 1, 2, 3"]),
        ({"profile": "laumas-w100", "order": "x"}, ["'order'", "word_order"]),
        ({"profile": "hbm-wtx110", "decimals": "1"}, ["hbm-wtx110", "leave out"]),
    ],
)
def test_a_wrong_option_is_refused_with_what_is_allowed(options: dict[str, str], words: list[str]) -> None:
    with pytest.raises(InputError) as refused:
        transmitter_decoder.create(options)
    assert all(word in str(refused.value) for word in words)


@pytest.mark.parametrize(
    "change",
    [
        {"weight": {"at": 4, "kind": "u32", "high_word_first": True}},
        {"weight": {"at": 1, "kind": "s32", "high_word_first": True}},
        {"minus": None},
        {"stable": {"at": 0, "bit": 16}},
        {"moving": {"at": 0, "bit": 1}},
        {"sources": None},
    ],
)
def test_a_profile_that_could_misread_is_refused(change: dict[str, object]) -> None:
    document = json.loads((FOLDER / "laumas-w100.json").read_text(encoding="utf-8")) | change
    with pytest.raises(InputError, match="laumas-w100"):
        read_transmitter("laumas-w100", document)
