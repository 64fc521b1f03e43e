"""What a scanned code says it is about: a slip number, or the signed token of one (`docs/protocols/signed-slip.md`).

Nothing here verifies: the number says which slip to look up and to book; whether a token holds is the rules' to say.
"""

from __future__ import annotations

import base64
import binascii
import json
from typing import Final

LARGEST_TOKEN: Final = 4096  # characters; a QR code of version 40 holds 2 953 bytes


def looks_like_token(code: str) -> bool:
    """Whether a scanned text is a compact JWS and not a slip number."""
    return code.count(".") == 2


def slip_no_in(code: str) -> str:
    """The slip number a token names, else the code itself: two tokens of one slip are one slip."""
    if not looks_like_token(code) or len(code) > LARGEST_TOKEN:
        return code
    payload = code.split(".")[1]
    try:
        said = json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
    except (binascii.Error, ValueError, RecursionError):
        return code
    if not isinstance(said, dict):
        return code
    named = said.get("slip_no", said.get("sub"))
    return named if isinstance(named, str) and named.strip() else code
