"""What is stored of random secrets. Passwords are another matter: `passwords`."""

from __future__ import annotations

import hashlib


def hash_of(secret: str) -> str:
    """SHA-256 of a random secret: nothing to guess, so nothing to slow down."""
    return hashlib.sha256(secret.encode()).hexdigest()
