"""From nothing to the first answer: `gate run` as a process of its own, killed once, then started on what is left."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path
from typing import Final
from urllib.request import urlopen

from gate_service.bench.bench_site import LaneLinks, load_site

NOBODY: Final = "127.0.0.1:9"  # discard (RFC 863): neither a centre nor devices answer there
TOLD: Final = "operator terminal: "


def started_again_s(folder: Path) -> float:
    """Seconds from the start of the program to its first answered `/healthz`, after a SIGKILL of the one before.

    The record is `folder/data`. RuntimeError where the service does not come up.
    """
    load_site(folder, [LaneLinks(f"modbus-tcp://{NOBODY}/1", f"socket://{NOBODY}")], centre_url=f"http://{NOBODY}")
    file = folder / "site.toml"
    file.write_text(file.read_text(encoding="utf-8") + "\n[listen]\nport = 0\n", encoding="utf-8")
    _life_s(file)  # the schema is made, code and record are in memory, and the kill leaves its log behind
    return _life_s(file)


def _life_s(file: Path) -> float:
    """Start, ask once, kill. Seconds until the answer."""
    command = [sys.executable, "-m", "gate_service", "run", "--config", str(file)]
    began_s = time.perf_counter()
    log = file.with_suffix(".log")
    with (
        log.open("wb") as errors,
        subprocess.Popen(command, stdout=subprocess.PIPE, stderr=errors, text=True) as service,  # noqa: S603 - ours
    ):
        assert service.stdout is not None
        try:
            url = service.stdout.readline().removeprefix(TOLD).strip()
            if not url.startswith("http://127.0.0.1:"):
                raise RuntimeError(f"service: its address expected, found {url!r}; it says: {log.read_text()[-2000:]}")
            with urlopen(f"{url}healthz", timeout=30) as answer:  # noqa: S310 - http on loopback, see above
                answer.read()
            return time.perf_counter() - began_s
        finally:
            service.kill()
