"""Which drivers there are, by name, and whether settings would do, without opening anything."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from devices.barrier.barrier import IoBarrier
from devices.links.address import parse_line, parse_modbus
from devices.links.modbus import TIMEOUT_S, ModbusBus
from devices.signals.lights import IoSignals
from devices.signals.module import IoModule, ModuleSettings
from devices.signals.profile import load_profile
from devices.weighbridge import protocols, transmitter, transmitter_decoder
from devices.weighbridge.driver import WeighbridgeDriver
from devices.weighbridge.settings import WeighbridgeSettings
from devices.weighbridge.transmitter import TransmitterDriver
from gate_service.domain.ports import Clock, LaneSink

DRIVERS: Final[Mapping[str, type]] = {
    "weighbridge": WeighbridgeDriver,
    "weighing_transmitter": TransmitterDriver,
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
    if protocol == transmitter.PROTOCOL:
        transmitter_decoder.create(options)
        parse_modbus(port)
        return
    protocols.poll_of(protocol, options)
    parse_line(port)


def shared_buses(
    modules: Sequence[ModuleSettings], weighbridges: Sequence[WeighbridgeSettings], clock: Clock
) -> dict[str, ModbusBus]:
    """Make one bus, by its name, for each line on which several units are; enter them before their units."""
    addresses = [parse_modbus(one.url) for one in modules]
    addresses += [parse_modbus(one.port) for one in weighbridges if one.protocol == transmitter.PROTOCOL]
    names = [address.bus for address in addresses]
    timeouts = {address.bus: one.timeout_s for one, address in zip(modules, addresses, strict=False)}
    shared: dict[str, ModbusBus] = {}
    for address in addresses:
        if names.count(address.bus) > 1 and address.bus not in shared:
            shared[address.bus] = ModbusBus(address, clock, timeout_s=timeouts.get(address.bus, TIMEOUT_S))
    return shared


def make_modules(
    settings: Sequence[ModuleSettings], clock: Clock, buses: Mapping[str, ModbusBus]
) -> dict[str, IoModule]:
    """Make the modules by name, on their shared bus where there is one."""
    return {one.name: IoModule(one, clock, buses.get(parse_modbus(one.url).bus)) for one in settings}


def make_weighbridge(
    settings: WeighbridgeSettings, clock: Clock, sink: LaneSink, buses: Mapping[str, ModbusBus]
) -> WeighbridgeDriver | TransmitterDriver:
    """Make the driver of an indicator on a serial line, or of a transmitter on Modbus. InputError: bad settings."""
    if settings.protocol == transmitter.PROTOCOL:
        return TransmitterDriver(settings, clock, sink, buses.get(parse_modbus(settings.port).bus))
    return WeighbridgeDriver(settings, clock, sink)
