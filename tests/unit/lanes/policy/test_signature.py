"""Signed slips: what verifies, and every way a token fails. Keys are made for each run."""

from __future__ import annotations

import base64
import json

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from lanes.policy.case import read_case
from lanes.policy.engine import assess
from lanes.policy.overrides import emergency_may_release
from tests.fakes.policy_cases import PLATE, SLIP_NO, case, reasons, slip

KEY = Ed25519PrivateKey.generate()
STRANGER = Ed25519PrivateKey.generate()
CODE = "slip_signature_invalid"


def b64(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def jwk(key=KEY, **changes):
    raw = key.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
    return {"kty": "OKP", "crv": "Ed25519", "x": b64(raw), "kid": "k1"} | changes


def token(key=KEY, header=None, **claims):
    head = {"alg": "EdDSA", "kid": "k1"} | (header or {})
    body = {
        "slip_no": SLIP_NO, "version": 7, "plate": PLATE, "direction": "inbound", "aud": "K1",
        "valid_until_at": "2026-11-25T00:00:00+08:00",
    } | claims  # fmt: skip
    signed = f"{b64(json.dumps(head).encode())}.{b64(json.dumps({k: v for k, v in body.items() if v != '-'}).encode())}"
    return f"{signed}.{b64(key.sign(signed.encode()))}"


def signed(text, keys=None, **changes):
    return case(slip(signature=text), known={"keys": [jwk()] if keys is None else keys}, **changes)


@pytest.mark.parametrize(
    "text",
    [
        token(),
        token(header={"kid": None}),
        token(header={"alg": "Ed25519"}),
        token(aud=["K9", "K1"]),
        token(aud=[]),
        token(valid_until_at="-", exp=4102444800),
        token(valid_until_at=None),
        token(valid_until_at="2026-11-22T08:00:00+08:00"),
        token(version="-", plate="-", direction="-"),
        token(slip_no="-", sub=SLIP_NO),
    ],
)
def test_a_good_signature_holds(text):
    assert CODE not in reasons(signed(text))


@pytest.mark.parametrize(
    "text",
    [
        token(key=STRANGER),
        token(header={"kid": "k2"}),
        token(header={"alg": "none"}),
        token(header={"alg": "HS256"}),
        token(header={"jwk": jwk(STRANGER)}, key=STRANGER),
        token(header={"jku": "https://example.invalid/keys"}),
        token(header={"crit": ["b64"], "b64": False}),
        token(aud="K2"),
        token(aud="-"),
        token(aud=7),
        token(valid_until_at="2026-11-22T07:59:59+08:00"),
        token(valid_until_at="-"),
        token(valid_until_at="tomorrow"),
        token(exp=0),
        token(exp=1e300),
        token(nbf=4102444800),
        token(slip_no="Z9"),
        token(plate="浙B99999"),
        token(version=6),
        token(direction="outbound"),
        token()[:-4] + "AAAA",
        token() + "=",
        token() + "." + "A",
        "A" * 5000 + "..",
        "é.é.é",
        "..",
        "not a token",
        7,
    ],
)
def test_every_other_token_is_inspected(text):
    assert CODE in reasons(signed(text))


@pytest.mark.parametrize(
    "keys", [[], [jwk(STRANGER)], [jwk(kid="k9")], [jwk(x="AA")], [jwk(x=None)], [jwk(crv="X25519")]]
)
def test_only_a_pinned_key_counts(keys):
    assert CODE in reasons(signed(token(), keys=keys))


def test_a_second_pinned_key_is_tried():
    assert CODE not in reasons(signed(token(), keys=[jwk(STRANGER), jwk()]))


def test_a_scanned_token_names_its_slip():
    keys = {"known": {"keys": [jwk()]}}
    assert reasons(case(scanned=token(), **keys)) == set()
    assert reasons(case(slips=[], scanned=token(), **keys)) >= {"slip_unknown"}
    assert CODE in reasons(case(scanned=token(key=STRANGER), **keys))
    revoked = {"known": {"keys": [jwk()], "revoked": [SLIP_NO]}}
    assert reasons(case(slips=[], scanned=token(), **revoked)) == {"slip_revoked"}


def test_in_an_emergency_a_signed_slip_nobody_has_may_be_released_by_one():
    for key, may in ((KEY, True), (STRANGER, False)):
        doc = case(slips=[], scanned=token(key=key), known={"keys": [jwk()]})
        assert emergency_may_release(assess(read_case(doc))) is may
