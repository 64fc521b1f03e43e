"""`gate backup TARGET`: a checked copy of the record, made beside the running service."""

from __future__ import annotations

import json
import sys
from dataclasses import asdict
from pathlib import Path

from gate_service.domain.errors import InputError
from sync.backup import back_up


def run(directory: Path, target: Path, *, as_json: bool) -> int:
    """Copy, check, print. 0 done, 1 the copy does not hold (ChainBrokenError), 2 nothing to copy or no place for it."""
    try:
        manifest = back_up(directory, target)
    except OSError as error:
        raise InputError(f"{target}: a directory that can be written expected: {error}") from error
    if as_json:
        sys.stdout.write(json.dumps({"backup": str(target), **asdict(manifest)}, ensure_ascii=False) + "\n")
    else:
        sys.stdout.write(f"{target}: {manifest.records} records and {manifest.files} files, checked: the copy holds\n")
    return 0
