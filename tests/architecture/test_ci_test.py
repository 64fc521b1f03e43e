"""`.ci/test` runs the stories beside the first part: however it ends, they end with it."""

import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

SCRIPT = Path(__file__).parents[2] / ".ci" / "test"
WITHIN_S = 30
PYTHON = f"""#!{sys.executable}
# Stands in for pytest: the stories wait until they are interrupted, the first part until it is told how to end.
import pathlib, sys, time
here = pathlib.Path(__file__).parents[2]
told = " ".join(sys.argv)
with (here / "runs").open("a") as runs:
    runs.write(told + "\\n")
try:
    if "not browser" in told:
        (here / "first_begun").touch()
        while not (here / "first").exists() or not (here / "begun").exists():
            time.sleep(0.02)
        sys.exit(int((here / "first").read_text()))
    if "--ignore" not in told and "test_stories.py" in told:
        (here / "begun").touch()
        while not (here / "stories").exists():
            time.sleep(0.02)
        print("told by the stories")
        sys.exit(int((here / "stories").read_text()))
except KeyboardInterrupt:
    with (here / "interrupted").open("a") as interrupted:
        interrupted.write("stories\\n" if "test_stories.py" in told else "first\\n")
    sys.exit(2)
"""


@pytest.fixture
def site(tmp_path):
    """The script in a place of its own, with an interpreter that runs no tests."""
    (tmp_path / ".ci").mkdir()
    shutil.copy(SCRIPT, tmp_path / ".ci" / "test")
    python = tmp_path / ".venv" / "bin" / "python"
    python.parent.mkdir(parents=True)
    python.write_text(PYTHON)
    python.chmod(0o755)
    (tmp_path / "tmp").mkdir()
    return tmp_path


def start(site):
    """In a session of its own: a signal to its group is what Ctrl-C is."""
    environment = os.environ | {"TMPDIR": str(site / "tmp")}
    return subprocess.Popen(
        [site / ".ci" / "test"], env=environment, stdout=subprocess.PIPE, text=True, start_new_session=True
    )


def interrupted(site):
    """Who was, as often as they were."""
    found = site / "interrupted"
    return sorted(found.read_text().split()) if found.exists() else []


def test_the_stories_end_with_a_first_part_that_failed_and_nothing_is_left(site):
    (site / "first").write_text("3")
    with start(site) as script:
        try:
            script.communicate(timeout=WITHIN_S)
        finally:
            (site / "stories").write_text("0")
    assert (script.returncode, interrupted(site)) == (3, ["stories"])
    assert list((site / "tmp").iterdir()) == []


def test_ctrl_c_ends_both_once(site):
    with start(site) as script:
        try:
            deadline = time.monotonic() + WITHIN_S
            while not ((site / "begun").exists() and (site / "first_begun").exists()):  # an interpreter in its start
                assert time.monotonic() < deadline
                time.sleep(0.02)
            os.killpg(script.pid, signal.SIGINT)
            script.communicate(timeout=WITHIN_S)
        finally:
            (site / "stories").write_text("0")
            (site / "first").write_text("0")
    assert script.returncode != 0
    assert interrupted(site) == ["first", "stories"]


def test_stories_that_fail_are_told_and_end_the_run(site):
    (site / "first").write_text("0")
    (site / "stories").write_text("1")
    with start(site) as script:
        out, _ = script.communicate(timeout=WITHIN_S)
    assert (script.returncode, out) == (1, "told by the stories\n")
    assert len((site / "runs").read_text().splitlines()) == 2


def test_all_parts_run_where_all_succeed(site):
    (site / "first").write_text("0")
    (site / "stories").write_text("0")
    with start(site) as script:
        script.communicate(timeout=WITHIN_S)
    assert (script.returncode, interrupted(site)) == (0, [])
    assert len((site / "runs").read_text().splitlines()) == 4
