"""Signed slips: a compact JWS (EdDSA) checked against pinned keys. The layout is in docs/protocols/signed-slip.md.

What the token says about its own key is never used: the algorithm is fixed, the key is one of the pinned ones, and a
token that brings a key or asks for extensions is refused. Every failure is a finding with words, never an exception.
"""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from gate_service.domain.errors import CaseError
from gate_service.domain.slip import Slip
from gate_service.domain.slip_code import LARGEST_TOKEN
from gate_service.domain.vehicle import comparable_plate
from lanes.policy.case import Case
from lanes.policy.fields import Fields

ALGORITHMS: Final = ("EdDSA", "Ed25519")  # RFC 8037, and its fully specified name of RFC 9864
FOREIGN_KEY_HEADERS: Final = frozenset({"jwk", "jku", "x5c", "x5u", "x5t", "x5t#S256"})
_KEY_BYTES: Final = 32
STARTS: Final = ("nbf", "valid_from_at")
ENDS: Final = ("exp", "valid_until_at")


@dataclass(frozen=True, slots=True)
class SignatureFinding:
    """What came of one signature; `problem` is None where it holds."""

    problem: str | None
    slip_no: str | None = None
    starts: tuple[datetime, ...] = ()  # of a token signed by a pinned key: limits that are judged
    ends: tuple[datetime, ...] = ()


class _TokenError(Exception):
    """Internal: why a token does not verify."""


def verify_signature(slip: Slip, case: Case) -> SignatureFinding:
    """Check the signature of a presented slip: keys, expiry, audience, and that it speaks of this very slip."""
    return _verify(slip.signature or "", case, slip)


def verify_scanned(case: Case) -> SignatureFinding:
    """Check a token that was scanned whole; on success the finding names its slip."""
    token = case.scanned or ""
    finding = _verify(token, case, None)
    slip = next((s for s in case.slips if s.slip_no == finding.slip_no), None)
    return _verify(token, case, slip) if slip and finding.problem is None else finding


def _verify(token: str, case: Case, slip: Slip | None) -> SignatureFinding:
    starts: tuple[datetime, ...] = ()
    ends: tuple[datetime, ...] = ()
    try:
        claims = _claims(token, case.known.keys)
        _check_audience(claims, case.site)
        starts, ends = _limits(claims)
        _check_validity(claims, case.now)
        return SignatureFinding(None, _check_subject(claims, slip), starts, ends)
    except _TokenError as error:
        return SignatureFinding(str(error), None, starts, ends)


def _claims(token: str, keys: tuple[Mapping[str, object], ...]) -> Mapping[str, Any]:
    if len(token) > LARGEST_TOKEN:
        raise _TokenError(f"at most {LARGEST_TOKEN} characters expected, found {len(token)}")
    parts = token.split(".")
    if len(parts) != 3:
        raise _TokenError("three parts of a compact JWS expected")
    header = _json(parts[0], "header")
    if header.get("alg") not in ALGORITHMS:
        raise _TokenError(f"algorithm {' or '.join(ALGORITHMS)} expected")
    if FOREIGN_KEY_HEADERS & header.keys() or "crit" in header or header.get("b64", True) is not True:
        raise _TokenError("a header without keys, key addresses or critical extensions expected")
    signed = f"{parts[0]}.{parts[1]}".encode()
    signature = _bytes(parts[2], "signature")
    if not any(_holds(key, signature, signed) for key in _pinned(keys, header.get("kid"))):
        raise _TokenError("a signature by a pinned key expected")
    return _json(parts[1], "payload")


def _bytes(part: str, name: str) -> bytes:
    """Base64url without padding, strictly: anything else could give one token two spellings."""
    try:
        raw = base64.b64decode(part + "=" * (-len(part) % 4), altchars=b"-_", validate=True)
    except (binascii.Error, ValueError):
        raise _TokenError(f"base64url without padding expected in the {name}") from None
    if base64.urlsafe_b64encode(raw).rstrip(b"=").decode("ascii") != part:
        raise _TokenError(f"base64url without padding expected in the {name}")
    return raw


