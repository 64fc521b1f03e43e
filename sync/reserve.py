"""The last room on the disk, held by a file so that nobody else can take it: given up only to record what is under way.

Three steps as the disk fills: below `reserve_bytes` free the lanes close, and only the record itself is still written;
when even that room goes, the reserve file is given up for it; when that is used up too, nothing is written, and every
entry waits. With room again everything comes back by itself.
"""

from __future__ import annotations

import contextlib
import logging
import os
from pathlib import Path
from typing import Final

log = logging.getLogger(__name__)

FILE_NAME: Final = "record.reserve"
SHARE: Final = 16  # the file is a sixteenth of the free space at which lanes close: 16 MiB of 256, some 1,500 entries
MIB: Final = 1024 * 1024
LAST_BYTES: Final = 2 * MIB  # a group of entries, its pages twice (log, then file), and the seal


class Reserve:
    """Looks at the disk of one directory. `refuses_new` and `refuses_all` say why, or None."""

    def __init__(self, directory: Path, reserve_bytes: int) -> None:
        self._directory = directory
        self._path = directory / FILE_NAME
        self._reserve_bytes = reserve_bytes
        self._size = max(reserve_bytes // SHARE, 2 * LAST_BYTES) if reserve_bytes else 0
        self.refuses_new: str | None = None
        self.refuses_all: str | None = None

    def look(self) -> None:
        """Look, and give the file up or take it again as the room asks for."""
        try:
            free_bytes = self._free()
            if self._size and free_bytes < LAST_BYTES and self._path.exists():
                self.give_up()
                free_bytes = self._free()
            elif self._size and free_bytes >= self._reserve_bytes + self._size:
                self._hold()
        except OSError as error:
            self.refuses_new = self.refuses_all = f"{self._directory}: {error}"
            return
        found = f"{self._directory}: {free_bytes // MIB} MiB free"
        short = f"{found}, at least {self._reserve_bytes // MIB} expected" if free_bytes < self._reserve_bytes else None
        if short is not None and self.refuses_new is None:
            log.error("record closed to new work: %s", short)
        self.refuses_new = short  # in one step: other threads read it, and must not see room between two looks
        self.refuses_all = f"{found}, nothing more can be written" if self._size and free_bytes < LAST_BYTES else None

    def give_up(self) -> None:
        """Free the last room."""
        if self._path.exists():
            log.error("record: the reserve of %d MiB is given up", self._size // MIB)
            self._path.unlink()

    def _hold(self) -> None:
        """Take the room, really allocated; without room for it the disk is short anyway."""
        if self._path.exists() and self._path.stat().st_size == self._size:
            return
        descriptor = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o640)
        try:
            os.posix_fallocate(descriptor, 0, self._size)
        except OSError:
            with contextlib.suppress(OSError):
                self._path.unlink()
            raise
        finally:
            os.close(descriptor)

    def _free(self) -> int:
        status = os.statvfs(self._directory)
        return status.f_bavail * status.f_frsize
