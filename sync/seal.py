"""The seal: counts and heads of the record in a small file beside it, so that a shortened database shows.

It holds the same as a signed checkpoint (`sync.checkpoint`), which is what the centre is sent.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final

from gate_service.domain.errors import ChainBrokenError, InputError
from sync.chain import sha256_hex
from sync.checkpoint import Checkpoint, read_checkpoint
from sync.durable import write_durably

FILE_NAME: Final = "record.seal"
FORMAT: Final = "gate-seal-1"


@dataclass(frozen=True, slots=True)
class Seal:
    """What the record held at a moment. Everything it names was committed before the seal was written."""

    site_id: str
    epoch: str
    records: int
    head: str
    outbox: int
    feed: int
    at_us: int
    checkpoint: Checkpoint | None = None  # None: sealed before checkpoints were signed


def write_seal(directory: Path, seal: Seal) -> None:
    """Write, sync, rename, sync the directory: the old seal or the new one is there at any moment."""
    body: dict[str, object] = {"format": FORMAT, **asdict(seal)}
    body["checkpoint"] = None if seal.checkpoint is None else seal.checkpoint.document()
    body["sha256"] = sha256_hex(_content(body))
    write_durably(directory / FILE_NAME, _content(body) + b"\n")


def read_seal(directory: Path) -> Seal | None:
    """The seal, or None where there is none. Raises ChainBrokenError for one that was damaged."""
    path = directory / FILE_NAME
    try:
        content = path.read_bytes()
    except FileNotFoundError:
        return None
    try:
        body = json.loads(content)
        found = body.pop("sha256")
        if body["format"] != FORMAT or found != sha256_hex(_content(body)):
            raise ChainBrokenError(f"{path}: the seal does not match its own hash")
        del body["format"]
        signed = body.pop("checkpoint", None)
        return Seal(**body, checkpoint=None if signed is None else read_checkpoint(signed))
    except (InputError, ValueError, TypeError, KeyError, AttributeError) as error:
        raise ChainBrokenError(f"{path}: a seal expected, found {content[:80]!r}") from error


def _content(body: dict[str, object]) -> bytes:
    return json.dumps(body, ensure_ascii=False, separators=(",", ":")).encode()
