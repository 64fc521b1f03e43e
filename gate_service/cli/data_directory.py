"""Finds the data directory that a verb is about: named itself, or by a site file."""

from __future__ import annotations

import tomllib
from pathlib import Path

from gate_service.domain.errors import InputError


def find(data: Path | None, config: Path | None) -> Path:
    """The data directory. Raises InputError where neither or both are given, or the file names none."""
    if (data is None) == (config is None):
        raise InputError("either --data DIR or --config FILE expected")
    if data is not None:
        return data
    assert config is not None
    try:
        document = tomllib.loads(config.read_text(encoding="utf-8"))
        return config.parent / str(document["data"]["dir"])
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError, KeyError, TypeError) as error:
        raise InputError(f"{config}: a site file with data.dir expected: {error}") from None
