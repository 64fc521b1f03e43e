"""`gate io`: look at an I/O module and try its outputs, without a service.

Outputs are set only while no service owns the bus (one lease per bus). Which outputs move a boom only a site file
knows; without one every output may, so setting any needs `--commissioning`.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import sys
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Final

from devices.links.address import parse_modbus
from devices.links.lease import BusLease
from devices.links.modbus import ModbusBus
from devices.links.turns import Urgency
from devices.signals.points import ModulePoints
from devices.signals.profile import Profile, PulseKind, load_profile
from gate_service.cli.recording import recording
from gate_service.clock import RealClock
from gate_service.domain.errors import DeviceError, DeviceHeldError, DeviceRefusedError, InputError, LinkLostError

CONNECT_S: Final = 3.0
WATCH_S: Final = 0.2
PULSE_MS: Final = 500
LEVELS: Final = {"on", "off", "pulse"}


@dataclass(frozen=True, slots=True)
class Order:
    """One output to set."""

    output: int
    level: str


def run(
    url: str,
    *,
    profile: str,
    watch: bool,
    set_output: str | None,
    commissioning: bool,
    record: Path | None = None,
    as_json: bool = False,
) -> int:
    """Show inputs and outputs once or on every change; set one output first if asked. 1 when the module fails.

    `record`: a new file for all that passes over the link.
    """
    address, chosen = parse_modbus(url), load_profile(profile)
    order = read_order(set_output, chosen) if set_output is not None else None
    if order is not None and not commissioning:
        raise InputError(
            f"--set {set_output}: this output may move a boom; --commissioning expected, by someone on site"
        )
    try:
        with recording(record, {"url": url, "profile": profile}) as capture, contextlib.suppress(KeyboardInterrupt):
            bus = _bus(url, order)
            if capture is not None:
                bus.on_packet = lambda data, at_s, is_sent: capture.add(data, at_s, is_sent=is_sent)
            asyncio.run(_look(address.unit, bus, chosen, order, is_watching=watch, as_json=as_json))
    except DeviceError as exc:
        print(json.dumps({"error": {"code": exc.code, "message": str(exc)}}) if as_json else exc, file=sys.stderr)
        return 1
    return 0


def read_order(text: str, profile: Profile) -> Order:
    """Read `OUTPUT=on`, `OUTPUT=off` or `OUTPUT=pulse`. Raises InputError."""
    number, _, level = text.partition("=")
    is_output = number.isascii() and number.isdigit() and int(number) < profile.outputs_count
    if not is_output or level not in LEVELS:
        most = profile.outputs_count - 1
        raise InputError(f"--set: 0 to {most} = {', '.join(sorted(LEVELS))} expected, found {text!r}")
    return Order(int(number), level)


def _bus(url: str, order: Order | None) -> ModbusBus:
    """Own the bus; only looking is allowed beside a service, on a bus that takes several clients."""
    address = parse_modbus(url)
    lease = BusLease(address.bus)
    try:
        lease.take()
    except DeviceHeldError as exc:
        if order is not None or address.line is not None:
            raise
        print(f"{exc}; only looking", file=sys.stderr)
        return ModbusBus(address, RealClock(), is_looking=True)
    lease.give_back()
    return ModbusBus(address, RealClock())


async def _look(
    unit: int, bus: ModbusBus, profile: Profile, order: Order | None, *, is_watching: bool, as_json: bool
) -> None:
    async with bus:
        points = ModulePoints(bus.unit(unit), profile)
        await _connected(bus)
        if order is not None:
            await _carry_out(order, points, profile)
        inputs_count = await _inputs_there(points, profile.inputs_count)
        shown: dict[str, Any] = {}
        while True:
            outputs = await points.read_outputs(profile.outputs_count)
            facts = {"inputs": await points.read_inputs(inputs_count), "outputs": outputs}
            if facts != shown:
                shown = facts
                _print(facts, RealClock().now(), as_json=as_json)
            if not is_watching:
                return
            await asyncio.sleep(WATCH_S)


async def _connected(bus: ModbusBus) -> None:
    """Wait for the connection. Raises what stood in its way."""
    try:
        await asyncio.wait_for(bus.wait_open(), CONNECT_S)
    except TimeoutError:
        raise LinkLostError(f"{bus.name}: not connected within {CONNECT_S:g} s: {bus.fault}") from None


async def _carry_out(order: Order, points: ModulePoints, profile: Profile) -> None:
    if order.level == "pulse" and profile.pulse.kind is not PulseKind.HOST_TIMED:
        await points.write_timed_pulse(order.output, PULSE_MS)
        return
    await points.write_output(order.output, is_on=order.level != "off", urgency=Urgency.COMMAND)
    if order.level == "pulse":
        try:
            await asyncio.sleep(PULSE_MS / 1000)
        finally:
            await points.write_output(order.output, is_on=False, urgency=Urgency.COMMAND)


async def _inputs_there(points: ModulePoints, most: int) -> int:
    """How many inputs a modular coupler has: fewer than the profile's most answer with an exception."""
    count = most
    while True:
        try:
            await points.read_inputs(count)
        except DeviceRefusedError:
            if count == 1:
                raise
            count //= 2
        else:
            return count


def _print(facts: dict[str, Any], at: datetime, *, as_json: bool) -> None:
    if as_json:
        levels = {name: None if bits is None else [int(bit) for bit in bits] for name, bits in facts.items()}
        print(json.dumps({"kind": "points", "taken_at": at.isoformat(), **levels}), flush=True)
        return
    print(at.isoformat(timespec="milliseconds"))
    for name, bits in facts.items():
        levels_text = "cannot be read back" if bits is None else " ".join(str(int(bit)) for bit in bits)
        print(f"  {name:<8} {levels_text}", flush=True)
