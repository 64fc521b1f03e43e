import dataclasses
import hashlib

import pytest

from sync.chain import GENESIS, EventMark, Link, canonical_bytes, link_hash

LINK = Link(
    site_id="K1",
    epoch="e-1",
    number=7,
    at_us=1_762_000_000_000_001,
    kind="decision",
    actor='user:"王"',
    lane="in-d1",
    passage_id=None,
    facts_sha256="aa",
    ledger_sha256=None,
    passage_sha256=None,
    events=(EventMark("outbox", 12, None, "bb"), EventMark("feed", 3, "p", "cc")),
    previous_hash=GENESIS,
)


def test_the_canonical_form_is_as_documented_byte_for_byte():
    expected = (
        '["gate-record-1","K1","e-1",7,1762000000000001,"decision","user:\\"王\\"","in-d1",null,'
        '"aa",null,null,[["outbox",12,null,"bb"],["feed",3,"p","cc"]],"' + "0" * 64 + '"]'
    ).encode()
    assert canonical_bytes(LINK) == expected
    assert link_hash(LINK) == hashlib.sha256(expected).hexdigest()


def test_control_characters_are_escaped_as_in_rfc_8785():
    link = dataclasses.replace(LINK, actor='\x00\b\t\n\f\r\x1f"\\/\x7f\u2028')
    assert b'"\\u0000\\b\\t\\n\\f\\r\\u001f\\"\\\\/\x7f\xe2\x80\xa8"' in canonical_bytes(link)


@pytest.mark.parametrize("field", [field.name for field in dataclasses.fields(Link)])
def test_every_field_of_a_record_is_in_its_hash(field):
    old = getattr(LINK, field)
    new = {int: 8, tuple: LINK.events[:1]}.get(type(old), "other")
    assert link_hash(dataclasses.replace(LINK, **{field: new})) != link_hash(LINK)


@pytest.mark.parametrize("field", [field.name for field in dataclasses.fields(EventMark)])
def test_every_field_of_an_event_mark_is_in_the_hash(field):
    mark = dataclasses.replace(LINK.events[0], **{field: 13 if field == "seq" else "other"})
    assert link_hash(dataclasses.replace(LINK, events=(mark, LINK.events[1]))) != link_hash(LINK)
