"""The demo from the command line: real processes, real links, every verdict as planned, every count at its receiver."""

from __future__ import annotations

import json
import os
import signal
import subprocess
from pathlib import Path
from typing import Any

import pytest

from devices.simulator.demo.plan import first_visits
from gate_service.cli.demo_summary import surprises
from tests.fakes.demo_play import DEMO, SEED, WITHIN_S, play, verdicts

TRUCKS = 12  # every story once

pytestmark = pytest.mark.timeout(WITHIN_S + 10)


@pytest.fixture(scope="module")
def honest(tmp_path_factory: pytest.TempPathFactory) -> tuple[subprocess.CompletedProcess[str], dict[str, Any]]:
    """One run of the demo with nothing wrong."""
    return play(tmp_path_factory.mktemp("honest"), TRUCKS)


def test_every_truck_gets_the_verdict_that_the_plan_expects(honest):
    done, found = honest
    assert done.returncode == 0, done.stderr
    assert found["trucks"] == TRUCKS
    assert len(found["passages"]) == TRUCKS
    assert all(found["verdicts"][verdict] for verdict in ("release", "review", "inspect", "refuse"))
    assert "expected, found" not in done.stderr


def test_the_judge_saw_everything_and_found_nothing(honest):
    _, found = honest
    yard = found["yard"]
    assert found["violations"] == 0
    assert yard["checks"] > 1_000
    assert yard["crossings"] == sum(passage["outcome"] == "crossed" for passage in found["passages"])
    assert (yard["boom_on_vehicle"], yard["motion_without_command"], yard["crossing_without_record"]) == (0, 0, 0)


def test_receivers_counted_everything_and_the_chain_holds(honest):
    _, found = honest
    events, hazmat = found["events"], found["hazmat"]
    assert events["recorded"] == events["delivered"] > 0
    assert events["parked"] == 0
    assert hazmat["recorded"] == hazmat["delivered"] == 1
    assert found["chain"] == "ok"


def test_without_interlocks_the_judge_counts_and_the_same_seed_still_gives_the_same_verdicts(honest, tmp_path):
    done, found = play(tmp_path, 6, "--inject", "skip-interlock")
    assert done.returncode == 1
    assert found["yard"]["boom_on_vehicle"] > 0
    assert found["violations"] >= found["yard"]["boom_on_vehicle"]
    assert verdicts(found).items() <= verdicts(honest[1]).items()


def test_ctrl_c_ends_the_demo_with_all_its_processes(tmp_path):
    demo = subprocess.Popen(
        [*DEMO, "--port", "0", "--json", "--data", str(tmp_path)], stdout=subprocess.PIPE, text=True
    )
    assert demo.stdout is not None
    try:
        told = json.loads(demo.stdout.readline())
        assert told["url"].startswith("http://127.0.0.1:")
        children = processes_of(tmp_path)
        assert len(children) >= 3
        demo.send_signal(signal.SIGINT)
        assert demo.wait(60) == 0
    finally:
        demo.kill()
        demo.wait()
        demo.stdout.close()
    assert processes_of(tmp_path) == []


def test_a_fault_nobody_knows_is_wrong_use_and_starts_nothing():
    done = subprocess.run([*DEMO, "--inject", "earthquake"], capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 2
    assert "central-down" in done.stderr


def test_a_plan_that_is_not_met_would_be_told(honest):
    _, found = honest
    shown = [{**p, "scanned": [p["slip_no"]] if p["slip_no"] else [], "checks": []} for p in found["passages"]]
    assert surprises(first_visits(SEED, TRUCKS), shown)  # without its reasons no truck is as planned


def processes_of(data: Path) -> list[int]:
    """Processes whose command line names this data directory, the demo itself left out."""
    found = []
    for entry in Path("/proc").iterdir():
        try:
            words = (entry / "cmdline").read_bytes().split(b"\0")
        except (OSError, ValueError):
            continue
        is_other = entry.name.isdigit() and int(entry.name) != os.getpid() and b"demo" not in words
        if is_other and any(str(data).encode() in word for word in words):
            found.append(int(entry.name))
    return found
