"""What an XK3190 indicator in continuous mode puts on the line for a mass: its own encoder, and its faults. Pure.

Twelve bytes: 02, sign, six digits most significant first, decimal places '0'..'4', XOR of bytes 2..9 as two characters
(each nibble 0-9 as 30h.., A-F as 41h..), 03 (reference/weighbridge.md 1.2). No flag for motion, overload or net; what
the maker sends on overload is not published, so this indicator goes on counting up to its six digits.
"""

from __future__ import annotations

from collections import deque
from functools import reduce
from operator import xor
from random import Random
from typing import Final

FRAMES_PER_S: Final = 12.5  # captured rate at 9600 baud (weighbridge.md 1.1); never scaled with the yard
FAULTS: Final = ("silence", "garbage", "drift", "cut_frames", "wrong_checksum", "late", "half_open")
LATE_FRAMES: Final = 25  # two seconds
DRIFT_KG_PER_FRAME: Final = 4.0  # 50 kg/s
MOST_DIGITS: Final = 999_999
NIBBLES: Final = b"0123456789ABCDEF"


def frame(shown_kg: int) -> bytes:
    """One frame that shows whole kilograms."""
    sign = b"-" if shown_kg < 0 else b"+"
    body = sign + b"%06d" % min(abs(shown_kg), MOST_DIGITS) + b"0"
    check = reduce(xor, body)
    return b"\x02" + body + bytes((NIBBLES[check >> 4], NIBBLES[check & 15])) + b"\x03"


class Indicator:
    """Rounds what the platform feels to its interval and says it, as well as its faults allow."""

    def __init__(self, interval_kg: int, *, seed: int = 0) -> None:
        self.interval_kg = interval_kg
        self.faults: set[str] = set()
        self._random = Random(f"{seed}:indicator")  # noqa: S311 - repeatable on purpose
        self._delayed: deque[bytes] = deque()
        self._drift_kg = 0.0

    def switch(self, name: str, *, on: bool) -> None:
        """Turn a fault on or off. Raises ValueError for a name that is none."""
        if name not in FAULTS:
            raise ValueError(f"weighbridge: fault must be one of {', '.join(FAULTS)}, found {name!r}")
        (self.faults.add if on else self.faults.discard)(name)
        if name == "drift" and not on:
            self._drift_kg = 0.0
        if name == "late" and not on:
            self._delayed.clear()

    def shown_kg(self, felt_kg: float) -> int:
        """What the display shows."""
        return round((felt_kg + self._drift_kg) / self.interval_kg) * self.interval_kg

    def hear(self, _data: bytes, _felt_kg: float) -> bytes:
        """In continuous mode nothing is answered."""
        return b""

    def next_bytes(self, felt_kg: float) -> bytes:
        """What goes on the line in this frame's time. Empty: nothing."""
        if "drift" in self.faults:
            self._drift_kg += DRIFT_KG_PER_FRAME
        sent = frame(self.shown_kg(felt_kg))
        if "late" in self.faults:
            self._delayed.append(sent)
            sent = self._delayed.popleft() if len(self._delayed) > LATE_FRAMES else b""
        if "wrong_checksum" in self.faults and sent:
            sent = sent[:9] + bytes((NIBBLES[(NIBBLES.index(sent[9]) + 1) % 16],)) + sent[10:]
        if "cut_frames" in self.faults and sent:
            start, end = sorted(self._random.sample(range(len(sent)), 2))
            sent = sent[start:end]
        if "garbage" in self.faults:
            sent = self._random.randbytes(self._random.randint(1, 24))
        return b"" if self.faults & {"silence", "half_open"} else sent
