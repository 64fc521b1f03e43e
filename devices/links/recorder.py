"""What passed over a link: the last bytes for the device page, and captures to a file that replay as they came."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from io import TextIOWrapper
from pathlib import Path
from types import TracebackType
from typing import Final, Self

from gate_service.domain.errors import InputError

LAST_BYTES: Final = 64  # four frames of the longest weighbridge protocol, five Modbus exchanges


class LastBytes:
    """The newest bytes of a stream, bounded."""

    def __init__(self, limit: int = LAST_BYTES) -> None:
        self._limit = limit
        self._bytes = b""

    def add(self, data: bytes) -> None:
        """Keep the newest."""
        self._bytes = (self._bytes + data[-self._limit :])[-self._limit :]

    def hex(self) -> str:
        """As people read them: `02 2b 30`."""
        return self._bytes.hex(" ")


@dataclass(frozen=True, slots=True)
class Chunk:
    """Bytes as one read delivered them."""

    at_s: float
    data: bytes


class Capture:
    """Writes each chunk of a stream to a new file, one JSON line with its stamp; stops at `largest_bytes`."""

    def __init__(self, path: Path, largest_bytes: int = 16 * 1024 * 1024) -> None:
        self._path = path
        self._left = largest_bytes
        self._file: TextIOWrapper | None = None

    def __enter__(self) -> Self:
        self._file = self._path.open("x", encoding="ascii")
        return self

    def __exit__(
        self, kind: type[BaseException] | None, exc: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._file is not None:
            self._file.close()

    def add(self, data: bytes, at_s: float) -> None:
        """Append one chunk while there is room."""
        line = json.dumps({"at_s": round(at_s, 6), "hex": data.hex()}) + "\n"
        if self._file is not None and len(line) <= self._left:
            self._left -= len(line)
            self._file.write(line)


def replay(path: Path) -> Iterator[Chunk]:
    """Read a capture back. Raises InputError naming the line that is none."""
    with path.open(encoding="ascii") as lines:
        for number, line in enumerate(lines, start=1):
            try:
                fields = json.loads(line)
                yield Chunk(float(fields["at_s"]), bytes.fromhex(fields["hex"]))
            except (ValueError, KeyError, TypeError):
                found = f"line {number}: at_s and hex expected, found {line[:60]!r}"
                raise InputError(f"capture {path.name} {found}") from None
