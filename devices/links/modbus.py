"""One Modbus bus and its units: the only module that imports pymodbus.

What the library leaves open is closed here (measured on 3.16.1, see `docs/protocols/modbus-io.md`): it resends writes,
does not compare echoes, accepts short answers and answers of another function, and on RTU takes a late answer for the
next question. So: no retries, every answer checked against its question, and after silence the connection is closed
(TCP) or the line left quiet until nothing can be on its way any more (RTU). This module never sends anything twice.
"""

from __future__ import annotations

import asyncio
import logging
import struct
from collections.abc import Callable, Sequence
from pathlib import Path
from types import TracebackType
from typing import Final, NoReturn, Self

from pymodbus import FramerType
from pymodbus.client import AsyncModbusSerialClient, AsyncModbusTcpClient
from pymodbus.exceptions import ConnectionException, ModbusException
from pymodbus.pdu import ModbusPDU
from pymodbus.pdu.register_message import (
    ReadHoldingRegistersRequest,
    ReadInputRegistersRequest,
    WriteMultipleRegistersRequest,
    WriteSingleRegisterRequest,
)

from devices.link_keeper import LinkKeeper
from devices.links.address import ModbusAddress
from devices.links.lease import BusLease
from devices.links.modbus_unit import ModbusUnit
from devices.links.order import Order
from devices.links.patience import OUT_OF_REACH, PROBE_S, BusPatience
from devices.links.quiet import QUIET_S, LineQuiet
from devices.links.turns import Turns, Urgency
from gate_service.domain.errors import DeviceRefusedError, LinkLostError, NotConfirmedError
from gate_service.domain.events import JsonObject
from gate_service.domain.ports import Clock

RTU_OVER_TCP_BAUD: Final = 9600  # what the serial side of a converter is set to is not known here
OTHERS_WITHIN_S: Final = 2.0  # another unit answered within this: the connection itself lives
TIMEOUT_S: Final = 0.4  # between the 0.3 and 0.5 s of reference measurements; a LAN module answers in under 10 ms

# Every failure reaches the caller as a typed error and is counted; the library's own lines would repeat each poll.
logging.getLogger("pymodbus.logging").setLevel(logging.CRITICAL)


class _ReadBits(ModbusPDU):
    """Question of functions 1 and 2."""

    def encode(self) -> bytes:
        return struct.pack(">HH", self.address, self.count)


class _ReadCoils(_ReadBits):
    function_code = 1


class _ReadDiscreteInputs(_ReadBits):
    function_code = 2


class _BitsAnswer(ModbusPDU):
    """Answer of functions 1 and 2; its own byte count must fit what came (the library does not look)."""

    rtu_byte_count_pos = 2
    packed: bytes | None = None

    def decode(self, data: bytes) -> None:
        self.packed = data[1:] if data and data[0] == len(data) - 1 else None


class _CoilsAnswer(_BitsAnswer):
    function_code = 1


class _DiscreteInputsAnswer(_BitsAnswer):
    function_code = 2


class _WriteCoil(ModbusPDU):
    """Question and answer of function 5 with all 16 bits of its value: some boards want others than 0xFF00."""

    function_code = 5
    rtu_frame_size = 8
    value: int = -1

    def encode(self) -> bytes:
        return struct.pack(">HH", self.address, self.value)

    def decode(self, data: bytes) -> None:
        if len(data) == 4:
            self.address, self.value = struct.unpack(">HH", data)


_Client = AsyncModbusTcpClient | AsyncModbusSerialClient


