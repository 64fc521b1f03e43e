"""Mistakes in how a site's lanes are wired to its I/O modules: numbers a module does not have, wires used twice, inputs
whose broken wire would look like a free lane.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from config.schema import Lane, Module, SiteFile
from devices.links.address import ModbusAddress, parse_modbus
from devices.signals.profile import Profile, load_profile
from gate_service.domain.errors import InputError

SHARED = frozenset({"fire", "power_ok", "power_fail"})
"""One wire may serve several lanes."""

UNDER_BOOM = {"entry": ("entry_loop", "entry_beam"), "exit": ("exit_beam", "exit_loop")}
"""As `lanes.interlocks.UNDER_BOOM`: what must be clear before the service lowers."""


def wiring_problems(file: SiteFile) -> list[str]:
    """Every mistake, with its place. Modules whose url or profile is wrong are told elsewhere and passed over here."""
    profiles = dict(_profiles(file.modules))
    problems = [*_bus_problems(file.modules), *_used_twice(file)]
    for index, lane in enumerate(file.lanes):
        place = f"lanes.{index} ({lane.id})"
        profile = profiles.get(lane.module)
        if profile is not None:
            problems += [f"{place}: {problem}" for problem in _out_of_range(lane, profile)]
        problems += [f"{place}: {problem}" for problem in _contact_problems(lane)]
    return problems


def inputs_of(lane: Lane) -> dict[str, int]:
    """Every input of a lane by its name in the file, second contacts among them."""
    own = {name: bit for name, bit in lane.inputs.model_dump(exclude={"queue"}).items() if bit is not None}
    queue = {f"queue.{place}": bit for place, bit in enumerate(lane.inputs.queue)}
    second = lane.second_contacts.model_dump().items()
    return own | queue | {f"second_contacts.{name}": bit for name, bit in second if bit is not None}


def outputs_of(lane: Lane) -> dict[str, int]:
    """Every output of a lane by its name in the file."""
    return {name: bit for name, bit in lane.outputs.model_dump().items() if bit is not None}


def _profiles(modules: list[Module]) -> Iterator[tuple[str, Profile]]:
    for module in modules:
        try:
            yield module.name, load_profile(module.profile)
        except InputError:
            continue


def _addresses(modules: list[Module]) -> Iterator[tuple[Module, ModbusAddress]]:
    for module in modules:
        try:
            yield module, parse_modbus(module.url)
        except InputError:
            continue


def _bus_problems(modules: list[Module]) -> list[str]:
    addresses = list(_addresses(modules))
    units = Counter((address.bus, address.unit) for _, address in addresses)
    problems = [
        f"modules: unit {unit} at {bus} is given {count} times, one module for each unit expected"
        for (bus, unit), count in units.items()
        if count > 1
    ]
    for bus in {address.bus for _, address in addresses}:
        links = {(address.line, address.is_rtu) for _, address in addresses if address.bus == bus}
        if len(links) > 1:
            names = [module.name for module, address in addresses if address.bus == bus]
            problems.append(f"modules: {', '.join(names)} share {bus}: the same kind and line settings expected")
    return problems


def _out_of_range(lane: Lane, profile: Profile) -> list[str]:
    found = [("inputs", inputs_of(lane), profile.inputs_count), ("outputs", outputs_of(lane), profile.outputs_count)]
    problems = [
        f"{kind}.{name}: 0 to {count - 1} expected on {profile.name}, found {bit}"
        for kind, bits, count in found
        for name, bit in bits.items()
        if bit >= count
    ]
    longest_ms = profile.pulse.longest_ms
    if longest_ms is not None and lane.barriers.pulse_ms > longest_ms:
        found_ms = lane.barriers.pulse_ms
        problems.append(f"barriers.pulse_ms: at most {longest_ms} expected on {profile.name}, found {found_ms}")
    return problems


def _contact_problems(lane: Lane) -> list[str]:
    inputs, second = lane.inputs.model_dump(), lane.second_contacts.model_dump()
    problems = [
        f"normally_closed: {name} has no input of its own" for name in lane.normally_closed if inputs[name] is None
    ]
    problems += [
        f"second_contacts.{name}: inputs.{name} expected too"
        for name, bit in second.items()
        if bit is not None and inputs[name] is None
    ]
    if lane.barriers.closing == "service" and inputs["power_ok"] is None:
        under = {name for side in UNDER_BOOM for name in UNDER_BOOM[side] if inputs[name] is not None}
        bare = sorted(name for name in under if name not in lane.normally_closed and second[name] is None)
        if bare:
            problems.append(
                f"inputs.power_ok: expected, or normally_closed for {', '.join(bare)}: "
                "else a module without field power shows a free lane under a boom that this service lowers"
            )
    return problems


def _used_twice(file: SiteFile) -> list[str]:
    problems = []
    for kind, bits_of in (("inputs", inputs_of), ("outputs", outputs_of)):
        used: dict[tuple[str, int], list[str]] = {}
        for lane in file.lanes:
            for name, bit in bits_of(lane).items():
                if name not in SHARED:
                    used.setdefault((lane.module, bit), []).append(f"{lane.id}.{name}")
        problems += [
            f"{kind}: bit {bit} of {module} is used by {' and '.join(users)}, once expected"
            for (module, bit), users in used.items()
            if len(users) > 1
        ]
    return problems
