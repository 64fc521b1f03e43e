"""The import contracts: kept by the tree, and each seen to fail on a planted violation."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PACKAGES = ("gate_service", "devices", "lanes", "sync", "config")

VIOLATIONS = [
    ("lanes/commands.py", "import devices.registry", "Layers"),
    ("gate_service/domain/mass.py", "import lanes.states", "Layers"),
    ("lanes/states.py", "import asyncio", "Decisions are pure"),
    ("lanes/policy/engine.py", "import time", "Decisions are pure"),
    ("gate_service/bootstrap/__init__.py", "import devices.simulator.yard", "Production code knows no simulator"),
    ("sync/worker.py", "import sync.reference.central", "Production code knows no simulator"),
    ("devices/simulator/indicator.py", "import devices.weighbridge.frame", "The simulator shares no code"),
]


def _lint(tree: Path) -> subprocess.CompletedProcess[str]:
    command = [str(Path(sys.executable).parent / "lint-imports"), "--no-cache"]
    return subprocess.run(
        command, cwd=tree, capture_output=True, text=True, check=False, timeout=100,
        env={**os.environ, "PYTHONPATH": str(tree)},
    )  # fmt: skip


@pytest.fixture(scope="module")
def tree(tmp_path_factory):
    copy = tmp_path_factory.mktemp("tree")
    for package in PACKAGES:
        shutil.copytree(
            ROOT / package, copy / package, ignore=shutil.ignore_patterns("__pycache__", "vendor", "static")
        )
    shutil.copy(ROOT / "pyproject.toml", copy)
    return copy


def test_the_tree_keeps_every_contract(tree):
    done = _lint(tree)
    assert done.returncode == 0, done.stdout


@pytest.mark.parametrize(("file", "line", "contract"), VIOLATIONS)
def test_a_planted_violation_breaks_its_contract(tree, file, line, contract):
    path = tree / file
    before = path.read_text(encoding="utf-8")
    path.write_text(
        before.replace("from __future__ import annotations\n", f"from __future__ import annotations\n{line}\n", 1)
    )
    try:
        done = _lint(tree)
    finally:
        path.write_text(before, encoding="utf-8")
    broken = [text for text in done.stdout.splitlines() if text.endswith("BROKEN")]
    assert done.returncode == 1
    assert any(text.startswith(contract) for text in broken), done.stdout
