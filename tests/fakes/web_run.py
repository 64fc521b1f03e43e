"""`python -m tests.fakes.web_run [PORT]`: the pages with a fake gate whose lanes move, to look at. op / sup / root."""

from __future__ import annotations

import asyncio
import random
import sys
import tempfile
from pathlib import Path

from gate_service.domain.commands import Role
from tests.fakes.web_gate import FakeGate
from tests.fakes.web_site import PASSWORD, serve


async def main(port: int) -> None:
    with tempfile.TemporaryDirectory() as directory:
        async with serve(Path(directory), FakeGate(demo=True), port) as site:
            for name, role in {"op": Role.OPERATOR, "sup": Role.SUPERVISOR, "root": Role.ADMINISTRATOR}.items():
                await site.accounts.add_user(name, role, PASSWORD, "service")
            print(site.url, PASSWORD, flush=True)
            kg = 21840
            while True:
                await asyncio.sleep(0.2)
                kg += random.choice((-20, 0, 20))
                site.gate.change("in-d2", weight={"value_kg": kg, "status": "ok", "stable": False, "age_ms": 60})


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1]) if len(sys.argv) > 1 else 0))
