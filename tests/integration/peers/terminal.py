"""A pseudo-terminal as a cable: what is written here arrives at the port; it can be unplugged and plugged in again."""

from __future__ import annotations

import asyncio
import os
import tty
from collections.abc import Callable
from pathlib import Path
from typing import Self


class Cable:
    """A port at `path` (a link that stays the same over replugging)."""

    def __init__(self, path: Path, on_bytes: Callable[[bytes], None] = lambda _: None) -> None:
        self.path = path
        self.on_bytes = on_bytes
        self._ours = self._theirs = -1

    def __enter__(self) -> Self:
        self.plug()
        return self

    def __exit__(self, *_: object) -> None:
        self.unplug()

    def plug(self) -> None:
        self._ours, self._theirs = os.openpty()
        tty.setraw(self._theirs)
        os.set_blocking(self._ours, False)
        self.path.symlink_to(os.ttyname(self._theirs))
        asyncio.get_running_loop().add_reader(self._ours, self._readable)

    def unplug(self) -> None:
        if self._ours < 0:
            return
        self.path.unlink(missing_ok=True)
        asyncio.get_running_loop().remove_reader(self._ours)
        os.close(self._theirs)
        os.close(self._ours)
        self._ours = self._theirs = -1

    def write(self, data: bytes) -> None:
        os.write(self._ours, data)

    def _readable(self) -> None:
        try:
            self.on_bytes(os.read(self._ours, 4096))
        except OSError:
            return
