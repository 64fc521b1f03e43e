"""What differs between I/O modules, as data: one JSON file per module in `profiles/`, each with its sources."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from importlib.resources import files
from typing import Any, Final

from gate_service.domain.errors import InputError

QUALITY: Final[Mapping[str, str]] = {
    "hardware": "verified on hardware",
    "capture": "verified on a capture",
    "manual": "from the manual only",
}
"""The quality card: how surely a profile is known to be that of the devices in the field."""

PROFILE_FOLDER: Final = files("devices.signals") / "profiles"


class Area(StrEnum):
    """The four Modbus tables. In the register tables one register holds one input or output, 0 or not 0."""

    DISCRETE = "discrete"
    COIL = "coil"
    HOLDING = "holding"
    INPUT_REGISTER = "input_register"


class PulseKind(StrEnum):
    """Who ends a pulse. A pulse the board times ends even if this service dies."""

    HOST_TIMED = "host_timed"  # on, wait, off
    TIMED_COIL = "timed_coil"  # function 5 at `base` + output with the time as value
    TIMED_REGISTERS = "timed_registers"  # function 16 at `base` + `stride` * output: `mode`, time


@dataclass(frozen=True, slots=True)
class Pulse:
    """How the module pulses an output. `unit_ms` is the board's time unit."""

    kind: PulseKind = PulseKind.HOST_TIMED
    base: int = 0
    stride: int = 1
    mode: int = 0
    unit_ms: int = 100
    longest_units: int = 0

    @property
    def longest_ms(self) -> int | None:
        """The longest pulse that the board times; None where this service times it."""
        return None if self.kind is PulseKind.HOST_TIMED else self.unit_ms * self.longest_units


@dataclass(frozen=True, slots=True)
class Check:
    """One register read back at start, and the range in which the module is safe when we fall silent."""

    area: Area
    address: int
    least: int
    most: int
    says: str


@dataclass(frozen=True, slots=True)
class Restart:
    """How a watchdog that ran out is started again: `register` := `value` while `status` reads `expired`."""

    status: int
    expired: int
    register: int
    value: int


@dataclass(frozen=True, slots=True)
class Profile:
    """One kind of I/O module. Addresses are PDU addresses, counted from 0, not the printed 00017 style.

    `safe_state_checks` empty: what the outputs do when we fall silent cannot be read from this module.
    `own_logic_checks`: whether the board lets its inputs drive its outputs, against us; passing them confirms nothing.
    """

    name: str
    title: str
    quality: str
    sources: tuple[str, ...]
    inputs_area: Area
    inputs_base: int
    inputs_count: int
    outputs_area: Area
    outputs_base: int
    outputs_count: int
    readback_area: Area | None
    readback_base: int
    on_value: int
    off_value: int
    pulse: Pulse
    safe_state_checks: tuple[Check, ...]
    own_logic_checks: tuple[Check, ...]
    watchdog_restart: Restart | None
    notes: str


def profile_names() -> list[str]:
    """Every profile there is."""
    return sorted(
        entry.name.removesuffix(".json") for entry in PROFILE_FOLDER.iterdir() if entry.name.endswith(".json")
    )


@cache
def load_profile(name: str) -> Profile:
    """Read a profile by its name. Raises InputError with the names there are."""
    if name not in profile_names():
        raise InputError(f"I/O module profile: one of {', '.join(profile_names())} expected, found {name!r}")
    document = json.loads((PROFILE_FOLDER / f"{name}.json").read_text(encoding="utf-8"))
    try:
        return _profile(name, document)
    except (KeyError, TypeError, ValueError) as exc:
        raise InputError(f"I/O module profile {name}: {exc!r}") from None


def _profile(name: str, document: Mapping[str, Any]) -> Profile:
    inputs, outputs = document["inputs"], document["outputs"]
    readback = outputs.get("readback")
    restart = document.get("watchdog_restart")
    pulse = dict(document.get("pulse", {"kind": "host_timed"}))
    return Profile(
        name=name,
        title=document["title"],
        quality=QUALITY[document["quality"]],
        sources=tuple(document["sources"]),
        inputs_area=Area(inputs["area"]),
        inputs_base=inputs["base"],
        inputs_count=inputs["count"],
        outputs_area=Area(outputs["area"]),
        outputs_base=outputs["base"],
        outputs_count=outputs["count"],
        readback_area=Area(readback["area"]) if readback else None,
        readback_base=readback["base"] if readback else 0,
        on_value=outputs["on_value"],
        off_value=outputs["off_value"],
        pulse=Pulse(PulseKind(pulse.pop("kind")), **pulse),
        safe_state_checks=_checks(document, "safe_state_checks"),
        own_logic_checks=_checks(document, "own_logic_checks"),
        watchdog_restart=(
            Restart(restart["status"], restart["expired"], restart["register"], restart["value"]) if restart else None
        ),
        notes=document["notes"],
    )


def _checks(document: Mapping[str, Any], key: str) -> tuple[Check, ...]:
    """The checks under a key; `count` neighbouring registers are as many checks."""
    return tuple(
        Check(Area(check["area"]), check["address"] + place, check["least"], check["most"], check["says"])
        for check in document.get(key, [])
        for place in range(check.get("count", 1))
    )
