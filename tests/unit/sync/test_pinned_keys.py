"""Pinned keys: public ones only, read again when the file changes, never lost to a bad file."""

import json
import os

import pytest

from gate_service.domain.errors import ConfigError
from sync.pinned_keys import PinnedKeys, read_keys
from tests.fakes.moved_clock import MovedClock


def key(kid="a", **changes):
    return {"kty": "OKP", "crv": "Ed25519", "kid": kid, "x": "A" * 43, **changes}


@pytest.mark.parametrize(
    ("document", "expected"),
    [
        ("{", "JSON"),
        pytest.param("[" * 100_000, "JSON", id="too deep"),
        ("[]", "1 to 32 keys"),
        ({"keys": []}, "1 to 32 keys"),
        ({"keys": [key(d="A" * 43)]}, "private"),
        ({"keys": [key(kty="EC")]}, "OKP"),
        ({"keys": [key(x="AA")]}, "32 bytes"),
        ({"keys": [key(x=7)]}, "32 bytes"),
        ({"keys": [key(jku="https://example")]}, "jku"),
        ({"keys": [key(), key()]}, "kid of its own"),
        ({"keys": [7]}, "object"),
    ],
    ids=str,
)
def test_what_is_no_set_of_public_keys_is_refused_in_words(document, expected):
    with pytest.raises(ConfigError, match=expected):
        read_keys(document if isinstance(document, str) else json.dumps(document))


def test_a_key_is_added_beside_the_old_one_without_a_restart_and_a_bad_file_loses_none(tmp_path):
    clock, file = MovedClock(), tmp_path / "keys.json"
    file.write_text(json.dumps({"keys": [key("old")]}))
    pinned = PinnedKeys(clock, file)
    assert pinned.status() == {"kids": ["old"], "problem": None}
    for content, kids, is_bad in (
        ({"keys": [key("old"), key("new")]}, ["old", "new"], False),
        ("{", ["old", "new"], True),
        ({"keys": [key("new")]}, ["new"], False),
    ):
        file.write_text(content if isinstance(content, str) else json.dumps(content))
        os.utime(file, ns=(0, hash(str(content)) % 10**15))
        clock.move(2)
        assert [one["kid"] for one in pinned.current()] == kids
        assert (pinned.problem is not None) is is_bad
    file.unlink()
    clock.move(2)
    assert [one["kid"] for one in pinned.current()] == ["new"]
    assert "keys.json" in pinned.problem


def test_a_site_without_a_file_pins_nothing():
    assert PinnedKeys(MovedClock()).current() == ()
