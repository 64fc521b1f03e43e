"""Every decoder for `FUZZ_SECONDS` (60, `make soak`: 600) under a fuzzer that sees which lines an input reaches."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from devices.weighbridge import protocols

SECONDS = int(os.environ.get("FUZZ_SECONDS", "60"))
MEMORY_MB = 512
HANG_S = 5
HERE = Path(__file__).parent
SAMPLES: list[dict[str, Any]] = json.loads(
    (HERE.parent / "golden" / "weighbridge" / "frames.json").read_text(encoding="utf-8")
)


def seed(corpus: Path, name: str) -> None:
    """Known frames to start from, alone and glued; the fuzzer reads what chooses options from the end."""
    corpus.mkdir()
    frames = [bytes.fromhex(sample["hex"]) for sample in SAMPLES if sample["protocol"] == name]
    for number, frame in enumerate([*frames, b"".join(frames)[:400]]):
        (corpus / f"{number}").write_bytes(frame + bytes(12))


@pytest.mark.soak
@pytest.mark.timeout(SECONDS + 300)
@pytest.mark.parametrize("name", protocols.PROTOCOLS)
def test_no_input_crashes_hangs_or_swells_a_decoder(name: str, tmp_path: Path) -> None:
    pytest.importorskip("atheris", reason="no atheris for this Python: `.ci/setup soak`")
    seed(tmp_path / "corpus", name)
    limits = [f"-max_total_time={SECONDS}", f"-timeout={HANG_S}", f"-rss_limit_mb={MEMORY_MB}", "-max_len=512"]
    ran = subprocess.run(
        [sys.executable, str(HERE / "fuzz_decoder.py"), name, *limits, str(tmp_path / "corpus")],
        cwd=tmp_path,
        env=os.environ | {"PYTHONPATH": str(HERE.parents[1])},
        capture_output=True,
        text=True,
        check=False,
    )
    assert ran.returncode == 0, ran.stderr[-4000:]
    told = [line for line in ran.stderr.splitlines() if line.startswith("Done")]
    assert told, ran.stderr[-2000:]
    print(f"{name}: {told[-1]}; {[line for line in ran.stderr.splitlines() if 'cov:' in line][-1]}")
