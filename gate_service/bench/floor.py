"""The floor under a decision: the same rows and bytes committed by the bare driver, then one write to the module."""

from __future__ import annotations

import time
from pathlib import Path

from gate_service.bench.bare_copy import BareCopy
from gate_service.bench.module_client import BenchModule
from gate_service.bench.module_server import FLOOR_COIL


class Floor(BareCopy):
    """The bare copy, and a raw connection to the module that the product writes to."""

    def __init__(self, product: Path, folder: Path, module: BenchModule) -> None:
        super().__init__(product, folder)
        self._module = module

    async def repeat_decision(self) -> int:
        """Do what the product's newest decision put on disk, then write the coil. Nanoseconds from BEGIN to server."""
        number = self.last_number("decision")
        self.copy_up_to(number - 1)
        rows = self.rows_of(number)
        self._module.forget_writes(FLOOR_COIL)
        started_ns = time.monotonic_ns()
        self.commit(rows)
        self._module.write_floor()
        written_ns = await self._module.written_ns(FLOOR_COIL)
        self._module.read_floor_echo()
        self.copied = number
        return written_ns - started_ns
