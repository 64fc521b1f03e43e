"""The wires between service and yard: an I/O module behind the real driver, and an indicator's readings.

The real `IoModule`, `LaneIo`, `IoBarrier` and `IoSignals` run over `SimBus`; only the bytes are left out.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from random import Random
from typing import Any, Final, NoReturn, Self, TypeVar

from devices.links.address import parse_modbus
from devices.links.modbus import ModbusBus
from devices.links.modbus_unit import ModbusUnit
from devices.links.order import Order
from devices.links.turns import Urgency
from devices.simulator.yard import Yard
from devices.simulator.yard_lane import INPUTS, OUTPUTS
from devices.weighbridge.stability import StabilitySettings, StabilityWindow
from gate_service.domain.errors import LinkLostError
from gate_service.domain.mass import Mass
from gate_service.domain.ports import Clock, LaneSink
from gate_service.domain.reading import Reading, StabilityFrom, WeightStatus

T = TypeVar("T")

TIMEOUT_S: Final = 0.4
ANSWER_S: Final = (0.004, 0.02)
LATE_S: Final = (0.05, 0.6)
WATCHDOG_S: Final = 2.0
READBACK_BASE: Final = 512
FRAME_S: Final = 0.2
SILENT_AFTER_S: Final = 1.0
WATCHDOG_REGISTERS: Final = {4096: 20, 4097: 0xFFFF, 4102: 1}
ON: Final = 0xFF00
NOT_DETECTORS: Final = frozenset({"entry_up", "entry_down", "exit_up", "exit_down", "power_ok"})

EdgeSeen = Callable[[str, str, str], None]
"""A command output rose: lane, side, `raise` or `lower`."""


@dataclass(slots=True)
class ModuleWorld:
    """One I/O module as it stands in the cabinet; it outlives the service. Faults by name."""

    lane: str
    yard: Yard
    rng: Random
    edge_seen: EdgeSeen
    is_dead: bool = False
    is_late: bool = False
    answers_zeros: bool = False
    are_zeros_believed: bool = False  # injected: its known-on input and the limits are taken as they are meanwhile
    heard_s: float = 0.0
    outputs: dict[str, bool] = field(default_factory=lambda: dict.fromkeys(OUTPUTS, False))

    def inputs(self, count: int) -> tuple[bool, ...]:
        """The input terminals."""
        shown = self.yard.lanes[self.lane].inputs()
        if self.answers_zeros:
            kept = NOT_DETECTORS if self.are_zeros_believed else frozenset[str]()
            shown = {name: is_on and name in kept for name, is_on in shown.items()}
        return tuple(shown[name] for name in INPUTS)[:count]

    def write(self, number: int, *, is_on: bool) -> None:
        """Set one output; an edge of a boom command is told before the boom can move."""
        output = OUTPUTS[number]
        rises = is_on and not self.outputs[output]
        self.outputs[output] = is_on
        side, _, way = output.partition("_")
        if rises and way in {"raise", "lower"}:
            self.edge_seen(self.lane, side, way)
        self.yard.write_output(self.lane, output, on=is_on)

    def watch(self, now_s: float) -> None:
        """The module's own watchdog: outputs fall when nobody has spoken for so long."""
        if now_s - self.heard_s > WATCHDOG_S and any(self.outputs.values()):
            for number, output in enumerate(OUTPUTS):
                if self.outputs[output]:
                    self.write(number, is_on=False)


