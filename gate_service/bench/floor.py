"""The floor under a decision: the same rows and bytes committed by the bare driver, then one write to the module."""

from __future__ import annotations

import time
from pathlib import Path

from gate_service.bench.bare_copy import BareCopy, Rows
from gate_service.bench.module_client import BenchModule
from gate_service.bench.module_server import FLOOR_COIL


class Floor(BareCopy):
    """The bare copy, and a raw connection to the module that the product writes to."""

    def __init__(self, product: Path, folder: Path, module: BenchModule) -> None:
        super().__init__(product, folder)
        self._module = module
        self._number, self._rows = 0, Rows()

    def prepare(self) -> None:
        """Read what the product's newest decision put on disk, and bring the copy up to the record before it."""
        self._number = self.last_number("decision")
        self.copy_up_to(self._number - 1)
        self._rows = self.rows_of(self._number)

    async def repeat_decision(self) -> int:
        """Commit those rows, then write the coil. Nanoseconds from BEGIN to server."""
        self._module.forget_writes(FLOOR_COIL)
        started_ns = time.monotonic_ns()
        self.commit(self._rows)
        self._module.write_floor()
        written_ns = await self._module.written_ns(FLOOR_COIL)
        self._module.read_floor_echo()
        self.copied = self._number
        return written_ns - started_ns
