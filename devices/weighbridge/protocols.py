"""Every weighing protocol by its public name: how to make its decoder, its options, and how far it is to be trusted."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum

from devices.weighbridge import (
    cardinal,
    csv_family,
    mt_sics,
    rice_lake,
    rinstrum,
    sma,
    toledo_continuous,
    xk3190_a12,
    xk3190_command,
    xk3190_continuous,
    xk3190_equals,
)
from devices.weighbridge.frame import Decoder
from devices.weighbridge.polling import Poll
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
    """One protocol: makes its decoder from checked options. The first value of each option is its default.

    `poll` makes the question of an indicator that speaks only when asked, `zero` the command that zeroes it, each where
    the options switch that on.
    """

    create: Callable[[Mapping[str, str]], Decoder]
    options: Mapping[str, tuple[str, ...]]
    poll: Callable[[Mapping[str, str]], Poll | None] | None = None
    zero: Callable[[Mapping[str, str]], bytes | None] | None = None


PROTOCOLS: dict[str, WireProtocol] = {
    "xk3190-continuous": WireProtocol(xk3190_continuous.create, xk3190_continuous.OPTIONS),
    "xk3190-command": WireProtocol(xk3190_command.create, xk3190_command.OPTIONS, xk3190_command.poll),
    "xk3190-equals": WireProtocol(xk3190_equals.create, xk3190_equals.OPTIONS),
    "xk3190-a12": WireProtocol(xk3190_a12.create, xk3190_a12.OPTIONS),
    "toledo-continuous": WireProtocol(toledo_continuous.create, toledo_continuous.OPTIONS, zero=toledo_continuous.zero),
    "mt-sics": WireProtocol(mt_sics.create, mt_sics.OPTIONS, mt_sics.poll, mt_sics.zero),
    "sma": WireProtocol(sma.create, sma.OPTIONS, sma.poll, sma.zero),
    "csv": WireProtocol(csv_family.create, csv_family.OPTIONS, csv_family.poll, csv_family.zero),
    "rice-lake": WireProtocol(rice_lake.create, rice_lake.OPTIONS),
    "rinstrum": WireProtocol(rinstrum.create, rinstrum.OPTIONS),
    "cardinal": WireProtocol(cardinal.create, cardinal.OPTIONS, cardinal.poll),
}

QUALITY: dict[str, Quality] = {
    "xk3190-continuous": Quality(
        Mark.CAPTURE, "nine published captures of truck weighbridges; none with a minus sign or in overload"
    ),
    "xk3190-command": Quality(
        Mark.MANUAL, "questions from three manuals; weight answers from one program's test, no capture"
    ),
    "xk3190-equals": Quality(
        Mark.CAPTURE, "one capture behind a data radio (reversed-plain); the other forms from manuals"
    ),
    "xk3190-a12": Quality(Mark.CAPTURE, "wn lines captured twice; the checked WG, OL and LO lines from the manual"),
    "toledo-continuous": Quality(
        Mark.CAPTURE, "two field dumps, gross and at rest; net, minus, motion, out of range and dummy zero from manuals"
    ),
    "mt-sics": Quality(Mark.MANUAL, "manual examples and other programs' tests, no capture"),
    "sma": Quality(Mark.MANUAL, "manual examples of two makers, no capture"),
    "csv": Quality(
        Mark.CAPTURE, "live weighbridge and bench captures; states and the CAS lamp byte from manuals; no check at all"
    ),
    "rice-lake": Quality(Mark.MANUAL, "scoreboard, answer and print examples; of the indicator stream the layout only"),
    "rinstrum": Quality(Mark.MANUAL, "layout from the R320 manual, no example frame"),
    "cardinal": Quality(Mark.MANUAL, "layouts from the 200, 210 and 225 manuals, no example frame"),
}


def create(name: str, options: Mapping[str, str] | None = None) -> Decoder:
    """Make the decoder of a protocol. InputError names what is allowed when the name or an option is not."""
    protocol = PROTOCOLS.get(name)
    if protocol is None:
        raise InputError(
            f"weighing protocol {name!r} is not known; allowed: {', '.join(PROTOCOLS)}; "
            "modbus for `gate read` and a lane's weighbridge"
        )
    return protocol.create(_checked(name, protocol.options, options or {}))


def poll_of(name: str, options: Mapping[str, str] | None = None) -> Poll | None:
    """Return the question that the options ask to be sent, or None: listen only. InputError as in `create`."""
    create(name, options)
    protocol = PROTOCOLS[name]
    return protocol.poll(_checked(name, protocol.options, options or {})) if protocol.poll is not None else None


def zero_of(name: str, options: Mapping[str, str] | None = None) -> bytes | None:
    """Return what zeroes the indicator, or None: it has no such command, or the site has not switched it on."""
    create(name, options)
    protocol = PROTOCOLS[name]
    return protocol.zero(_checked(name, protocol.options, options or {})) if protocol.zero is not None else None


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
