"""Plays the demo from the command line to its summary."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

from tests.fakes.kept_port import kept_port

SEED = 1
DEMO = [sys.executable, "-m", "gate_service", "demo", "--port", "0", "--seed", str(SEED)]
# At speed 10 a lane takes some 8 s a truck; a busy machine starts the processes in 20 s.
WITHIN_S = 150


def play(data: Path, trucks: int, *options: str) -> tuple[subprocess.CompletedProcess[str], dict[str, Any]]:
    command = [*DEMO, "--trucks", str(trucks), "--speed", "10", "--exit", "--json", "--data", str(data), *options]
    with kept_port() as port:  # 0 would be one that is free, and bound by the service only later
        command += ["--port", str(port)]
        done = subprocess.run(command, capture_output=True, text=True, timeout=WITHIN_S, check=False)
    assert done.stdout.strip(), f"no summary; {done.stderr}"
    return done, json.loads(done.stdout)


def verdicts(found: dict[str, Any]) -> dict[str, tuple[str | None, list[str]]]:
    return {p["slip_no"] or p["plate"]: (p["verdict"], p["reasons"]) for p in found["passages"]}
