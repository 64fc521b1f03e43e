"""A scanned code names a slip: by its number, or inside the signed token of the QR code."""

import base64
import json

import pytest

from gate_service.domain.slip_code import slip_no_in


def token(payload):
    raw = payload if isinstance(payload, bytes) else json.dumps(payload).encode()
    return f"e30.{base64.urlsafe_b64encode(raw).rstrip(b'=').decode()}.c2ln"


def test_a_token_names_its_slip_and_two_tokens_of_one_slip_are_one():
    assert slip_no_in("Z1") == "Z1"
    assert slip_no_in(token({"slip_no": "Z1", "exp": 1})) == slip_no_in(token({"sub": "Z1", "exp": 2})) == "Z1"


BAD_PAYLOADS = (b"\xff", [], {"slip_no": 7}, {"slip_no": " "}, b"[" * 3000)


@pytest.mark.parametrize("code", ["", "a.b.c", "..", "e30." + "A" * 5000 + ".x", *map(token, BAD_PAYLOADS)])
def test_what_names_no_slip_is_taken_as_it_is(code):
    assert slip_no_in(code) == code
