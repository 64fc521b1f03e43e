"""Weighing transmitters as their manuals describe them: what stands in which register. Sees requests, no socket.

Put on Modbus TCP by `devices.simulator.wire_io.WireModule`, whose faults by name apply; `is_frozen` stops the converter
while the interface goes on answering.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

ILLEGAL_FUNCTION, ILLEGAL_ADDRESS = 1, 2
HEARTBEAT_S: Final = 0.1


@dataclass(slots=True)
class Deck:
    """What the transmitter measures. `gross` and `tare` count the last digit of the display; one flag per state."""

    gross: int = 0
    tare: int = 0
    decimals: int = 0
    is_moving: bool = False
    is_over: bool = False
    is_under: bool = False
    is_broken: bool = False
    is_frozen: bool = False
    beat: int = 0

    def show(self, gross: int, *, moving: bool = False) -> None:
        """Put a load on."""
        self.gross, self.is_moving = gross, moving


def _signed(number: int) -> tuple[int, int]:
    high, low = struct.unpack(">HH", struct.pack(">i", number))
    return high, low


def _float(number: float) -> tuple[int, int]:
    high, low = struct.unpack(">HH", struct.pack(">f", number))
    return high, low


def _laumas(deck: Deck) -> Mapping[int, int]:
    status = deck.is_broken << 0 | deck.is_over << 2 | (deck.gross < 0) << 7 | (deck.tare != 0) << 10
    status |= (not deck.is_moving) << 11 | (deck.gross == 0) << 12
    gross, net = _signed(abs(deck.gross)), _signed(abs(deck.gross - deck.tare))
    return {6: status, 7: gross[0], 8: gross[1], 9: net[0], 10: net[1]}


def _siwarex(deck: Deck) -> Mapping[int, int]:
    status = (deck.is_over or deck.is_under) << 1 | (deck.tare != 0) << 2 | (not deck.is_moving) << 6
    scale = 10.0**deck.decimals
    registers = dict.fromkeys(range(3000, 3020), 0)
    registers[3004] = status
    shown = deck.gross - deck.tare
    for place, number in ((3008, deck.gross), (3010, shown), (3012, deck.tare), (3014, shown)):
        registers[place], registers[place + 1] = _float(number / scale)
    return registers


def _wtx(deck: Deck) -> Mapping[int, int]:
    status = deck.is_broken | (2 if deck.is_over else 1 if deck.is_under else 0) << 2 | deck.is_moving << 4
    net, gross = _signed(deck.gross - deck.tare), _signed(deck.gross)
    return dict(enumerate((*net, *gross, status, deck.decimals << 4)))


def _dini(deck: Deck) -> Mapping[int, int]:
    status = (deck.gross < 0) | (not deck.is_moving) << 1 | deck.is_under << 2 | deck.is_over << 3
    gross = _signed(abs(deck.gross))
    return {201: status, 202: gross[0], 203: gross[1]}


def _flintec(deck: Deck) -> Mapping[int, int]:
    status = deck.is_moving << 2 | (deck.tare != 0) << 3 | (deck.gross == 0) << 12
    actual, tare, gross = _signed(deck.gross - deck.tare), _signed(deck.tare), _signed(deck.gross)
    return dict(enumerate((*actual, *tare, *gross, status, 0, 0, 0, deck.beat)))


MAKES: Final[Mapping[str, Callable[[Deck], Mapping[int, int]]]] = {
    "laumas-w100": _laumas,
    "siwarex-wp251": _siwarex,
    "hbm-wtx110": _wtx,
    "dini-dgt4x": _dini,
    "flintec-ft112": _flintec,
}


class Transmitter:
    """One unit. Function 3 reads what there is; anything else is an exception, as in the real ones."""

    def __init__(self, make: str) -> None:
        self.deck = Deck()
        self._registers = MAKES[make]

    def answer(self, request: bytes, now_s: float) -> bytes:
        """One request unit (function code and data) to its answer unit, exceptions included."""
        function = request[0]
        if function != 3 or len(request) != 5:
            return bytes((function | 0x80, ILLEGAL_FUNCTION))
        if not self.deck.is_frozen:
            self.deck.beat = int(now_s / HEARTBEAT_S) & 0xFFFF
        address, count = struct.unpack(">HH", request[1:])
        registers = self._registers(self.deck)
        wanted = range(address, address + count)
        if not all(place in registers for place in wanted):
            return bytes((function | 0x80, ILLEGAL_ADDRESS))
        return bytes((function, 2 * count)) + struct.pack(f">{count}H", *(registers[place] for place in wanted))

    def tick(self, now_s: float) -> bool:
        """It has no watchdog."""
        del now_s
        return False
