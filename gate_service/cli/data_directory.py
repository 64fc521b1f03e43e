"""Finds the data directory that a verb is about: named itself, or by a site file."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any, Final

from gate_service.domain.errors import InputError

WRONG: Final = (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError, KeyError, TypeError)


def find(data: Path | None, config: Path | None) -> Path:
    """The data directory. Raises InputError where neither or both are given, or the file names none."""
    if (data is None) == (config is None):
        raise InputError("either --data DIR or --config FILE expected")
    if data is not None:
        return data
    assert config is not None
    try:
        return config.parent / str(_read(config)["data"]["dir"])
    except WRONG as error:
        raise InputError(f"{config}: a site file with data.dir expected: {error}") from None


def lanes_in(config: Path) -> list[str]:
    """The ids of the lanes of a site file that may have mistakes elsewhere. Raises InputError where it names none."""
    try:
        return [str(lane["id"]) for lane in _read(config)["lanes"]]
    except WRONG as error:
        raise InputError(f"{config}: a site file with lanes expected: {error}") from None


def _read(config: Path) -> dict[str, Any]:
    return tomllib.loads(config.read_text(encoding="utf-8"))
