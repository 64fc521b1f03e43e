"""Which drivers there are, by name, and whether settings would do, without opening anything."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from devices.barrier.barrier import IoBarrier
from devices.links.address import parse_line, parse_modbus
from devices.links.modbus import ModbusBus
from devices.signals.lights import IoSignals
from devices.signals.module import IoModule, ModuleSettings
from devices.signals.profile import load_profile
from devices.weighbridge import protocols
from devices.weighbridge.driver import WeighbridgeDriver
from gate_service.domain.ports import Clock

DRIVERS: Final[Mapping[str, type]] = {
    "weighbridge": WeighbridgeDriver,
    "io_module": IoModule,
    "io_barrier": IoBarrier,
    "io_signals": IoSignals,
}


def check_module(url: str, profile: str) -> None:
    """Raise InputError when an I/O module could not be made from these."""
    parse_modbus(url)
    load_profile(profile)


def check_weighbridge(protocol: str, port: str, options: Mapping[str, str]) -> None:
    """Raise InputError when a weighbridge could not be made from these."""
    protocols.poll_of(protocol, options)
    parse_line(port)


def make_modules(settings: Sequence[ModuleSettings], clock: Clock) -> tuple[dict[str, IoModule], list[ModbusBus]]:
    """Make the modules by name. Units of one bus share it; those buses come too, to be entered before the modules."""
    addresses = [parse_modbus(one.url) for one in settings]
    names = [address.bus for address in addresses]
    shared: dict[str, ModbusBus] = {}
    for one, address in zip(settings, addresses, strict=True):
        if names.count(address.bus) > 1 and address.bus not in shared:
            shared[address.bus] = ModbusBus(address, clock, timeout_s=one.timeout_s)
    modules = {
        one.name: IoModule(one, clock, shared.get(address.bus))
        for one, address in zip(settings, addresses, strict=True)
    }
    return modules, list(shared.values())
