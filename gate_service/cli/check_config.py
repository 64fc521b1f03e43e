"""`gate check-config FILE`."""

from __future__ import annotations

import json
import sys
from pathlib import Path

from config.loader import load
from gate_service.domain.errors import ConfigError


def run(file: Path, *, as_json: bool) -> int:
    """Print every mistake, one a line; 0 where there is none, 1 where there are some, 2 where there is no file."""
    if not file.is_file():
        sys.stderr.write(f"gate: {file}: no such file\n")
        return 2
    try:
        loaded = load(file)
    except ConfigError as error:
        for problem in error.problems:
            sys.stdout.write((json.dumps({"problem": problem}, ensure_ascii=False) if as_json else problem) + "\n")
        return 1
    summary = {"site": loaded.file.site.id, "lanes": len(loaded.file.lanes), "problems": 0}
    text = f"{file}: site {summary['site']}, {summary['lanes']} lanes, no mistakes found"
    sys.stdout.write((json.dumps(summary, ensure_ascii=False) if as_json else text) + "\n")
    return 0
