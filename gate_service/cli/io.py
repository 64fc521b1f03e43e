"""`gate io`: look at an I/O module and try its outputs, without a service.

Outputs are set only while no service owns the bus (one lease per bus). Which outputs move a boom only a site file
knows (`--config`); without one every output may, so setting any needs `--commissioning`.
"""

from __future__ import annotations

import asyncio
import contextlib
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from config.loader import load
from config.schema import SiteFile
from config.wiring import inputs_of, outputs_of
from devices.links.address import parse_modbus
from devices.links.lease import BusLease
from devices.links.modbus import ModbusBus
from devices.links.turns import Urgency
from devices.signals.points import ModulePoints
from devices.signals.profile import Profile, PulseKind, load_profile
from gate_service.cli.io_view import IoView, Names
from gate_service.cli.recording import recording
from gate_service.clock import RealClock
from gate_service.domain.errors import DeviceError, DeviceHeldError, InputError, LinkLostError

CONNECT_S: Final = 3.0
WATCH_S: Final = 0.2
PULSE_MS: Final = 500
LEVELS: Final = {"on", "off", "pulse"}
MOVES_BOOMS: Final = frozenset({"entry_raise", "entry_lower", "exit_raise", "exit_lower"})


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
    config: Path | None = None,
    record: Path | None = None,
    as_json: bool = False,
) -> int:
    """Show inputs and outputs once or on every change; set one output first if asked. 1 when the module fails.

    `config`: a site file that names the points. `record`: a new file for all that passes over the link.
    """
    address, chosen = parse_modbus(url), load_profile(profile)
    names = Names() if config is None else names_in(load(config).file, url)
    order = read_order(set_output, chosen) if set_output is not None else None
    if order is not None and not commissioning and _may_move_a_boom(order.output, names):
        raise InputError(
            f"--set {set_output}: this output may move a boom; --commissioning expected, by someone on site"
        )
    view = IoView(names, as_json=as_json)
    try:
        with recording(record, {"url": url, "profile": profile}) as capture, contextlib.suppress(KeyboardInterrupt):
            bus = _bus(url, order)
            if capture is not None:
                bus.on_packet = lambda data, at_s, is_sent: capture.add(data, at_s, is_sent=is_sent)
            asyncio.run(_look(address.unit, bus, chosen, order, view, is_watching=watch))
    except DeviceError as exc:
        view.show_end(exc)
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


def names_in(file: SiteFile, url: str) -> Names:
    """What a site file calls the points of the module at this address. Raises InputError where it has none there."""
    wanted = parse_modbus(url)
    modules = {
        module.name
        for module in file.modules
        if ((found := parse_modbus(module.url)).bus, found.unit) == (wanted.bus, wanted.unit)
    }
    if not modules:
        known = ", ".join(module.url for module in file.modules)
        raise InputError(f"--config: one of {known} expected, found {url}")
    lanes = [lane for lane in file.lanes if lane.module in modules]
    return Names(
        inputs={bit: f"{lane.id} {name}" for lane in lanes for name, bit in inputs_of(lane).items()},
        outputs={bit: f"{lane.id} {name}" for lane in lanes for name, bit in outputs_of(lane).items()},
        moves_booms=frozenset(bit for lane in lanes for name, bit in outputs_of(lane).items() if name in MOVES_BOOMS),
    )


def _may_move_a_boom(output: int, names: Names) -> bool:
    """Whatever a site file does not name may be wired to anything."""
    return output not in names.outputs or output in names.moves_booms


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
    unit: int, bus: ModbusBus, profile: Profile, order: Order | None, view: IoView, *, is_watching: bool
) -> None:
    async with bus:
        points = ModulePoints(bus.unit(unit), profile)
        await _connected(bus)
        if order is not None:
            await _carry_out(order, points, profile)
        while True:
            try:
                await view.look(bus.unit(unit), points, profile)
            except DeviceError as exc:
                if not is_watching:
                    raise
                view.show_fault(exc, bus.unit(unit))  # and go on: the one who watches is at the cabinet
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
