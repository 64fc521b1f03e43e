"""The state word of appendix B and its two traps."""

from __future__ import annotations

import pytest

from sync.central.jgst14.state_word import BarrierOrder, StateWordVariant, read_state_word

CONTROL, RESULT, RELEASE = StateWordVariant.CONTROL, StateWordVariant.RESULT, StateWordVariant.RELEASE


def word(text, variant=RELEASE):
    return read_state_word(text.ljust(20, "0"), variant)


@pytest.mark.parametrize(
    ("variant", "letter", "order"),
    [
        (RELEASE, "0", BarrierOrder.LIFT),
        (RELEASE, "1", BarrierOrder.LOWER),
        (RELEASE, "2", BarrierOrder.NONE),
        (CONTROL, "0", BarrierOrder.LIFT),
        (CONTROL, "1", BarrierOrder.STAY),
        (CONTROL, "2", BarrierOrder.LOWER),
        (CONTROL, "3", BarrierOrder.NONE),
        (RESULT, "0", BarrierOrder.NONE),
        (RESULT, "1", BarrierOrder.NONE),
    ],
)
def test_the_barrier_word_means_what_its_variant_says(variant, letter, order):
    read, _ = word("0" + letter, variant)
    assert read.barrier is order


@pytest.mark.parametrize(
    ("place", "letter", "meaning"),
    [(6, "w", "not_registered"), (6, "x", "watch_list"), (7, "x", "not_registered"), (7, "w", "watch_list")],
)
def test_w_and_x_are_the_other_way_round_in_words_6_and_7(place, letter, meaning):
    read, notes = word("0" * (place - 1) + letter)
    assert [found[0::3] for found in read.findings()] == [(place, meaning)]
    assert notes == []


@pytest.mark.parametrize(
    ("variant", "text", "meaning"),
    [
        (CONTROL, "0000000x", "not_registered"),
        (CONTROL, "00000001", "seal"),
        (RESULT, "00000009", "failed"),
        (RELEASE, "00000009", "failed"),
        (RELEASE, "0000q", "vehicle_differs"),
        (RELEASE, "0000p", "container_differs"),
        (RELEASE, "0000o", "goods_differ"),
        (RELEASE, "000000000000y", "not_configured"),
    ],
)
def test_each_variant_reads_its_own_table(variant, text, meaning):
    read, notes = word(text, variant)
    assert [found[3] for found in read.findings()] == [meaning]
    assert notes == []


@pytest.mark.parametrize("text", ["0" * 20, "11" + "0" * 18, "00000000001001000000", "11000000001002000000"])
def test_words_seen_in_the_field_are_without_warning(text):
    read, notes = read_state_word(text, RELEASE)
    assert notes == []
    assert read.barrier is (BarrierOrder.LIFT if text[1] == "0" else BarrierOrder.LOWER)


@pytest.mark.parametrize("text", ["", "0", "0" * 19, "0" * 21])
def test_a_word_that_is_not_twenty_long_is_not_read_at_all(text):
    read, notes = read_state_word(text, RELEASE)
    assert read is None
    assert notes[0].startswith("state_word_length: ")


@pytest.mark.parametrize(("variant", "text"), [(RELEASE, "00k"), (RELEASE, "0k"), (CONTROL, "0k"), (RESULT, "001")])
def test_a_letter_outside_appendix_b_is_told(variant, text):
    assert [note.partition(":")[0] for note in word(text, variant)[1]] == ["state_word_value"]


@pytest.mark.parametrize(
    ("letter", "overall"), [("V", "waiting_for_device_feedback"), ("Z", "object_conversion_error")]
)
def test_lifting_while_the_back_end_failed_or_waits_is_told(letter, overall):
    read, notes = word(letter)
    assert read.overall == overall
    assert [note.partition(":")[0] for note in notes] == ["state_word_conflict"]
    assert word(letter + "1")[1] == []