def _json(part: str, name: str) -> Mapping[str, Any]:
    raw = _bytes(part, name)
    try:
        value = json.loads(raw)
    except (ValueError, RecursionError):
        raise _TokenError(f"JSON expected in the {name}") from None
    if not isinstance(value, dict):
        raise _TokenError(f"a JSON object expected in the {name}")
    return value


def _pinned(keys: tuple[Mapping[str, object], ...], kid: object) -> list[Ed25519PublicKey]:
    """The pinned Ed25519 keys this token may be signed by: all of that kid; a token without kid tries every key."""
    found = []
    for key in keys:
        x = key.get("x")
        if key.get("kty") != "OKP" or key.get("crv") != "Ed25519" or not isinstance(x, str):
            continue
        if kid is not None and key.get("kid") is not None and key.get("kid") != kid:
            continue
        try:
            raw = _bytes(x, "pinned key")
        except _TokenError:
            continue
        if len(raw) == _KEY_BYTES:
            found.append(Ed25519PublicKey.from_public_bytes(raw))
    return found


def _holds(key: Ed25519PublicKey, signature: bytes, signed: bytes) -> bool:
    try:
        key.verify(signature, signed)
    except InvalidSignature:
        return False
    return True


def _check_audience(claims: Mapping[str, Any], site: str | None) -> None:
    """`aud` (or the slip's own word, `site_ids`) holds this site; an empty list is any site."""
    audience = next((claims[name] for name in ("aud", "audience", "site_ids") if name in claims), None)
    listed = [audience] if isinstance(audience, str) else audience
    if not isinstance(listed, list):
        raise _TokenError("an audience expected")
    if listed and site not in listed:
        raise _TokenError(f"audience {site} expected")


def _moment(claims: Mapping[str, Any], name: str) -> datetime | None:
    """A claim as a time: seconds since 1970 (RFC 7519) or RFC 3339 text."""
    value = claims.get(name)
    if value is None:
        return None
    try:
        if isinstance(value, int | float) and not isinstance(value, bool):
            return datetime.fromtimestamp(value, UTC)
        return Fields(claims, "payload").moment(name)
    except (CaseError, ValueError, OverflowError, OSError):
        raise _TokenError(f"a time expected in {name}") from None


def _limits(claims: Mapping[str, Any]) -> tuple[tuple[datetime, ...], tuple[datetime, ...]]:
    """Every beginning and every end that the token states."""
    starts = (_moment(claims, name) for name in STARTS)
    ends = (_moment(claims, name) for name in ENDS)
    return tuple(s for s in starts if s is not None), tuple(e for e in ends if e is not None)


def _check_validity(claims: Mapping[str, Any], now: datetime) -> None:
    """Both ends inclusive as everywhere in RULES 2. A token must state an end; `valid_until_at` null is an open one."""
    if claims.get("exp") is None and "valid_until_at" not in claims:
        raise _TokenError("exp or valid_until_at expected")
    for name in ENDS:
        end = _moment(claims, name)
        if end is not None and now > end:
            raise _TokenError(f"expired: {name} not before now expected")
    for name in STARTS:
        start = _moment(claims, name)
        if start is not None and now < start:
            raise _TokenError(f"not yet valid: {name} not after now expected")


def _check_subject(claims: Mapping[str, Any], slip: Slip | None) -> str:
    """What the token says must be what the slip says; a claim it does not carry is not compared."""
    slip_no = claims.get("slip_no", claims.get("sub"))
    if not isinstance(slip_no, str) or not slip_no:
        raise _TokenError("a slip number expected")
    if slip is None:
        return slip_no
    if slip_no != slip.slip_no:
        raise _TokenError("the number of this slip expected")
    plate = claims.get("plate")
    if plate is not None and (
        not isinstance(plate, str) or comparable_plate(plate) != comparable_plate(slip.plate or "")
    ):
        raise _TokenError("the plate of this slip expected")
    for name, own in (("version", slip.version), ("direction", slip.direction)):
        if claims.get(name) is not None and own is not None and claims[name] != own:
            raise _TokenError(f"the {name} of this slip expected")
    return slip_no
