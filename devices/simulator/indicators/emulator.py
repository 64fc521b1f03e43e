"""One indicator of any protocol: sends and answers as its dialect says, with faults that are switched by name. Pure."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Mapping
from random import Random
from typing import Final

from devices.simulator.indicators import lines, toledo, yaohua
from devices.simulator.indicators.dialect import Dialect
from devices.simulator.indicators.display import Display

DIALECTS: Final[Mapping[str, Callable[[dict[str, str]], Dialect]]] = {
    "xk3190-continuous": yaohua.continuous,
    "xk3190-command": yaohua.command,
    "xk3190-equals": yaohua.equals,
    "xk3190-a12": yaohua.a12,
    "toledo-continuous": toledo.continuous,
    "mt-sics": lines.mt_sics,
    "sma": lines.sma,
    "csv": lines.csv,
    "rice-lake": lines.rice_lake,
    "rinstrum": lines.rinstrum,
    "cardinal": lines.cardinal,
}
FAULTS: Final = ("silence", "garbage", "drift", "late", "cut_frames", "wrong_checksum", "wrong_unit", "half_open")
LATE_FRAMES: Final = 25  # two seconds at 12.5 frames/s
DRIFT_KG_PER_FRAME: Final = 4.0
LONGEST_QUESTION: Final = 64


def make(protocol: str, options: Mapping[str, str], display: Display, *, seed: int = 0) -> Emulator:
    """Set one up. Raises ValueError for a protocol or option it does not have."""
    if protocol not in DIALECTS:
        raise ValueError(f"protocol: one of {', '.join(DIALECTS)} expected, found {protocol!r}")
    left = dict(options)
    dialect = DIALECTS[protocol](left)
    if left:
        raise ValueError(f"{protocol}: unknown option {', '.join(sorted(left))}")
    return Emulator(dialect, display, seed=seed)


class Emulator:
    """Stands on a wire in place of an indicator (`wire_weighbridge.Speaker`)."""

    def __init__(self, dialect: Dialect, display: Display, *, seed: int = 0) -> None:
        self.display = display
        self.faults: set[str] = set()
        self._dialect = dialect
        self._random = Random(f"{seed}:emulator")  # noqa: S311 - repeatable on purpose
        self._delayed: deque[bytes] = deque()
        self._heard = b""
        self._first = dialect.first

    def switch(self, name: str, *, on: bool) -> None:
        """Turn a fault on or off. Raises ValueError for one that this indicator cannot have."""
        allowed = [fault for fault in FAULTS if self._can_have(fault)]
        if name not in allowed:
            raise ValueError(f"indicator: fault must be one of {', '.join(allowed)}, found {name!r}")
        (self.faults.add if on else self.faults.discard)(name)
        if name == "wrong_unit":
            self.display.is_unit_wrong = on
        if not on:
            self.display.drift_kg = 0.0 if name == "drift" else self.display.drift_kg
            if name == "late":
                self._delayed.clear()

    def _can_have(self, fault: str) -> bool:
        if fault == "wrong_checksum":
            return self._dialect.spoil is not None
        return fault != "wrong_unit" or self._dialect.has_unit

    def next_bytes(self, felt_kg: float) -> bytes:
        """What goes on the line in this frame's time. Empty: nothing."""
        if "drift" in self.faults:
            self.display.drift_kg += DRIFT_KG_PER_FRAME
        first, self._first = self._first, b""
        shown = self.display.look(felt_kg)
        if self._dialect.is_asked and "garbage" not in self.faults:
            sent = first + (self._delayed.popleft() if self._delayed else b"")
            return b"" if self.faults & {"silence", "half_open"} else sent
        sent = self._dialect.frame(shown)
        if "late" in self.faults:
            self._delayed.append(sent)
            sent = self._delayed.popleft() if len(self._delayed) > LATE_FRAMES else b""
        return self._as_faults_allow(first + sent)

    def hear(self, data: bytes, felt_kg: float) -> bytes:
        """Take bytes sent to it and return what it answers at once; a late answer comes in its frame's time."""
        if self._dialect.question is None or self._dialect.answer is None:
            return b""
        self._heard = (self._heard + data)[-LONGEST_QUESTION:]
        answers = b""
        while (found := self._dialect.question.search(self._heard)) is not None:
            self._heard = self._heard[found.end() :]
            if found[0].strip() in self._dialect.zeroes:
                self.display.set_zero(felt_kg)
            answers += self._dialect.answer(found[0], self.display.look(felt_kg))
        if "late" in self.faults and answers:
            self._delayed.extend([b""] * LATE_FRAMES + [answers])
            return b""
        return self._as_faults_allow(answers)

    def _as_faults_allow(self, sent: bytes) -> bytes:
        if self.faults & {"silence", "half_open"} or not sent:
            return b""
        if "wrong_checksum" in self.faults and self._dialect.spoil is not None:
            sent = self._dialect.spoil(sent)
        if "cut_frames" in self.faults and len(sent) > 1:
            start, end = sorted(self._random.sample(range(len(sent)), 2))
            sent = sent[start:end]
        if "garbage" in self.faults:
            sent = self._random.randbytes(self._random.randint(1, 24))
        return sent
