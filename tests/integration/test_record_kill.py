import json
import random
import subprocess
import sys
import time
from contextlib import closing
from pathlib import Path

import pytest

from gate_service.cli import verify as verify_verb
from sync.store import FILE_NAME, sqlite_module
from sync.verify import verify_directory

ROOT = Path(__file__).resolve().parents[2]
LANES = 8


def write_until_killed(directory: Path, first: int, after_s: float) -> list[tuple[int, str, int]]:
    """Start the writer, kill it `after_s` after it was ready, and give what it had acknowledged."""
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.integration.record_writer", str(directory), str(first), str(LANES)],
        stdout=subprocess.PIPE,
        cwd=ROOT,
    )
    try:
        assert process.stdout is not None
        assert process.stdout.readline() == b"ready\n"
        time.sleep(after_s)
        process.kill()
        said = process.stdout.read().decode().splitlines(keepends=True)
    finally:
        process.kill()
        process.wait(10)
        process.stdout.close()
    whole = [line.split() for line in said if line.endswith("\n")]
    return [(int(number), kind, int(i)) for number, kind, i in whole]


def check_nothing_acknowledged_is_lost(directory: Path, acknowledged: list[tuple[int, str, int]]) -> int:
    report = verify_directory(directory)
    assert report.findings == []
    with closing(sqlite_module.connect(str(directory / FILE_NAME))) as connection:
        found = {
            number: (kind, json.loads(facts).get("reasons", [{}])[0].get("n"))
            for number, kind, facts in connection.execute("SELECT number, kind, facts FROM records")
        }
    for number, kind, i in acknowledged:
        assert found[number] == (kind, i if kind == "decision" else None)
    return report.records


def kill_rounds(directory: Path, rounds: int) -> None:
    rng = random.Random(20261101)
    acknowledged: list[tuple[int, str, int]] = []
    for n in range(rounds):
        acknowledged += write_until_killed(directory, 1_000_000 * n, rng.uniform(0.02, 0.5))
        records = check_nothing_acknowledged_is_lost(directory, acknowledged)
        assert len(acknowledged) <= records <= len(acknowledged) + LANES * (n + 1)
    assert len(acknowledged) > rounds


def test_killed_at_any_moment_nothing_acknowledged_is_lost_and_the_chain_goes_on(tmp_path):
    kill_rounds(tmp_path, 4)


@pytest.mark.soak
@pytest.mark.timeout(3600)
def test_killed_two_hundred_times_nothing_acknowledged_is_lost(tmp_path):
    kill_rounds(tmp_path, 200)


def test_the_check_itself_sees_an_acknowledged_record_that_is_lost(tmp_path):
    acknowledged = write_until_killed(tmp_path, 0, 0.2)
    with pytest.raises(KeyError):
        check_nothing_acknowledged_is_lost(tmp_path, [*acknowledged, (10**9, "decision", 1)])


def test_verify_works_beside_the_running_service_and_on_a_copy_of_its_files(tmp_path, capsys):
    directory = tmp_path / "data"
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.integration.record_writer", str(directory), "0", str(LANES)],
        stdout=subprocess.PIPE,
        cwd=ROOT,
    )
    try:
        assert process.stdout is not None
        for _ in range(200):
            process.stdout.readline()
        assert verify_verb.run(directory, as_json=True) == 0
        answer = json.loads(capsys.readouterr().out)
        assert answer["chain"] == "ok"
        assert answer["records"] > 100
    finally:
        process.kill()
        process.wait(10)
        process.stdout.close()
    assert verify_verb.run(directory, as_json=False) == 0
    assert "the record holds" in capsys.readouterr().out
    assert verify_verb.run(tmp_path / "nothing", as_json=True) == 2