class SimBus(ModbusBus):
    """The bus of one module. Answers may be late, lost before or lost after they took effect."""

    def __init__(self, world: ModuleWorld, clock: Clock) -> None:
        super().__init__(parse_modbus("modbus-tcp://127.0.0.1:1502/1"), clock, timeout_s=TIMEOUT_S, is_looking=True)
        self.name = f"module {world.lane}"
        self._world = world
        self._sim_clock = clock
        self.connection = 1

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        """Nothing to close."""

    def distrust(self, unit: ModbusUnit, reason: str, finding: str) -> NoReturn:
        """As the real one: nothing learned over this connection holds any more."""
        unit.rejects[reason] += 1
        self.connection += 1
        raise LinkLostError(f"{self.name}: {finding}")

    async def ask_bits(
        self, unit: ModbusUnit, address: int, count: int, *, are_coils: bool, urgency: Urgency
    ) -> bytes | None:
        """Inputs, or the outputs read back."""

        def act() -> bytes:
            bits = tuple(self._world.outputs.values())[:count] if are_coils else self._world.inputs(count)
            packed = sum(bit << place for place, bit in enumerate(bits))
            return packed.to_bytes((count + 7) // 8, "little")

        assert not are_coils or address == READBACK_BASE
        return await self._turn(unit, urgency, None, act)

    async def ask_registers(
        self, unit: ModbusUnit, address: int, count: int, *, are_inputs: bool, urgency: Urgency
    ) -> tuple[int, ...]:
        """The watchdog's registers: it was set up at commissioning."""
        del are_inputs
        answer = tuple(WATCHDOG_REGISTERS[address + place] for place in range(count))
        return await self._turn(unit, urgency, None, lambda: answer)

    async def ask_coil_written(
        self, unit: ModbusUnit, address: int, value: int, urgency: Urgency, order: Order | None
    ) -> tuple[int, int]:
        """One output."""

        def act() -> tuple[int, int]:
            self._world.write(address, is_on=value == ON)
            return address, value

        return await self._turn(unit, urgency, order, act)

    async def _turn(self, unit: ModbusUnit, urgency: Urgency, order: Order | None, act: Callable[[], T]) -> T:
        connection = self.connection
        await self.turns.take(urgency)
        exchange = asyncio.create_task(self._speak(unit, order, act, connection))
        exchange.add_done_callback(self._over)
        return await asyncio.shield(exchange)

    def _over(self, exchange: asyncio.Task[Any]) -> None:
        if not exchange.cancelled():
            exchange.exception()
        self.turns.give()

    async def _speak(self, unit: ModbusUnit, order: Order | None, act: Callable[[], T], connection: int) -> T:
        world, clock = self._world, self._sim_clock
        if self.connection != connection:  # as the real one: what waited when the connection was dropped is not sent
            raise LinkLostError(f"{self.name}: the connection was lost while the question waited")
        if order is not None:
            order.check(self.name, clock.monotonic_s())
        answer_s = world.rng.uniform(*(LATE_S if world.is_late else ANSWER_S))
        await asyncio.sleep(answer_s / 2)
        if world.is_dead:
            await asyncio.sleep(TIMEOUT_S)
            self.distrust(unit, "timeout", f"no answer of this unit within {TIMEOUT_S} s")
        world.heard_s = clock.monotonic_s()
        answer = act()
        if answer_s > TIMEOUT_S:
            await asyncio.sleep(TIMEOUT_S - answer_s / 2)
            self.distrust(unit, "timeout", f"no answer of this unit within {TIMEOUT_S} s")
        await asyncio.sleep(answer_s / 2)
        return answer


@dataclass(slots=True)
class IndicatorWorld:
    """One weighing indicator as it stands in the cabin. Faults by name."""

    lane: str
    yard: Yard
    interval_kg: int
    max_capacity_kg: int
    is_silent: bool = False
    sends_garbage: bool = False

    def shown_kg(self) -> int:
        """What the display shows, rounded to its interval."""
        kg = self.yard.lanes[self.lane].deck.shown_kg
        return round(kg / self.interval_kg) * self.interval_kg


async def indicate(world: IndicatorWorld, sink: LaneSink, clock: Clock) -> None:
    """Task: what the driver of the indicator tells its lane, frame after frame."""
    window = StabilityWindow(StabilitySettings(), Mass.from_kg(world.interval_kg))
    last_s, is_told = clock.monotonic_s(), False
    while True:
        now_s = clock.monotonic_s()
        if world.is_silent or world.sends_garbage:
            window.reject()
            if now_s - last_s > SILENT_AFTER_S and not is_told:
                is_told = True
                sink.weight_read(_reading(WeightStatus.NO_DATA, None, None, clock))
        else:
            last_s, is_told = now_s, False
            kg = world.shown_kg()
            if kg > world.max_capacity_kg + 9 * world.interval_kg:  # OIML R 76: blank above max + 9 e
                sink.weight_read(_reading(WeightStatus.OVERLOAD, None, None, clock))
            else:
                value = Mass.from_kg(kg)
                sink.weight_read(_reading(WeightStatus.OK, value, window.add(value, now_s), clock))
        await clock.sleep(FRAME_S)


def _reading(status: WeightStatus, value: Mass | None, is_stable: bool | None, clock: Clock) -> Reading:
    shown = None if value is None else str(value.to_json())
    at, at_s = clock.now(), clock.monotonic_s()
    return Reading(status, value, is_stable, StabilityFrom.COMPUTED, None, shown, b"", at, at_s)
