"""Encrypts the few secrets that must be read again, with a key that lies beside the data and in no database."""

from __future__ import annotations

import os
import secrets
from pathlib import Path
from typing import Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from gate_service.domain.errors import AccountError

KEY_NAME: Final = "accounts.key"
KEY_BYTES: Final = 32
NONCE_BYTES: Final = 12  # NIST SP 800-38D 8.2


class Sealing:
    """AES-256-GCM; what it seals is bound to a label, so that one person's secret is none of another's.

    The key file is made at the first use, readable by its owner only. Without it the secrets are lost and people
    enrol again; a backup of the database alone gives nothing away.
    """

    def __init__(self, directory: Path) -> None:
        self._path = directory / KEY_NAME
        self._key: bytes | None = None

    def seal(self, secret: bytes, label: str) -> bytes:
        """Encrypt. Blocks for a small file the first time."""
        nonce = secrets.token_bytes(NONCE_BYTES)
        return nonce + AESGCM(self._take_key()).encrypt(nonce, secret, label.encode())

    def open(self, sealed: bytes, label: str) -> bytes:
        """Decrypt. Raises AccountError where the key is not the one it was sealed with."""
        try:
            return AESGCM(self._take_key()).decrypt(sealed[:NONCE_BYTES], sealed[NONCE_BYTES:], label.encode())
        except InvalidTag:
            raise AccountError(
                f"{KEY_NAME}: the key that the second factors were sealed with expected; restore it, or enrol again"
            ) from None

    def _take_key(self) -> bytes:
        if self._key is None:
            self._key = self._read() or self._make()
        return self._key

    def _read(self) -> bytes | None:
        if not self._path.exists():
            return None
        key = self._path.read_bytes()
        if len(key) != KEY_BYTES:
            raise AccountError(f"{self._path}: {KEY_BYTES} bytes expected, found {len(key)}")
        return key

    def _make(self) -> bytes:
        key = secrets.token_bytes(KEY_BYTES)
        descriptor = os.open(self._path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            file.write(key)
            file.flush()
            os.fsync(file.fileno())
        return key
