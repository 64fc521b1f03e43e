"""Files beside the record, each under its SHA-256: written and synced before any record names it.

`files/ab/abcdef…`; the same content is the same file. A file that no record names (the service stopped in between) does
no harm and is removed after a day. What a record names is checked by `gate verify`.
"""

from __future__ import annotations

import asyncio
import hashlib
import threading
import time
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Final

from gate_service.domain.errors import InputError, RecordError
from gate_service.domain.record import FileRef
from sync.durable import sync_directory, sync_file, write_durably

FOLDER: Final = "files"
LARGEST_BYTES: Final = 8 * 1024 * 1024  # site decision: a photo of a gate camera is below 2 MiB
NAME_LENGTH: Final = 64


class FileStore:
    """The files of one data directory; a service has one, so that nothing is removed while it is being named."""

    def __init__(self, directory: Path) -> None:
        self._folder = directory / FOLDER
        self._one_at_a_time = threading.Lock()

    async def keep(self, content: bytes, media_type: str) -> FileRef:
        """Put content on disk and answer how a record refers to it. Raises InputError, RecordError."""
        if not 0 < len(content) <= LARGEST_BYTES:
            raise InputError(f"file: 1 to {LARGEST_BYTES} bytes expected, found {len(content)}")
        digest = hashlib.sha256(content).hexdigest()
        try:
            await asyncio.to_thread(self._write, digest, content)
        except OSError as error:
            raise RecordError(f"file {digest}: not written: {error}") from error
        return FileRef(digest, len(content), media_type)

    def path_of(self, digest: str) -> Path:
        """Where a file lies. Raises InputError for what is no SHA-256."""
        if len(digest) != NAME_LENGTH or set(digest) - set("0123456789abcdef"):
            raise InputError(f"file: a SHA-256 in lower-case hexadecimal expected, found {digest[:80]!r}")
        return self._folder / digest[:2] / digest

    def read(self, digest: str) -> bytes | None:
        """The content; None where it is not there or no longer what its name says. OSError for a disk that fails."""
        try:
            content = self.path_of(digest).read_bytes()
        except FileNotFoundError:
            return None
        return content if hashlib.sha256(content).hexdigest() == digest else None

    def names(self) -> Iterator[str]:
        """Every file there is."""
        for path in self._folder.glob("??/*"):
            if len(path.name) == NAME_LENGTH:
                yield path.name

    def older_than(self, age_s: float) -> list[str]:
        """Files not written to for so long; leftovers of an interrupted write are removed on the way."""
        before_s = time.time() - age_s
        old = []
        for path in self._folder.glob("??/*"):
            if path.stat().st_mtime < before_s:
                if path.suffix == ".new":
                    path.unlink(missing_ok=True)
                else:
                    old.append(path.name)
        return old

    def remove_older(self, digests: Iterable[str], age_s: float) -> None:
        """Remove files that nothing names, but for those that were kept again meanwhile."""
        for digest in digests:
            path = self.path_of(digest)
            with self._one_at_a_time:
                if path.exists() and path.stat().st_mtime < time.time() - age_s:
                    path.unlink()

    def _write(self, digest: str, content: bytes) -> None:
        path = self.path_of(digest)
        with self._one_at_a_time:
            if self.read(digest) == content:
                path.touch()  # young again: no orphan while a record is about to name it
                sync_file(path)
                sync_directory(path.parent)
            else:
                path.parent.mkdir(parents=True, exist_ok=True)
                write_durably(path, content)
            sync_directory(self._folder)
            sync_directory(self._folder.parent)
