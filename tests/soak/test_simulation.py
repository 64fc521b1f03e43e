"""Many seeds of the whole site, every protection taken away in turn, and a million steps of the automaton."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from gate_service.simulation.injects import INJECTS
from gate_service.simulation.run import simulate, simulate_all
from tests.property.test_automaton import walk

pytestmark = pytest.mark.soak

SEEDS = int(os.environ.get("SIMULATION_SEEDS", "40"))
SHOWN_BY = {
    "skip-interlock": {"lowered_not_clear", "boom_on_vehicle"},
    "forget-record": {"raise_without_record"},
    "double-use": {"slip_used_too_often"},
    "believe-zeros": {"boom_on_vehicle"},
    "move-at-restart": {"raise_without_record"},
    "new-ids": {"event_invented"},
    "lose-hazmat": {"hazmat_not_once"},
    "cut-chain": {"record_broken"},
    "no-way-out": {"trapped"},
}
"""What each injected fault must be seen by."""


def test_no_seed_shows_anything_that_must_never_happen():
    found = [
        violation for report in simulate_all(range(1, SEEDS + 1), 0.25) for violation in report.to_json()["violations"]
    ]
    assert found == []


@pytest.mark.parametrize("inject", sorted(INJECTS))
def test_every_protection_taken_away_is_seen_within_a_few_seeds(inject):
    for seed in (1, 3, 5, 24, 21, 40, 41, 42):
        kinds = {violation["kind"] for violation in simulate(seed, 0.1, inject).violations}
        if kinds & SHOWN_BY[inject]:
            return
    pytest.fail(f"{inject}: nothing was found")


def test_a_seed_replays_in_another_process_whatever_its_hash_seed():
    lines = set()
    for hash_seed in ("1", "2"):
        command = [sys.executable, "-m", "gate_service", "simulate", "--seeds", "1", "--from", "5", "--json"]
        done = subprocess.run(command, env={**os.environ, "PYTHONHASHSEED": hash_seed}, capture_output=True, check=True)
        lines.add(done.stdout)
    assert len(lines) == 1


def test_a_million_random_steps_of_the_automaton():
    for seed in range(10):
        assert walk(seed, 100_000) == set()
