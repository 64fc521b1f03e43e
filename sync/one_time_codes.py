"""One-time codes: by time (RFC 6238, what authenticator apps show) and by request (made for one number). Pure.

Both work without a line: the person's device and this service share a secret and nothing else.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
from datetime import datetime
from typing import Final
from urllib.parse import quote

STEP_S: Final = 30  # RFC 6238 5.2
DIGITS: Final = 6
STEPS_AROUND: Final = 1  # RFC 6238 5.2: one step either way for clocks that differ and fingers that are slow
BOUND_DIGITS: Final = 8
SECRET_BYTES: Final = 20  # RFC 4226 4, R6: 160 bits recommended


def step_at(at: datetime) -> int:
    """The time step of a moment."""
    return int(at.timestamp()) // STEP_S


def code_of_step(secret: bytes, step: int, digits: int = DIGITS) -> str:
    """The code of one time step: HOTP (RFC 4226 5.3) with HMAC-SHA-1, which every authenticator app knows."""
    return _truncated(hmac.new(secret, step.to_bytes(8), hashlib.sha1).digest(), digits)


def matching_step(secret: bytes, code: str, at: datetime, after: int) -> int | None:
    """The step whose code this is, near `at` and newer than `after`; None for a wrong or used one."""
    now = step_at(at)
    for step in range(now - STEPS_AROUND, now + STEPS_AROUND + 1):
        if step > after and hmac.compare_digest(code_of_step(secret, step), code):
            return step
    return None


def code_of_request(secret: bytes, number: str) -> str:
    """The code that is good for one request only; `number` is what the terminal shows for it."""
    return _truncated(hmac.new(secret, b"gate request " + number.encode(), hashlib.sha256).digest(), BOUND_DIGITS)


def spelled(secret: bytes) -> str:
    """The secret as people type it into their device: base 32 without padding."""
    return base64.b32encode(secret).decode().rstrip("=")


def secret_of(text: str) -> bytes:
    """Read what `spelled` wrote, spaces and small letters forgiven. Raises ValueError."""
    bare = "".join(text.split()).upper()
    return base64.b32decode(bare + "=" * (-len(bare) % 8))


def address(secret: bytes, issuer: str, account: str) -> str:
    """The `otpauth:` address that authenticator apps take."""
    label = quote(f"{issuer}:{account}", safe=":")
    return f"otpauth://totp/{label}?secret={spelled(secret)}&issuer={quote(issuer, safe='')}"


def _truncated(digest: bytes, digits: int) -> str:
    """Dynamic truncation (RFC 4226 5.3); of a longer digest the last byte gives the place too."""
    place = digest[-1] & 0xF
    number = int.from_bytes(digest[place : place + 4]) & 0x7FFF_FFFF
    return f"{number % 10**digits:0{digits}}"
