"""An I/O module that behaves as a WAGO 750 coupler: process image, function codes, watchdog. Sees requests, no socket.

As its manual has it (manualshelf WAGO 750, pages 234 to 237; 750-843 page 167; 750-352 page 156): FC01 and FC02 read
the same map, inputs from 0 and outputs from 512; FC05 and FC15 write outputs at 0 and at 512 alike; the unit identifier
is not looked at. The watchdog is off by default, started by register 0x1003 or, as "alternative", by 0x100A; when no
telegram comes for its time, all outputs drop to 0. From general knowledge, not from a page: while the standard
watchdog is exhausted, writes to outputs are answered with exception 4 until it is restarted or stopped.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Sequence
from typing import Final

POINTS: Final = 16
OUTPUT_IMAGE: Final = 0x0200
ILLEGAL_FUNCTION, ILLEGAL_ADDRESS, ILLEGAL_VALUE, DEVICE_FAILURE = 1, 2, 3, 4

TIME, MASK, MASK_HIGH, TRIGGER, LEAST, STOP, STATUS, RESTART, STOP_SIMPLE, CLOSE_SOCKET, ALTERNATIVE = range(
    0x1000, 0x100B
)
OFF, RUNNING, EXHAUSTED = 0, 1, 2


class Watchdog:
    """The registers 0x1000 to 0x100A. Times are monotonic seconds, given."""

    def __init__(self) -> None:
        self.registers = dict.fromkeys(range(TIME, ALTERNATIVE + 1), 0)
        self.registers[LEAST], self.registers[RESTART] = 0xFFFF, 1
        self.status = OFF
        self._fed_s = 0.0

    def commission(self, time_s: float, now_s: float) -> None:
        """Set it up and start it, as at commissioning: every function feeds it."""
        self.registers[TIME] = round(time_s * 10)
        self.registers[MASK] = 0xFFFF
        self._start(now_s)

    @property
    def time_s(self) -> float:
        """How long without a telegram it waits; the register counts tenths."""
        return self.registers[TIME] / 10

    @property
    def blocks_writing(self) -> bool:
        """Whether outputs are held at zero until somebody restarts or stops it."""
        return self.status == EXHAUSTED and not self.registers[ALTERNATIVE]

    def read(self, address: int) -> int:
        """A register as a master sees it."""
        return self.status if address == STATUS else self.registers[address]

    def write(self, address: int, value: int, now_s: float) -> bool:
        """Take a register; False where the device refuses it."""
        if address in (STATUS, LEAST) or (address in (TIME, MASK, MASK_HIGH) and self.status == RUNNING):
            return False
        before, self.registers[address] = self.registers[address], value
        match address:
            case 0x1003 if value != before and self.time_s and self.status != EXHAUSTED:  # TRIGGER
                self._start(now_s)
            case 0x1007 if value == 1 and self.time_s and self.status != OFF:  # RESTART
                self._start(now_s)
            case 0x1005 if (before, value) == (0xAAAA, 0x5555):  # STOP
                self._stop()
            case 0x1008 if value in (0xAA55, 0x55AA):  # STOP_SIMPLE
                self._stop()
        return True

    def _stop(self) -> None:
        self.status = OFF
        self.registers[ALTERNATIVE] = 0

    def _start(self, now_s: float) -> None:
        self.status, self._fed_s = RUNNING, now_s

    def telegram(self, function: int, now_s: float) -> None:
        """A telegram came: it feeds a running watchdog if the mask names its function, the alternative one always."""
        if self.registers[ALTERNATIVE] and self.time_s:
            self._start(now_s)
        elif self.status == RUNNING and self.registers[MASK] >> (function - 1) & 1:
            self._fed_s = now_s

    def expires(self, now_s: float) -> bool:
        """Whether it runs out just now."""
        if self.status == RUNNING and now_s - self._fed_s > self.time_s:
            self.status = EXHAUSTED
            return True
        return False


class WagoModule:
    """One module. `read_inputs` is asked at the moment of each request; `output_set` hears every changed output."""

    def __init__(
        self, read_inputs: Callable[[], Sequence[bool]], output_set: Callable[[int, bool, bool], None]
    ) -> None:
        self.outputs = [False] * POINTS
        self.watchdog = Watchdog()
        self.are_inputs_zero = False
        self._read_inputs = read_inputs
        self._output_set = output_set

    def set_output(self, number: int, *, on: bool, foreign: bool = False) -> None:
        """Set one output, as a telegram, the watchdog or another master does."""
        if self.outputs[number] != on:
            self.outputs[number] = on
            self._output_set(number, on, foreign)

    def tick(self, now_s: float) -> bool:
        """Let the watchdog look at the time; True when it ran out just now."""
        if not self.watchdog.expires(now_s):
            return False
        for number in range(POINTS):
            self.set_output(number, on=False)
        return True

    def answer(self, request: bytes, now_s: float) -> bytes:
        """One request unit (function code and data) to its answer unit, exceptions included."""
        function = request[0]
        self.tick(now_s)
        try:
            answer = self._answer(function, request[1:], now_s)
        except struct.error:
            answer = ILLEGAL_VALUE  # too short for its function
        self.watchdog.telegram(function, now_s)
        return bytes((function | 0x80, answer)) if isinstance(answer, int) else bytes((function,)) + answer

    def _answer(self, function: int, body: bytes, now_s: float) -> bytes | int:
        match function:
            case 1 | 2:
                return self._read_bits(*struct.unpack(">HH", body))
            case 3 | 4:
                return self._read_words(*struct.unpack(">HH", body))
            case 5:
                return self._write_bit(*struct.unpack(">HH", body))
            case 6:
                address, value = struct.unpack(">HH", body)
                return self._write_words(address, [value], now_s) or body
            case 15:
                return self._write_bits(body)
            case 16:
                address, count, size = struct.unpack(">HHB", body[:5])
                if size != 2 * count or len(body) != 5 + size or not 1 <= count <= 123:
                    return ILLEGAL_VALUE
                return self._write_words(address, list(struct.unpack(f">{count}H", body[5:])), now_s) or body[:4]
            case _:
                return ILLEGAL_FUNCTION

    def _bits(self) -> tuple[list[bool], list[bool]]:
        inputs = [False] * POINTS
        if not self.are_inputs_zero:
            for number, on in enumerate(self._read_inputs()):
                inputs[number] = on
        return inputs, self.outputs

    def _read_bits(self, address: int, count: int) -> bytes | int:
        if not 1 <= count <= 2000:
            return ILLEGAL_VALUE
        inputs, outputs = self._bits()
        image, start = (outputs, address - OUTPUT_IMAGE) if address >= OUTPUT_IMAGE else (inputs, address)
        if start + count > POINTS:
            return ILLEGAL_ADDRESS
        packed = sum(on << place for place, on in enumerate(image[start : start + count]))
        size = (count + 7) // 8
        return bytes((size,)) + packed.to_bytes(size, "little")

    def _read_words(self, address: int, count: int) -> bytes | int:
        if not 1 <= count <= 125:
            return ILLEGAL_VALUE
        inputs, outputs = self._bits()
        words = []
        for place in range(address, address + count):
            if place in (0, OUTPUT_IMAGE):
                words.append(sum(on << bit for bit, on in enumerate(outputs if place else inputs)))
            elif place in self.watchdog.registers:
                words.append(self.watchdog.read(place))
            else:
                return ILLEGAL_ADDRESS
        return bytes((2 * count,)) + struct.pack(f">{count}H", *words)

    def _output_number(self, address: int, count: int = 1) -> int | None:
        start = address - OUTPUT_IMAGE if address >= OUTPUT_IMAGE else address
        return start if start + count <= POINTS else None

    def _write_bit(self, address: int, value: int) -> bytes | int:
        number = self._output_number(address)
        if number is None:
            return ILLEGAL_ADDRESS
        if value not in (0x0000, 0xFF00):
            return ILLEGAL_VALUE
        if self.watchdog.blocks_writing:
            return DEVICE_FAILURE
        self.set_output(number, on=value == 0xFF00)
        return struct.pack(">HH", address, value)

    def _write_bits(self, body: bytes) -> bytes | int:
        address, count, size = struct.unpack(">HHB", body[:5])
        if not 1 <= count <= 1968 or size != (count + 7) // 8 or len(body) != 5 + size:
            return ILLEGAL_VALUE
        start = self._output_number(address, count)
        if start is None:
            return ILLEGAL_ADDRESS
        if self.watchdog.blocks_writing:
            return DEVICE_FAILURE
        packed = int.from_bytes(body[5:], "little")
        for place in range(count):
            self.set_output(start + place, on=bool(packed >> place & 1))
        return body[:4]

    def _write_words(self, address: int, values: list[int], now_s: float) -> int:
        """0, or the exception. Registers are taken one after the other; the first refused one ends it."""
        for place, value in enumerate(values, start=address):
            if place in (0, OUTPUT_IMAGE):
                if self.watchdog.blocks_writing:
                    return DEVICE_FAILURE
                for bit in range(POINTS):
                    self.set_output(bit, on=bool(value >> bit & 1))
            elif place not in self.watchdog.registers:
                return ILLEGAL_ADDRESS
            elif not self.watchdog.write(place, value, now_s):
                return ILLEGAL_VALUE
        return 0
