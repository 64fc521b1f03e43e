"""The key that signs checkpoints: Ed25519, made at the first start, readable by its owner alone, never in a backup.

Whoever can read this key can also write the record; what a forger cannot reach is the checkpoint the centre holds.
"""

from __future__ import annotations

import base64
import logging
from pathlib import Path
from typing import Final

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)

from gate_service.domain.errors import RecordError
from sync.durable import write_durably

log = logging.getLogger(__name__)

FILE_NAME: Final = "record.key"
OTHERS: Final = 0o077


class RecordKey:
    """The private key of one data directory. `public` is the raw public key in base64url without padding."""

    def __init__(self, private: Ed25519PrivateKey) -> None:
        self._private = private
        self.public = _text(private.public_key().public_bytes_raw())

    def sign(self, content: bytes) -> str:
        """Signature in base64url without padding."""
        return _text(self._private.sign(content))


def open_key(directory: Path) -> RecordKey:
    """Read the key of a data directory, or make it. Raises RecordError for a file that holds no Ed25519 key."""
    path = directory / FILE_NAME
    if not path.exists():
        private = Ed25519PrivateKey.generate()
        content = private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        write_durably(path, content, mode=0o600)
        log.info("record: a new key signs checkpoints, public part %s", RecordKey(private).public)
        return RecordKey(private)
    if path.stat().st_mode & OTHERS:
        log.warning("%s: mode 0600 expected, found %o; mended, but others may have read it", path, path.stat().st_mode)
        path.chmod(0o600)
    try:
        found = load_pem_private_key(path.read_bytes(), password=None)
    except (ValueError, TypeError, OSError) as error:
        raise RecordError(f"{path}: an Ed25519 key in PEM expected: {error}") from error
    if not isinstance(found, Ed25519PrivateKey):
        raise RecordError(f"{path}: an Ed25519 key expected, found {type(found).__name__}")
    return RecordKey(found)


def is_signed_by(public: str, signature: str, content: bytes) -> bool:
    """Whether the key signed the content; anything that is no key or no signature did not."""
    try:
        Ed25519PublicKey.from_public_bytes(_bytes(public)).verify(_bytes(signature), content)
    except (InvalidSignature, ValueError):
        return False
    return True


def _text(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode("ascii")


def _bytes(text: str) -> bytes:
    return base64.urlsafe_b64decode(text.encode("ascii") + b"=" * (-len(text) % 4))
