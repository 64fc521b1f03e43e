"""What contacts mean: which level says "there", and when two contacts of one relay cannot both be right. No I/O.

A loop or beam wired normally open reads 0 when its wire is broken, which looks like nobody there. Two remedies, both
of the site: `normally_closed` (0 means there: a broken wire is a vehicle) and a second contact of the same relay,
which always reads the opposite (both alike: the wire or the relay is broken, and nothing is known).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from gate_service.domain.reading import Detector, Presence

SETTLE_S: Final = 0.2  # a relay breaks one contact before it makes the other, 10 to 20 ms; a loop amplifier bounces


class Contacts:
    """The contacts of one lane's inputs. Remembers only since when two contacts of one detector read alike."""

    def __init__(self, normally_closed: frozenset[int], second_contacts: Mapping[Detector, int]) -> None:
        self._normally_closed = normally_closed
        self._second = second_contacts
        self._alike_since_s: dict[Detector, float] = {}
        self.broken: dict[Detector, str] = {}

    def is_on(self, bits: tuple[bool, ...] | None, number: int | None) -> bool | None:
        """What one input says; None: not wired, or not known."""
        if bits is None or number is None:
            return None
        return bits[number] != (number in self._normally_closed)

    def presence(self, detector: Detector, bits: tuple[bool, ...] | None, number: int, at_s: float) -> Presence:
        """What a detector says. Contacts that disagree for a moment are presence; for longer, a broken wire."""
        is_there = self.is_on(bits, number)
        if bits is None or is_there is None:
            return Presence.UNKNOWN
        second = self._second.get(detector)
        if second is None or bits[second] != bits[number]:
            self._alike_since_s.pop(detector, None)
            self.broken.pop(detector, None)
            return Presence.OCCUPIED if is_there else Presence.CLEAR
        if at_s - self._alike_since_s.setdefault(detector, at_s) <= SETTLE_S and detector not in self.broken:
            return Presence.OCCUPIED
        level = int(bits[number])
        self.broken[detector] = f"inputs {number} and {second} ({detector}) both read {level}: broken wire or relay"
        return Presence.UNKNOWN
