"""A serial line bit by bit: what a receiver hears when its settings are not the sender's. Pure.

A pseudo-terminal carries bytes whatever its settings say, so an emulator on one must spoil them itself. Bytes whose
parity or stop bit is wrong are handed on as they were sampled, as Linux does unless told otherwise (INPCK off).
"""

from __future__ import annotations

from dataclasses import dataclass

BAUD_RATES = (600, 1200, 2400, 4800, 9600, 19200, 38400, 57600, 115200)


@dataclass(frozen=True, slots=True)
class Line:
    """Settings of one end; one stop bit."""

    baud: int = 9600
    bits: int = 8
    parity: str = "N"

    def __str__(self) -> str:
        return f"{self.baud} {self.bits}{self.parity}1"

    @classmethod
    def parse(cls, baud: int, framing: str) -> Line:
        """Read `8N1`, `7E1`, ... Raises ValueError."""
        if baud not in BAUD_RATES:
            raise ValueError(f"baud: one of {', '.join(map(str, BAUD_RATES))} expected, found {baud}")
        if len(framing) != 3 or framing[0] not in "78" or framing[1] not in "NEO" or framing[2] != "1":
            raise ValueError(f"framing: 8N1, 7E1, 7O1, 8E1, 8O1 or 7N1 expected, found {framing!r}")
        return cls(baud, int(framing[0]), framing[1])


def heard(data: bytes, sender: Line, receiver: Line) -> bytes:
    """What a burst of bytes sent with one setting reads as with another."""
    if sender == receiver:
        return bytes(byte & (1 << sender.bits) - 1 for byte in data)
    return _sampled(_levels(data, sender), receiver, sender.baud / receiver.baud)


def _levels(data: bytes, line: Line) -> list[int]:
    """The line's level in each bit time: start 0, data from the lowest bit, parity, stop 1."""
    levels: list[int] = []
    for byte in data:
        bits = [byte >> place & 1 for place in range(line.bits)]
        parity = {"N": [], "E": [sum(bits) & 1], "O": [sum(bits) & 1 ^ 1]}[line.parity]
        levels += [0, *bits, *parity, 1]
    return levels


def _sampled(levels: list[int], line: Line, bit_time: float) -> bytes:
    """Sample in the middle of the receiver's bits, from each falling edge on."""
    out = bytearray()
    length = line.bits + (line.parity != "N")
    at = 0.0
    while at < len(levels):
        if levels[int(at)]:
            at = int(at) + 1.0
            continue
        samples = [_level(levels, at + bit_time * (0.5 + place)) for place in range(length + 2)]
        if samples[0]:  # too short for a start bit
            at = int(at) + 1.0
            continue
        out.append(sum(bit << place for place, bit in enumerate(samples[1 : 1 + line.bits])))
        at += bit_time * (length + 1.5)
        while at < len(levels) and not levels[int(at)] and not samples[-1]:  # no stop bit: wait for the line to rest
            at = int(at) + 1.0
    return bytes(out)


def _level(levels: list[int], at: float) -> int:
    return levels[int(at)] if at < len(levels) else 1
