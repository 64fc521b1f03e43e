"""Every weighing protocol by its public name: how to make its decoder, its options, and how far it is to be trusted."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum

from devices.weighbridge import xk3190_continuous
from devices.weighbridge.frame import Decoder
from gate_service.domain.errors import InputError


class Mark(StrEnum):
    """How surely a decoder is known to read what devices in the field send."""

    HARDWARE = "verified on hardware"
    CAPTURE = "verified on a capture"
    MANUAL = "from the manual only"


@dataclass(frozen=True, slots=True)
class Quality:
    """The quality card: the mark, and what it rests on or leaves open."""

    mark: Mark
    note: str


@dataclass(frozen=True, slots=True)
class WireProtocol:
    """One protocol: makes its decoder from checked options. The first value of each option is its default."""

    create: Callable[[Mapping[str, str]], Decoder]
    options: Mapping[str, tuple[str, ...]]


PROTOCOLS: dict[str, WireProtocol] = {
    "xk3190-continuous": WireProtocol(xk3190_continuous.create, xk3190_continuous.OPTIONS),
}

QUALITY: dict[str, Quality] = {
    "xk3190-continuous": Quality(
        Mark.CAPTURE, "nine published captures of truck weighbridges; none with a minus sign or in overload"
    ),
}


def create(name: str, options: Mapping[str, str] | None = None) -> Decoder:
    """Make the decoder of a protocol. InputError names what is allowed when the name or an option is not."""
    protocol = PROTOCOLS.get(name)
    if protocol is None:
        raise InputError(f"weighing protocol {name!r} is not known; allowed: {', '.join(PROTOCOLS)}")
    return protocol.create(_checked(name, protocol.options, options or {}))


def _checked(name: str, allowed: Mapping[str, tuple[str, ...]], given: Mapping[str, str]) -> dict[str, str]:
    """Return the options given, completed by the defaults."""
    chosen = {key: values[0] for key, values in allowed.items()}
    for key, value in given.items():
        if key not in allowed:
            names = ", ".join(allowed) or "none"
            raise InputError(f"protocol {name}: option {key!r} is not known; allowed: {names}")
        if value not in allowed[key]:
            raise InputError(f"protocol {name}: option {key} is {value!r}; allowed: {', '.join(allowed[key])}")
        chosen[key] = value
    return chosen
