import json
from dataclasses import replace
from types import MappingProxyType

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gate_service.domain.events import Event, EventType
from sync.encoding import encode_entry, encode_event, encode_passage, to_json
from tests.fakes.record_entries import START, decision, event, note, passage

JSON_LIKE = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)


@pytest.mark.parametrize(
    "facts", [{"gross_kg": 1.5}, {"a": [{"b": (0, 2.0)}]}, {"x": float("nan")}, {"m": MappingProxyType({"y": 0.1})}]
)
def test_a_float_anywhere_in_facts_is_a_programming_error(facts):
    with pytest.raises(TypeError, match=r"facts.*float"):
        encode_entry(note(1, facts))


@pytest.mark.parametrize("facts", [{1: "a"}, {"a": object()}, {"a": {1, 2}}, {"a": START}])
def test_facts_that_are_not_json_are_a_programming_error(facts):
    with pytest.raises(TypeError):
        encode_entry(note(1, facts))


def test_facts_keep_their_bytes_and_order():
    row = encode_entry(note(1, {"b": 1, "a": "货", "c": None, "d": True}))
    assert row.facts == '{"b":1,"a":"货","c":null,"d":true}'.encode()


def test_a_lone_surrogate_is_refused_before_anything_is_written():
    with pytest.raises(UnicodeEncodeError):
        encode_entry(note(1, {"text": "\ud800"}))


def test_a_naive_time_is_a_programming_error():
    with pytest.raises(TypeError):
        encode_entry(replace(note(1), at=START.replace(tzinfo=None)))


def test_the_payload_is_the_contracts_object():
    sent = event(1, EventType.PASSAGE_RELEASED)
    payload = json.loads(encode_event(sent, None).payload(41))
    assert payload == {
        "id": str(sent.id),
        "seq": 41,
        "type": "passage.released",
        "at": "2026-11-01T08:00:01+00:00",
        "data": {"gross_kg": 16245.335, "plate": "浙B00001"},
    }
    assert list(payload) == ["id", "seq", "type", "at", "data"]


@pytest.mark.parametrize("value", [0.1234, float("nan"), float("inf"), 1e-9])
def test_a_number_with_more_than_three_decimals_leaves_in_no_event(value):
    sent = Event(event(1, EventType.SLIP_USED).id, EventType.SLIP_USED, START, {"lines": [{"net_kg": value}]})
    with pytest.raises(TypeError, match="three decimals"):
        encode_event(sent, None)


def test_a_passage_document_without_its_keys_or_of_another_passage_is_refused():
    entry = decision(1)
    with pytest.raises(TypeError, match="closed_at missing"):
        encode_entry(replace(entry, passage={k: v for k, v in passage(1).items() if k != "closed_at"}))
    with pytest.raises(ValueError, match="id"):
        encode_entry(replace(entry, passage=passage(2)))


def test_json_refuses_nan():
    with pytest.raises(ValueError, match="JSON"):
        to_json({"a": float("nan")})


@given(JSON_LIKE)
def test_the_fast_text_says_what_the_standard_library_says(value):
    stored = passage(1) | {"case": value}
    row = encode_passage(stored, stored["id"])
    assert json.loads(row.document) == json.loads(json.dumps(stored))


def test_a_whole_number_of_more_than_64_bits_is_written_too():
    row = encode_entry(note(1, {"quantity": 2**70}))
    assert row.facts == b'{"quantity":1180591620717411303424}'


def test_a_time_in_a_passage_is_a_programming_error():
    with pytest.raises(TypeError):
        encode_passage(passage(1) | {"case": {"at": START}}, passage(1)["id"])
