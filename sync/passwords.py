"""Passwords: what is accepted, and Argon2id off the event loop. Knows no table."""

from __future__ import annotations

import asyncio
from typing import Final

from pwdlib import PasswordHash
from pwdlib.hashers.argon2 import Argon2Hasher

from gate_service.domain.errors import AccountError

SHORTEST: Final = 8  # characters; ASVS 5.0 6.2.1
LONGEST: Final = 128  # ASVS 5.0 6.2.9: at least 64 must be allowed; a bound, so that hashing cannot be made slow
FEWEST_DIFFERENT: Final = 4
OBVIOUS: Final = frozenset({"password", "passw0rd", "12345678", "123456789", "1234567890", "qwertyui", "admin123"})
AT_ONCE: Final = 2  # 64 MB and a core each: more would starve the lanes


def check_new(name: str, password: str) -> None:
    """Raise AccountError for a password that is too short, too long, obvious, or the name itself."""
    if not SHORTEST <= len(password) <= LONGEST:
        raise AccountError(f"password: {SHORTEST} to {LONGEST} characters expected, found {len(password)}")
    if password.casefold() in OBVIOUS or password.casefold() == name.casefold():
        raise AccountError("password: one that is not on every list and not the name itself expected")
    if len(set(password)) < FEWEST_DIFFERENT:
        raise AccountError(f"password: at least {FEWEST_DIFFERENT} different characters expected")


class Passwords:
    """Hashes and verifies in threads, at most two at a time. `hasher`: tests bring one that takes no time."""

    def __init__(self, hasher: Argon2Hasher | None = None) -> None:
        self._hasher = PasswordHash((hasher or Argon2Hasher(),))
        self._turn = asyncio.Semaphore(AT_ONCE)
        self._nobody: str | None = None

    async def hash(self, password: str) -> str:
        """The hash to store."""
        async with self._turn:
            return await asyncio.to_thread(self._hasher.hash, password)

    async def verify(self, password: str, stored: str | None) -> bool:
        """Whether the password fits. `stored` None (no such account) takes as long and is never true."""
        if stored is not None and not stored.startswith("$argon2"):
            stored = None  # no password opens this account: its person signs in with the provider
        if stored is None and self._nobody is None:
            self._nobody = await self.hash("nobody has this password")
        async with self._turn:
            fits = await asyncio.to_thread(self._hasher.verify, password, stored or self._nobody or "")
        return fits and stored is not None
