"""Registers of a weighing transmitter to a weight frame. Pure. Options as in `OPTIONS`; profiles in `transmitters/`."""

from __future__ import annotations

import math
import struct
from collections.abc import Mapping, Sequence
from dataclasses import replace
from decimal import Decimal
from typing import Final

from devices.weighbridge.frame import Decoded, Reason, Rejected, Status, WeightFrame
from devices.weighbridge.number import shown
from devices.weighbridge.transmitter_profile import Bit, Kind, Transmitter, load_transmitter
from gate_service.domain.errors import InputError

FROZEN_S: Final = 1.0
"""A heartbeat that stands so long is a dead transmitter behind a living interface (Flintec counts every 100 ms)."""

FLOAT_STEPS: Final = 2.0**-22
"""A float32 carries 24 bits: what differs by more than four of its steps from the displayed decimals is not them."""

LARGEST: Final = 999_999_999
"""More digits than any truck indicator shows: beyond it the registers are not a weight."""

OPTIONS: Final[Mapping[str, tuple[str, ...]]] = {
    "profile": (),
    "decimals": ("0", "1", "2", "3"),
    "word_order": ("profile", "high_first", "low_first"),
}


def create(options: Mapping[str, str]) -> TransmitterDecoder:
    """Make the decoder from a site's options. InputError names what is allowed."""
    unknown = sorted(set(options) - set(OPTIONS))
    if unknown:
        raise InputError(f"protocol modbus: option {unknown[0]!r} is not known; allowed: {', '.join(OPTIONS)}")
    for key, allowed in OPTIONS.items():
        if allowed and options.get(key, allowed[0]) not in allowed:
            raise InputError(f"protocol modbus: option {key} is {options[key]!r}; allowed: {', '.join(allowed)}")
    profile = load_transmitter(options.get("profile", ""))
    if profile.decimals is not None and "decimals" in options:
        raise InputError(f"protocol modbus: profile {profile.name} reads its decimals; leave out option decimals")
    order = options.get("word_order", "profile")
    if order != "profile":
        profile = replace(profile, high_word_first=order == "high_first")
    return TransmitterDecoder(profile, int(options.get("decimals", "0")))


class TransmitterDecoder:
    """Remembers nothing but the heartbeat. `decimals` counts where the registers do not say."""

    def __init__(self, profile: Transmitter, decimals: int = 0) -> None:
        self.profile = profile
        self._decimals = decimals
        self._heart: tuple[int, float] | None = None  # the beat and since when it stands

    def decode(self, registers: Sequence[int], at_s: float) -> Decoded:
        """One answer of `profile.count` registers, read at this monotonic time, to a frame or a rejection."""
        profile = self.profile
        raw = struct.pack(f">{len(registers)}H", *registers)
        if len(registers) != profile.count:
            return Rejected(Reason.LENGTH, raw)
        if self._is_frozen(registers, at_s):
            return Rejected(Reason.FROZEN, raw)
        status = self._status(registers)
        net = _is_set(profile.net, registers) if profile.net else False
        if status is not Status.OK:
            return WeightFrame(None, None, net, None, status, raw)
        digits = self._digits(registers)
        if digits is None:
            return Rejected(Reason.VALUE, raw)
        number, is_minus = digits
        value = shown(str(number), decimals=self._decimals_of(registers), is_minus=is_minus)
        return WeightFrame(
            value.value, None, net, self._is_stable(registers), Status.OK, raw, is_minus_zero=value.is_minus_zero
        )

    def _is_frozen(self, registers: Sequence[int], at_s: float) -> bool:
        if self.profile.heartbeat_at is None:
            return False
        beat = registers[self.profile.heartbeat_at]
        if self._heart is None or self._heart[0] != beat:
            self._heart = (beat, at_s)
        return at_s - self._heart[1] > FROZEN_S

    def _status(self, registers: Sequence[int]) -> Status:
        profile = self.profile
        for bits, status in (
            (profile.error, Status.ERROR),
            (profile.overload, Status.OVERLOAD),
            (profile.underload, Status.UNDERLOAD),
            (profile.out_of_range, Status.OUT_OF_RANGE),
        ):
            if any(_is_set(bit, registers) for bit in bits):
                return status
        return Status.OK

    def _is_stable(self, registers: Sequence[int]) -> bool | None:
        if self.profile.stable is not None:
            return _is_set(self.profile.stable, registers)
        return None if self.profile.moving is None else not _is_set(self.profile.moving, registers)

    def _decimals_of(self, registers: Sequence[int]) -> int:
        place = self.profile.decimals
        return self._decimals if place is None else registers[place.at] >> place.shift & place.mask

    def _digits(self, registers: Sequence[int]) -> tuple[int, bool] | None:
        """The displayed digits as a whole number of the last decimal, and whether negative; None: no weight."""
        profile = self.profile
        words = registers[profile.weight_at : profile.weight_at + 2]
        packed = struct.pack(">2H", *(words if profile.high_word_first else reversed(words)))
        if profile.weight_kind is Kind.FLOAT:
            number = _whole(struct.unpack(">f", packed)[0], self._decimals_of(registers))
        else:
            number = struct.unpack(">i" if profile.weight_kind is Kind.SIGNED else ">I", packed)[0]
        if number is None or abs(number) > LARGEST:
            return None
        is_minus = _is_set(profile.minus, registers) if profile.minus else number < 0
        return abs(number), is_minus


def _is_set(bit: Bit | None, registers: Sequence[int]) -> bool:
    return bit is not None and bool(registers[bit.at] >> bit.bit & 1)


def _whole(number: float, decimals: int) -> int | None:
    """The float as a whole number of its last decimal; None where it is no number or has digits beyond them."""
    if not math.isfinite(number):
        return None
    scaled = Decimal(number).scaleb(decimals)
    whole = int(scaled.to_integral_value())
    return whole if abs(scaled - whole) <= max(abs(scaled), Decimal(1)) * Decimal(FLOAT_STEPS) else None
