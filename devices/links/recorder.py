"""What passed over a link: the last bytes for the device page, and captures to a file that replay as they came.

A capture is a text file of JSON lines: first what is known of the link (`about`), then each read with its time in
seconds, `{"at_s":0.08,"hex":"022b…"}`; what was sent has `"sent":true`.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from io import TextIOWrapper
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Self

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
    """Bytes as one read delivered them, or as they were sent."""

    at_s: float
    data: bytes
    is_sent: bool = False


class Capture:
    """Writes each chunk of a stream to a new file, one JSON line with its stamp; stops at `largest_bytes`.

    Raises FileExistsError on entering: a capture is never written over.
    """

    def __init__(
        self, path: Path, about: Mapping[str, Any] | None = None, *, largest_bytes: int = 16 * 1024 * 1024
    ) -> None:
        self._path = path
        self._about = about
        self._left = largest_bytes
        self._file: TextIOWrapper | None = None

    def __enter__(self) -> Self:
        self._file = self._path.open("x", encoding="ascii")
        if self._about is not None:
            self._file.write(json.dumps({"about": dict(self._about)}) + "\n")
        return self

    def __exit__(
        self, kind: type[BaseException] | None, exc: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._file is not None:
            self._file.close()

    def add(self, data: bytes, at_s: float, *, is_sent: bool = False) -> None:
        """Append one chunk while there is room."""
        sent = {"sent": True} if is_sent else {}
        line = json.dumps({"at_s": round(at_s, 6), **sent, "hex": data.hex()}) + "\n"
        if self._file is not None and len(line) <= self._left:
            self._left -= len(line)
            self._file.write(line)


def replay(path: Path) -> Iterator[Chunk]:
    """Read a capture back. Raises InputError naming the line that is none."""
    with path.open(encoding="ascii") as lines:
        for number, line in enumerate(lines, start=1):
            try:
                fields = json.loads(line)
                if number == 1 and "about" in fields:
                    continue
                yield Chunk(float(fields["at_s"]), bytes.fromhex(fields["hex"]), bool(fields.get("sent", False)))
            except (ValueError, KeyError, TypeError, RecursionError):
                found = f"line {number}: at_s and hex expected, found {line[:60]!r}"
                raise InputError(f"capture {path.name} {found}") from None


def about(path: Path) -> dict[str, Any]:
    """What a capture says of its link; empty where it says nothing. Raises InputError when it is no capture."""
    with path.open(encoding="ascii") as lines:
        first = lines.readline()
    try:
        fields = json.loads(first)
        return dict(fields.get("about", {}))
    except (ValueError, AttributeError, TypeError, RecursionError):
        raise InputError(f"capture {path.name} line 1: a JSON object expected, found {first[:60]!r}") from None
