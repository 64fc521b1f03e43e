"""The public keys that slip signatures are verified with: a JSON Web Key Set in a file, read again when it changes.

Rotation: the new key is added beside the old one before the issuer signs with it; the old one is taken out when its
last slip has expired. A file that cannot be used changes nothing: the keys held go on, and the problem is shown.
"""

from __future__ import annotations

import base64
import binascii
import json
import logging
from pathlib import Path
from typing import Any, Final

from gate_service.domain.errors import ConfigError
from gate_service.domain.events import JsonObject
from gate_service.domain.ports import Clock

log = logging.getLogger(__name__)

KEY_BYTES: Final = 32  # RFC 8032, 5.1.5
LOOK_EVERY_S: Final = 1.0
MOST_KEYS: Final = 32
PUBLIC: Final = ("kty", "crv", "x", "kid", "use", "alg", "key_ops")


def read_keys(text: str) -> tuple[JsonObject, ...]:
    """The keys of a set (RFC 7517, 5). Raises ConfigError with one line for each mistake; never shows a key."""
    try:
        document = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise ConfigError([f"slip keys: JSON expected ({error})"]) from None
    rows = document.get("keys") if isinstance(document, dict) else None
    if not isinstance(rows, list) or not 0 < len(rows) <= MOST_KEYS:
        raise ConfigError([f'slip keys: {{"keys": […]}} with 1 to {MOST_KEYS} keys expected'])
    problems = [
        f"slip keys: key {number}: {problem}" for number, row in enumerate(rows, 1) if (problem := _problem(row))
    ]
    names = [row.get("kid") for row in rows if isinstance(row, dict)]
    if len(rows) > 1 and (None in names or len(set(names)) < len(names)):
        problems.append("slip keys: a kid of its own for each of several keys expected")
    if problems:
        raise ConfigError(problems)
    return tuple(rows)


def _problem(row: Any) -> str | None:
    if not isinstance(row, dict):
        return "an object expected"
    if "d" in row:
        return "a public key expected, found a private one: make a new pair, this one has been seen"
    unknown = sorted(set(row) - set(PUBLIC))
    if unknown:
        return f"only {', '.join(PUBLIC)} expected, found {', '.join(unknown)[:80]}"
    if row.get("kty") != "OKP" or row.get("crv") != "Ed25519":
        return 'kty "OKP" and crv "Ed25519" expected'
    x, kid = row.get("x"), row.get("kid")
    if kid is not None and (not isinstance(kid, str) or not kid):
        return "kid: a text expected"
    try:
        raw = base64.urlsafe_b64decode(f"{x}=" if isinstance(x, str) else "")
    except (binascii.Error, ValueError):
        raw = b""
    return None if len(raw) == KEY_BYTES else f"x: {KEY_BYTES} bytes in base64url expected"


class PinnedKeys:
    """The keys as the file has them now, or as it had them when it could last be used."""

    def __init__(self, clock: Clock, path: Path | None = None) -> None:
        self._clock = clock
        self._path = path
        self._keys: tuple[JsonObject, ...] = ()
        self._seen: tuple[int, int] | None = None
        self._looked_s: float | None = None
        self.problem: str | None = None

    def current(self) -> tuple[JsonObject, ...]:
        """Every key that a signature may be by now. Looks at the file at most once a second."""
        now_s = self._clock.monotonic_s()
        if self._path is not None and (self._looked_s is None or now_s - self._looked_s >= LOOK_EVERY_S):
            self._looked_s = now_s
            self._look(self._path)
        return self._keys

    def status(self) -> dict[str, Any]:
        """For `/api/v1/sync`: names of the keys, and what is wrong with the file."""
        return {"kids": [key.get("kid") for key in self.current()], "problem": self.problem}

    def _look(self, path: Path) -> None:
        try:
            found = path.stat()
            seen = (found.st_mtime_ns, found.st_size)
            if seen == self._seen:
                return
            self._keys = read_keys(path.read_text(encoding="utf-8"))
            self._seen, self.problem = seen, None
            log.info("slip keys: %d read", len(self._keys))
        except (OSError, UnicodeDecodeError, ConfigError) as error:
            if self.problem is None:
                log.error("slip keys: %s: %s", path.name, error)  # noqa: TRY400 - a full trace says no more
            self._seen, self.problem = None, f"{path.name}: {error}"
