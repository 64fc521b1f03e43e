"""A module's inputs and outputs as numbers from 0, whatever tables its profile puts them in."""

from __future__ import annotations

from devices.links.modbus_unit import ModbusUnit
from devices.links.order import Order
from devices.links.turns import Urgency
from devices.signals.profile import Area, Profile, PulseKind


class ModulePoints:
    """Reads and writes the points of one module. Every call is one request; all raise DeviceError."""

    def __init__(self, unit: ModbusUnit, profile: Profile) -> None:
        self._unit = unit
        self._profile = profile

    async def read_inputs(self, count: int) -> tuple[bool, ...]:
        """Read the first `count` inputs in one request, so that they belong together."""
        return await self._read(self._profile.inputs_area, self._profile.inputs_base, count)

    async def read_outputs(self, count: int) -> tuple[bool, ...] | None:
        """Read the first `count` outputs as the module has them; None where it cannot be asked."""
        if self._profile.readback_area is None:
            return None
        return await self._read(self._profile.readback_area, self._profile.readback_base, count)

    async def write_output(self, output: int, *, is_on: bool, urgency: Urgency, order: Order | None = None) -> None:
        """Set one output once; its echo is compared."""
        profile = self._profile
        value = profile.on_value if is_on else profile.off_value
        write = self._unit.write_coil if profile.outputs_area is Area.COIL else self._unit.write_register
        await write(profile.outputs_base + output, value, urgency=urgency, order=order)

    async def write_timed_pulse(
        self,
        output: int,
        pulse_ms: int,
        *,
        urgency: Urgency = Urgency.COMMAND,
        order: Order | None = None,
    ) -> None:
        """Have the board switch one output on and, after the time, off by itself."""
        pulse = self._profile.pulse
        time = min(max(1, -(-pulse_ms // pulse.unit_ms)), pulse.longest_units)
        address = pulse.base + pulse.stride * output
        if pulse.kind is PulseKind.TIMED_COIL:
            await self._unit.write_coil(address, time, urgency=urgency, order=order)
        else:
            values = [pulse.mode, time]
            await self._unit.write_registers(address, values, urgency=urgency, order=order)

    async def restart_watchdog(self) -> bool:
        """Start the module's watchdog again if it ran out while we were silent; it refuses writes until then."""
        restart = self._profile.watchdog_restart
        if restart is None or (await self._unit.read_registers(restart.status, 1)) != (restart.expired,):
            return False
        await self._unit.write_register(restart.register, restart.value)
        return True

    async def find_unsafe(self) -> str | None:
        """Read the safe state back: the first finding that is not safe, or None when all hold."""
        for check in (*self._profile.safe_state_checks, *self._profile.own_logic_checks):
            is_input = check.area is Area.INPUT_REGISTER
            (found,) = await self._unit.read_registers(check.address, 1, are_inputs=is_input)
            if not check.least <= found <= check.most:
                expected = f"{check.least} to {check.most}" if check.least != check.most else str(check.least)
                return f"register {check.address:#06x}: {expected} expected, found {found} ({check.says})"
        return None

    async def _read(self, area: Area, base: int, count: int) -> tuple[bool, ...]:
        if area in {Area.DISCRETE, Area.COIL}:
            return await self._unit.read_bits(base, count, are_coils=area is Area.COIL)
        registers = await self._unit.read_registers(base, count, are_inputs=area is Area.INPUT_REGISTER)
        return tuple(register != 0 for register in registers)
