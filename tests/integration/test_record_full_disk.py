"""A disk that fills, on a real small file system: lanes close first, the record goes on, nothing is lost."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
MOUNT = 'mount -t tmpfs -o size=48m small "$1"'


@pytest.fixture
def small(tmp_path):
    """A place where a process of its own may mount 48 MiB."""
    tried = subprocess.run(["unshare", "-rm", "sh", "-c", MOUNT, "sh", str(tmp_path)], capture_output=True, check=False)
    if tried.returncode:
        pytest.skip(f"this machine lets nobody mount: {tried.stderr.decode().strip()}")
    return tmp_path


def test_lanes_close_before_a_record_can_fail_and_what_is_under_way_is_still_recorded(small):
    script = f'{MOUNT} && exec "$2" -m tests.integration.full_disk "$1"'
    command = ["unshare", "-rm", "sh", "-c", script, "sh", str(small), sys.executable]
    ended = subprocess.run(command, cwd=ROOT, capture_output=True, check=False, timeout=100)
    assert ended.returncode == 0, ended.stderr.decode()[-2000:]
    said = json.loads(ended.stdout.decode().splitlines()[-1])
    assert said["held"] == 4
    assert said["closed"] is True
    assert "other written" not in said
    assert said["on a full disk"] is True
    assert said["given up"] is True
    assert said["refused after"] > 120
    assert said["open again"] is True
    assert said["held again"] is True
    assert said["refused while filled"] > 0
    assert said["writable at the end"] is True
    assert said["found"] == []
    assert said["records"] >= said["acknowledged"]
