"""What `gate io` shows of a module: its points, the last bytes, what was thrown away and why, and its safe state."""

from __future__ import annotations

import json
import sys
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from devices.links.modbus_unit import ModbusUnit
from devices.signals.points import ModulePoints
from devices.signals.profile import Profile
from gate_service.clock import RealClock
from gate_service.domain.errors import DeviceError, DeviceRefusedError


@dataclass(frozen=True, slots=True)
class Names:
    """What a site file calls the points of one module; empty without one."""

    inputs: Mapping[int, str] = field(default_factory=dict)
    outputs: Mapping[int, str] = field(default_factory=dict)
    moves_booms: frozenset[int] = frozenset()


class IoView:
    """Prints a look when it differs from the one before, and every fault once."""

    def __init__(self, names: Names, *, as_json: bool) -> None:
        self._names = names
        self._as_json = as_json
        self._shown: object = None
        self._counts: tuple[int, int] | None = None
        self._unsafe: str | None = None

    async def look(self, unit: ModbusUnit, points: ModulePoints, profile: Profile) -> None:
        """Read everything and show it. Raises DeviceError."""
        if self._counts is None:
            self._unsafe = await _unsafe(points)
            outputs = await _readable(points.read_outputs, profile.outputs_count)
            self._counts = await _readable(points.read_inputs, profile.inputs_count), outputs
        inputs, outputs = self._counts
        bits = {"inputs": await points.read_inputs(inputs), "outputs": await points.read_outputs(outputs)}
        if bits == self._shown:
            return
        self._shown = bits
        is_confirmed = self._unsafe is None if profile.safe_state_checks or self._unsafe else None
        self._show(bits, unit, is_confirmed)

    def show_fault(self, failure: DeviceError, unit: ModbusUnit) -> None:
        """Say what stands in the way, once; nothing is known of the module from here on."""
        if self._shown == failure.code:
            return
        self._shown, self._counts = failure.code, None
        said = {"code": failure.code, "message": str(failure)}
        if self._as_json:
            _line({"kind": "fault", "at": RealClock().now().isoformat(), "error": said, **_link(unit)})
        else:
            print(f"{RealClock().now().isoformat(timespec='milliseconds')}  {failure.code}: {failure}", flush=True)

    def show_end(self, failure: DeviceError) -> None:
        """Say why nothing can be shown at all."""
        said = {"error": {"code": failure.code, "message": str(failure)}}
        print(json.dumps(said) if self._as_json else failure, file=sys.stderr)

    def _show(self, bits: Mapping[str, Sequence[bool] | None], unit: ModbusUnit, is_confirmed: bool | None) -> None:
        at, link = RealClock().now(), _link(unit)
        if self._as_json:
            levels = {name: None if row is None else [int(bit) for bit in row] for name, row in bits.items()}
            safe = {"confirmed": is_confirmed, "because": self._unsafe}
            _line({"kind": "points", "taken_at": at.isoformat(), **levels, "safe_state": safe, **link})
            return
        print(at.isoformat(timespec="milliseconds"))
        for name, row in bits.items():
            text = "cannot be read back" if row is None else " ".join(str(int(bit)) for bit in row)
            print(f"  {name:<10} {text}")
            names = self._names.inputs if name == "inputs" else self._names.outputs
            for number in sorted(number for number in names if row is not None and number < len(row)):
                print(f"    {number:>3} {names[number]:<28} {int((row or ())[number])}")
        state = {True: "confirmed", False: "NOT confirmed", None: "unknown: this module cannot be asked"}[is_confirmed]
        print(f"  safe state {state}{f': {self._unsafe}' if self._unsafe else ''}")
        print(f"  sent       {link['last_sent']}\n  received   {link['last_received']}")
        rejects = ", ".join(f"{reason} {count}" for reason, count in link["rejects"].items()) or "none"
        print(f"  rejected   {rejects}", flush=True)


def _link(unit: ModbusUnit) -> dict[str, Any]:
    last_s = unit.last_good_monotonic_s
    return {
        "age_ms": None if last_s is None else int((RealClock().monotonic_s() - last_s) * 1000),
        "rejects": dict(unit.rejects),
        "last_sent": unit.sent.hex(),
        "last_received": unit.received.hex(),
    }


def _line(fields: Mapping[str, Any]) -> None:
    print(json.dumps(fields), flush=True)


async def _unsafe(points: ModulePoints) -> str | None:
    try:
        return await points.find_unsafe()
    except DeviceRefusedError as exc:
        return str(exc)


async def _readable(read: Callable[[int], Awaitable[object]], most: int) -> int:
    """How many points a modular coupler has: asking for more is refused. Raises DeviceError if none can be read."""
    if await _is_read(read, most):
        return most
    least, too_many = 1, most
    await read(least)
    while too_many - least > 1:
        middle = (least + too_many) // 2
        if await _is_read(read, middle):
            least = middle
        else:
            too_many = middle
    return least


async def _is_read(read: Callable[[int], Awaitable[object]], count: int) -> bool:
    try:
        await read(count)
    except DeviceRefusedError:
        return False
    return True