class ModbusBus:
    """One bus with one owner. `async with` takes its lease and keeps it open; while it is not, questions fail.

    `is_looking`: without the lease, for reading beside the owner; nothing may be written then.
    """

    def __init__(
        self,
        address: ModbusAddress,
        clock: Clock,
        *,
        timeout_s: float = TIMEOUT_S,
        quiet_s: float = QUIET_S,
        lock_directory: Path | None = None,
        is_looking: bool = False,
    ) -> None:
        self.name = address.bus
        self.fault: str | None = "not connected yet"
        self.connection = 0  # counts connections; whatever was learned over an older one is void
        self.on_packet: Callable[[bytes, float, bool], None] | None = None  # a recorder: bytes, time, whether sent
        self._address = address
        self._clock = clock
        self._timeout_s = timeout_s
        self._lease = None if is_looking else BusLease(address.bus, lock_directory)
        self._units: dict[int, ModbusUnit] = {}
        self.turns = Turns()
        self._patience = BusPatience()
        self._client: _Client | None = None
        self._lost: asyncio.Future[str] | None = None
        self._speaking: ModbusUnit | None = None
        self._probed: ModbusUnit | None = None  # asked apart and not heard yet; a late answer shows that it is back
        self._is_proven = False
        self._keeper: asyncio.Task[None] | None = None
        self._opened = asyncio.Event()
        self._quiet_s = quiet_s
        baud = address.line.baud if address.line is not None else RTU_OVER_TCP_BAUD
        self._quiet = LineQuiet(clock, baud if address.is_rtu else None, quiet_s)

    async def __aenter__(self) -> Self:
        self._keeper = asyncio.create_task(LinkKeeper(self, self._clock, self._heard).run(), name=f"bus {self.name}")
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, exc: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._keeper is not None:
            self._keeper.cancel()
            await asyncio.gather(self._keeper, return_exceptions=True)
        self._drop("closed")
        self.fault = "closed"
        if self._lease is not None:
            self._lease.give_back()

    def unit(self, number: int) -> ModbusUnit:
        """Give the one object for this unit."""
        return self._units.setdefault(number, ModbusUnit(self, number))

    async def open(self) -> None:
        """Connect once (for the keeper). Raises LinkLostError or DeviceHeldError."""
        if self._lease is not None:
            self._lease.take()
        client = self._make_client()
        for answer in (_CoilsAnswer, _DiscreteInputsAnswer, _WriteCoil):
            client.register(answer)
        try:
            is_connected = await client.connect()
        except (OSError, ValueError) as exc:  # pyserial: no such port, settings the port refuses
            raise LinkLostError(f"{self.name}: cannot be opened: {exc}") from None
        if not is_connected:
            raise LinkLostError(f"{self.name}: no connection within {self._timeout_s} s")
        self._client, self._is_proven = client, False
        self._lost = asyncio.get_running_loop().create_future()
        if self._address.is_rtu:
            self._quiet.demand()
        self.connection += 1
        self._opened.set()

    async def wait_lost(self) -> str:
        """Return the reason once the connection is gone (for the keeper)."""
        assert self._lost is not None
        return await self._lost

    async def wait_open(self) -> None:
        """Return once the bus is connected."""
        await self._opened.wait()

    def is_proven(self) -> bool:
        """Whether a unit answered since the last connect (for the keeper)."""
        return self._is_proven

    async def ask_bits(
        self, unit: ModbusUnit, address: int, count: int, *, are_coils: bool, urgency: Urgency
    ) -> bytes | None:
        """Ask functions 1 or 2: the packed bits as they came; None where their length contradicts itself."""
        kind = _ReadCoils if are_coils else _ReadDiscreteInputs
        answer = await self._ask(unit, kind(dev_id=unit.number, address=address, count=count), urgency)
        return answer.packed if isinstance(answer, _BitsAnswer) else None

    async def ask_registers(
        self, unit: ModbusUnit, address: int, count: int, *, are_inputs: bool, urgency: Urgency
    ) -> tuple[int, ...]:
        """Ask functions 3 or 4: the registers as they came."""
        kind = ReadInputRegistersRequest if are_inputs else ReadHoldingRegistersRequest
        answer = await self._ask(unit, kind(dev_id=unit.number, address=address, count=count), urgency)
        return tuple(answer.registers)

    async def ask_coil_written(
        self, unit: ModbusUnit, address: int, value: int, urgency: Urgency, order: Order | None
    ) -> tuple[int, int]:
        """Write by function 5: address and value of the echo (-1: none)."""
        question = _WriteCoil(dev_id=unit.number, address=address)
        question.value = value
        answer = await self._ask(unit, question, urgency, order)
        return answer.address, answer.value if isinstance(answer, _WriteCoil) else -1

    async def ask_register_written(
        self, unit: ModbusUnit, address: int, value: int, urgency: Urgency, order: Order | None
    ) -> tuple[int, ...]:
        """Write by function 6: address and value of the echo."""
        question = WriteSingleRegisterRequest(dev_id=unit.number, address=address, registers=[value])
        answer = await self._ask(unit, question, urgency, order)
        return answer.address, *answer.registers

    async def ask_registers_written(
        self, unit: ModbusUnit, address: int, values: Sequence[int], urgency: Urgency, order: Order | None
    ) -> tuple[int, int]:
        """Write by function 16: address and count of the echo, which holds no more."""
        question = WriteMultipleRegistersRequest(dev_id=unit.number, address=address, registers=list(values))
        answer = await self._ask(unit, question, urgency, order)
        return answer.address, answer.count

    def distrust(self, unit: ModbusUnit, reason: str, finding: str) -> NoReturn:
        """Count an answer that cannot belong to its question, let no later one arrive, and raise LinkLostError."""
        unit.rejects[reason] += 1
        message = f"{self.name} unit {unit.number}: {finding}"
        is_kept = reason == "timeout" and self._others_answer(unit)  # closing would take their inputs away too
        if self._address.is_rtu or is_kept:
            self._quiet.demand()
        if self._address.line is None and not is_kept:
            self._drop(message)
        raise LinkLostError(message)

    def patience_with(self, unit: ModbusUnit) -> JsonObject:
        """For the device page: whether the unit shares its bus, is asked apart because it is silent, and when again."""
        wait_s = self._patience.wait_s(unit.number, self._clock.monotonic_s()) if self._is_shared else 0.0
        is_silent = self._is_shared and self._patience.is_silent(unit.number)
        return {"shared": self._is_shared, "silent": is_silent, "asked_again_in_ms": int(wait_s * 1000)}

    def doubt(self) -> None:
        """Let nothing late be taken for the next answer, after one whose content was not the question's."""
        if self._address.is_rtu:
            self._quiet.demand()

    def _others_answer(self, unit: ModbusUnit) -> bool:
        since_s = self._clock.monotonic_s() - OTHERS_WITHIN_S
        return any((one.last_good_monotonic_s or 0.0) > since_s for one in self._units.values() if one is not unit)

    def answered(self, unit: ModbusUnit) -> None:
        """Note an answer that passed every check."""
        self._is_proven = True
        self._patience.answered(unit.number)
        unit.last_good_monotonic_s = self._clock.monotonic_s()

    async def _ask(
        self, unit: ModbusUnit, question: ModbusPDU, urgency: Urgency, order: Order | None = None
    ) -> ModbusPDU:
        """Send one question once and return the answer that belongs to it.

        An exchange that began is finished even if the caller is cancelled: an answer left behind would be taken for
        the next one. Raises LinkLostError, DeviceRefusedError; not sent: NotConfirmedError, NotSentError.
        """
        if self._client is None:
            raise LinkLostError(f"{self.name}: {self.fault}")
        failures = unit.failures
        await self.turns.take(urgency)
        if order is not None and unit.failures != failures:  # ordered on inputs unknown by now
            order = Order(float("-inf"))
        exchange = asyncio.create_task(self._exchange(unit, question, order))
        exchange.add_done_callback(lambda done: self._turn_done(unit, done))
        return await asyncio.shield(exchange)

    def _turn_done(self, unit: ModbusUnit, exchange: asyncio.Task[ModbusPDU]) -> None:
        error = None if exchange.cancelled() else exchange.exception()  # looked at: the caller may be gone
        unit.failures += exchange.cancelled() or not isinstance(error, NotConfirmedError | None)  # that was not sent
        self.turns.give()

    async def _exchange(self, unit: ModbusUnit, question: ModbusPDU, order: Order | None) -> ModbusPDU:
        if self._is_shared and (wait_s := self._patience.wait_s(unit.number, self._clock.monotonic_s())):
            raise LinkLostError(f"{self.name} unit {unit.number}: silent; asked again in {max(1, round(wait_s))} s")
        await self._quiet.wait()
        self._hear_probed()
        client = self._client
        if client is None or not client.connected:
            raise LinkLostError(f"{self.name}: {self.fault or 'connection lost'}")
        asked_s = self._clock.monotonic_s()
        if order is not None:
            order.check(f"{self.name} unit {unit.number}", asked_s)
        self._speaking = unit
        is_probe = self._is_shared and self._patience.is_silent(unit.number)
        limit_s = min(PROBE_S, self._timeout_s) if is_probe else self._timeout_s
        client.ctx.comm_params.timeout_connect = limit_s  # what the library waits for an answer
        try:
            answer: ModbusPDU = await client.execute(False, question)
        except ConnectionException:
            unit.rejects["connection_lost"] += 1
            raise LinkLostError(f"{self.name}: {self.fault or 'connection lost'}") from None
        except ModbusException as exc:
            took_s = self._clock.monotonic_s() - asked_s
            if took_s < limit_s:  # the library refused what came
                self.distrust(unit, "out_of_step", f"an answer to this question expected, found another: {exc}")
            self._missed(unit, took_s)
            self._probed = unit if is_probe else None
            self.distrust(unit, "timeout", f"no answer of this unit within {limit_s} s")
        self._check(unit, question, answer, asked_s)
        return answer

    def _hear_probed(self) -> None:
        """A silent unit is asked with little patience; what came during the quiet after it was its answer, late."""
        unit, self._probed = self._probed, None
        if unit is not None and unit.has_late_bytes:
            self._patience.answered(unit.number)

    def _missed(self, unit: ModbusUnit, took_s: float) -> None:
        self._patience.missed(unit.number, self._clock.monotonic_s(), took_s + self._quiet_s)

    @property
    def _is_shared(self) -> bool:
        return len(self._units) > 1

    def _check(self, unit: ModbusUnit, question: ModbusPDU, answer: ModbusPDU, asked_s: float) -> None:
        expected = (question.dev_id, question.transaction_id, question.function_code)
        found = (answer.dev_id, answer.transaction_id, answer.function_code & 0x7F)
        if found != expected:
            self.distrust(unit, "out_of_step", f"unit, transaction, function {expected} expected, {found} found")
        if answer.isError():
            unit.rejects[f"exception_{answer.exception_code}"] += 1
            if answer.exception_code in OUT_OF_REACH:
                self._missed(unit, self._clock.monotonic_s() - asked_s)
                raise LinkLostError(f"{self.name} unit {unit.number}: the gateway cannot reach it")
            self.answered(unit)
            raise DeviceRefusedError(
                f"{self.name} unit {unit.number}: function {question.function_code} at {question.address:#x} "
                f"answered with exception {answer.exception_code}"
            )

    def _make_client(self) -> _Client:
        framer = FramerType.RTU if self._address.is_rtu else FramerType.SOCKET
        # reconnect_delay=0: the keeper reconnects, with a fresh client each time, so no late answer finds a taker
        line = self._address.line
        if line is None:
            return AsyncModbusTcpClient(
                self._address.host,
                port=self._address.port,
                framer=framer,
                retries=0,
                timeout=self._timeout_s,
                reconnect_delay=0,
                trace_packet=self._trace,
                trace_connect=self._connection_changed,
            )
        return AsyncModbusSerialClient(
            line.device,
            framer=framer,
            baudrate=line.baud,
            bytesize=line.bytesize,
            parity=line.parity,
            stopbits=line.stopbits,
            retries=0,
            timeout=self._timeout_s,
            reconnect_delay=0,
            trace_packet=self._trace,
            trace_connect=self._connection_changed,
        )

    def _trace(self, is_sent: bool, data: bytes) -> bytes:
        self._quiet.note_byte()
        if self.on_packet is not None:
            self.on_packet(data, self._clock.monotonic_s(), is_sent)
        if self._speaking is not None:
            (self._speaking.sent if is_sent else self._speaking.received).add(data)
            self._speaking.has_late_bytes = not is_sent and self._speaking is self._probed
        return data

    def _connection_changed(self, is_connected: bool) -> None:
        if not is_connected:
            self._drop(f"{self.name}: connection closed by the other end")

    def _drop(self, reason: str) -> None:
        client, self._client = self._client, None
        if client is None:
            return
        self.fault = reason
        self._opened.clear()
        waiting = client.ctx.response_future
        if not waiting.done():  # else the question under way would wait out its whole time-out
            waiting.set_exception(ConnectionException(reason))
            waiting.exception()
        client.close()
        if self._lost is not None and not self._lost.done():
            self._lost.set_result(reason)

    def _heard(self, fault: str | None) -> None:
        self.fault = fault
