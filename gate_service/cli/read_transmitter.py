"""`gate read modbus`: what a weighing transmitter's registers say, as `gate decode` shows frames. Only reads."""

from __future__ import annotations

import asyncio
import contextlib
import json
import sys
from collections.abc import Mapping
from pathlib import Path

from devices.links.address import parse_modbus
from devices.links.modbus import ModbusBus
from devices.weighbridge import transmitter_decoder
from devices.weighbridge.frame import WeightFrame
from devices.weighbridge.frame_object import frame_object
from devices.weighbridge.transmitter import PERIOD_S
from gate_service.cli.recording import recording
from gate_service.cli.stream import say
from gate_service.clock import RealClock
from gate_service.domain.errors import DeviceRefusedError, LinkLostError


def run(
    port: str, *, count: int | None, seconds: float | None, options: Mapping[str, str], record: Path | None = None
) -> int:
    """Print frames until `count` readings came or `seconds` are over; 1 when there was none."""
    parse_modbus(port)
    transmitter_decoder.create(options)
    readings = 0
    with recording(record, {"url": port, "options": dict(options)}) as capture, contextlib.suppress(KeyboardInterrupt):
        bus = ModbusBus(parse_modbus(port), RealClock(), is_looking=True)
        if capture is not None:
            bus.on_packet = lambda data, at_s, is_sent: capture.add(data, at_s, is_sent=is_sent)
        readings = asyncio.run(_read(bus, port, count, seconds, options))
    return 0 if readings else 1


async def _read(bus: ModbusBus, port: str, count: int | None, seconds: float | None, options: Mapping[str, str]) -> int:
    clock = RealClock()
    decoder = transmitter_decoder.create(options)
    profile, unit = decoder.profile, bus.unit(parse_modbus(port).unit)
    end_s = None if seconds is None else clock.monotonic_s() + seconds
    readings, told = 0, ""
    async with bus:
        while (count is None or readings < count) and (end_s is None or clock.monotonic_s() < end_s):
            asked_s = clock.monotonic_s()
            try:
                registers = await unit.read_registers(profile.base, profile.count, are_inputs=profile.are_inputs)
            except (LinkLostError, DeviceRefusedError) as exc:
                if str(exc) != told:
                    print(exc, file=sys.stderr, flush=True)
                told = str(exc)
            else:
                frame, told = decoder.decode(registers, asked_s), ""
                readings += isinstance(frame, WeightFrame)
                if not say(json.dumps(frame_object(frame), ensure_ascii=False)):
                    break
            await clock.sleep(PERIOD_S)
    return readings
