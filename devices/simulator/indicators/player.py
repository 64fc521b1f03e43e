"""Plays a capture onto a wire at the pace it was recorded, over and over: any link seen once can be had again. Pure."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Final

from devices.simulator.indicators.display import Display

FAULTS: Final = ("silence", "half_open")
PAUSE_S: Final = 1.0  # between the end and the next beginning


class Player:
    """Stands on a wire in place of an indicator (`wire_weighbridge.Speaker`)."""

    def __init__(self, pieces: list[tuple[float, bytes]], now_s: Callable[[], float] = time.monotonic) -> None:
        if not pieces:
            raise ValueError("capture: at least one read expected, found none")
        self.display = Display()
        self.faults: set[str] = set()
        self._pieces = pieces
        self._now_s = now_s
        self._began_s = now_s()
        self._next = 0

    @classmethod
    def load(cls, path: Path) -> Player:
        """Read a capture file: JSON lines with `at_s` and `hex`; what was sent is left out. Raises ValueError."""
        pieces: list[tuple[float, bytes]] = []
        for number, line in enumerate(path.read_text("ascii").splitlines(), start=1):
            try:
                fields = json.loads(line)
                if "about" in fields or fields.get("sent"):
                    continue
                pieces.append((float(fields["at_s"]), bytes.fromhex(fields["hex"])))
            except (KeyError, TypeError, ValueError):
                raise ValueError(f"capture {path.name} line {number}: at_s and hex expected") from None
        first_s = pieces[0][0] if pieces else 0.0
        return cls([(at_s - first_s, data) for at_s, data in pieces])

    def switch(self, name: str, *, on: bool) -> None:
        """Turn a fault on or off: a recording can only fall silent."""
        if name not in FAULTS:
            raise ValueError(f"recording: fault must be one of {', '.join(FAULTS)}, found {name!r}")
        (self.faults.add if on else self.faults.discard)(name)

    def next_bytes(self, _felt_kg: float) -> bytes:
        """All that is due by now."""
        now_s, due = self._now_s(), b""
        if self._next == len(self._pieces) and now_s - self._began_s >= self._pieces[-1][0] + PAUSE_S:
            self._began_s, self._next = now_s, 0
        while self._next < len(self._pieces) and self._pieces[self._next][0] <= now_s - self._began_s:
            due += self._pieces[self._next][1]
            self._next += 1
        return b"" if self.faults else due

    def hear(self, _data: bytes, _felt_kg: float) -> bytes:
        """A recording answers nothing."""
        return b""
