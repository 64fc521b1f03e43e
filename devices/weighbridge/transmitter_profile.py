"""Weighing transmitters on Modbus: where weight and status stand in their registers, as data in `transmitters/*.json`.

One file per make, each with its sources; makes whose sources contradict each other, or leave out what tells a weight
from a fault, have none (`docs/protocols/modbus.md`). Addresses are PDU addresses, counted from 0.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from importlib.resources import files
from typing import Any, Final

from gate_service.domain.errors import InputError

FOLDER: Final = files("devices.weighbridge") / "transmitters"
BITS: Final = 16


class Kind(StrEnum):
    """How the weight stands in its two registers."""

    SIGNED = "s32"
    UNSIGNED = "u32"  # the sign stands in a bit of the status
    FLOAT = "f32"


@dataclass(frozen=True, slots=True)
class Bit:
    """One bit of the answer: register offset within it, and bit number (0 is the lowest)."""

    at: int
    bit: int


@dataclass(frozen=True, slots=True)
class Bits:
    """A small number inside one register: decimals."""

    at: int
    shift: int
    mask: int


@dataclass(frozen=True, slots=True)
class Transmitter:
    """One make. Everything is read in one request, so that weight and status belong together.

    Offsets (`at`) count from `base`. `stable` names a bit that is 1 at rest, `moving` one that is 1 in motion; with
    neither, stability is computed. `decimals` None: the site says how many (option `decimals`).
    """

    name: str
    title: str
    sources: tuple[str, ...]
    are_inputs: bool  # function 4 instead of 3
    base: int
    count: int
    weight_at: int
    weight_kind: Kind
    high_word_first: bool
    minus: Bit | None
    net: Bit | None  # 1: the weight read is a net weight; None: it is always the gross
    stable: Bit | None
    moving: Bit | None
    error: tuple[Bit, ...]
    overload: tuple[Bit, ...]
    underload: tuple[Bit, ...]
    out_of_range: tuple[Bit, ...]
    decimals: Bits | None
    heartbeat_at: int | None
    notes: str


def transmitter_names() -> list[str]:
    """Every profile there is."""
    return sorted(entry.name.removesuffix(".json") for entry in FOLDER.iterdir() if entry.name.endswith(".json"))


@cache
def load_transmitter(name: str) -> Transmitter:
    """Read a profile by its name. Raises InputError with the names there are, or with what is wrong in the file."""
    if name not in transmitter_names():
        raise InputError(f"option profile: one of {', '.join(transmitter_names())} expected, found {name!r}")
    return read_transmitter(name, json.loads((FOLDER / f"{name}.json").read_text(encoding="utf-8")))


def read_transmitter(name: str, document: Mapping[str, Any]) -> Transmitter:
    """Check one profile document. Raises InputError."""
    try:
        weight, decimals = document["weight"], document.get("decimals")
        profile = Transmitter(
            name=name,
            title=document["title"],
            sources=tuple(document["sources"]),
            are_inputs=document["area"] == "input_register",
            base=document["base"],
            count=document["count"],
            weight_at=weight["at"],
            weight_kind=Kind(weight["kind"]),
            high_word_first=weight["high_word_first"],
            minus=_bit(document.get("minus")),
            net=_bit(document.get("net")),
            stable=_bit(document.get("stable")),
            moving=_bit(document.get("moving")),
            error=_bits(document, "error"),
            overload=_bits(document, "overload"),
            underload=_bits(document, "underload"),
            out_of_range=_bits(document, "out_of_range"),
            decimals=Bits(**decimals) if decimals else None,
            heartbeat_at=document.get("heartbeat_at"),
            notes=document["notes"],
        )
    except (KeyError, TypeError, ValueError) as exc:
        raise InputError(f"transmitter profile {name}: {exc!r}") from None
    _check(profile)
    return profile


def _check(profile: Transmitter) -> None:
    """Refuse a profile that could misread: everything inside the one request, a sign for what is unsigned."""
    single = (profile.minus, profile.net, profile.stable, profile.moving)
    bits = [*(bit for bit in single if bit), *profile.error, *profile.overload, *profile.underload]
    places = [bit.at for bit in (*bits, *profile.out_of_range)] + [profile.weight_at, profile.weight_at + 1]
    places += [] if profile.decimals is None else [profile.decimals.at]
    places += [] if profile.heartbeat_at is None else [profile.heartbeat_at]
    if not all(0 <= place < profile.count for place in places):
        raise InputError(f"transmitter profile {profile.name}: places within the {profile.count} registers expected")
    if any(not 0 <= bit.bit < BITS for bit in (*bits, *profile.out_of_range)):
        raise InputError(f"transmitter profile {profile.name}: bits of 0 to 15 expected")
    if (profile.weight_kind is Kind.UNSIGNED) is (profile.minus is None):
        raise InputError(f"transmitter profile {profile.name}: a sign bit expected exactly where the weight is u32")
    if profile.stable and profile.moving:
        raise InputError(f"transmitter profile {profile.name}: one of stable and moving expected, found both")


def _bit(document: Mapping[str, Any] | None) -> Bit | None:
    return None if document is None else Bit(**document)


def _bits(document: Mapping[str, Any], key: str) -> tuple[Bit, ...]:
    return tuple(Bit(**one) for one in document.get(key, ()))
