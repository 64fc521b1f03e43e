"""One unit on a Modbus bus: typed questions, every answer checked against its question, counters and last bytes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import TYPE_CHECKING

from devices.links.order import Order
from devices.links.recorder import LastBytes
from devices.links.turns import Urgency
from gate_service.domain.errors import EchoMismatchError

if TYPE_CHECKING:
    from devices.links.modbus import ModbusBus


class ModbusUnit:
    """Made by `ModbusBus.unit`; one object for each unit."""

    def __init__(self, bus: ModbusBus, number: int) -> None:
        self._bus = bus
        self.number = number
        self.rejects: Counter[str] = Counter()
        self.sent = LastBytes()
        self.received = LastBytes()
        self.last_good_monotonic_s: float | None = None
        self.failures = 0  # exchanges that failed; a command that waited during one is not sent
        self.has_late_bytes = False  # something came after the time its answer was waited for

    def keep_line_free(self, for_s: float) -> None:
        """Let no unit of the bus be polled for so long, or until the next command: one is about to come."""
        self._bus.turns.keep_free(for_s)

    async def read_bits(
        self, address: int, count: int, *, are_coils: bool, urgency: Urgency = Urgency.POLL
    ) -> tuple[bool, ...]:
        """Read coils or discrete inputs in one request. Raises LinkLostError or DeviceRefusedError."""
        packed = await self._bus.ask_bits(self, address, count, are_coils=are_coils, urgency=urgency)
        if packed is None or len(packed) != (count + 7) // 8:
            found = "an inconsistent length" if packed is None else f"{len(packed)} bytes"
            expected = f"{(count + 7) // 8} bytes for {count} bits expected"
            self._bus.distrust(self, "short_answer", f"{expected}, found {found}")
        self._bus.answered(self)
        return tuple(bool(packed[i // 8] >> (i % 8) & 1) for i in range(count))

    async def read_registers(
        self, address: int, count: int, *, are_inputs: bool = False, urgency: Urgency = Urgency.POLL
    ) -> tuple[int, ...]:
        """Read holding or input registers in one request. Raises LinkLostError or DeviceRefusedError."""
        registers = await self._bus.ask_registers(self, address, count, are_inputs=are_inputs, urgency=urgency)
        if len(registers) != count:
            self._bus.distrust(self, "short_answer", f"{count} registers expected, found {len(registers)}")
        self._bus.answered(self)
        return registers

    async def write_coil(
        self, address: int, value: int, *, urgency: Urgency = Urgency.COMMAND, order: Order | None = None
    ) -> None:
        """Write one coil once and compare the echo: address and all 16 bits of the value.

        Raises LinkLostError, DeviceRefusedError, EchoMismatchError; not sent at all: NotConfirmedError for an order
        that had waited too long, NotSentError for one that was forbidden when its turn came.
        """
        found = await self._bus.ask_coil_written(self, address, value, urgency, order)
        self._compare_echo("coil", (address, value), found)

    async def write_register(
        self, address: int, value: int, *, urgency: Urgency = Urgency.COMMAND, order: Order | None = None
    ) -> None:
        """Write one holding register once and compare the echo. Raises as `write_coil`."""
        found = await self._bus.ask_register_written(self, address, value, urgency, order)
        self._compare_echo("register", (address, value), found)

    async def write_registers(
        self,
        address: int,
        values: Sequence[int],
        *,
        urgency: Urgency = Urgency.COMMAND,
        order: Order | None = None,
    ) -> None:
        """Write neighbouring holding registers once; the echo holds only address and count. Raises as `write_coil`."""
        found = await self._bus.ask_registers_written(self, address, values, urgency, order)
        self._compare_echo("registers", (address, len(values)), found)

    def _compare_echo(self, what: str, expected: tuple[int, ...], found: tuple[int, ...]) -> None:
        if found != expected:
            self.rejects["echo_mismatch"] += 1
            self._bus.doubt()
            texts = [" = ".join(f"{number:#x}" for number in pair) for pair in (expected, found)]
            raise EchoMismatchError(
                f"{self._bus.name} unit {self.number}: echo of {what} {texts[0]} expected, {texts[1]} found"
            )
        self._bus.answered(self)
