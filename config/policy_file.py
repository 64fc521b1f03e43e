"""A policy file, TOML or JSON by its name's ending, to the document that the rules read."""

from __future__ import annotations

import json
import tomllib
from pathlib import Path
from typing import Any, Final, NoReturn

from gate_service.domain.errors import PolicyError

LARGEST_BYTES: Final = 1024 * 1024  # the default policy has 3 kilobytes


def read_policy_file(path: Path) -> dict[str, Any]:
    """The document in a file, not judged; PolicyError names the place in the file that cannot be read."""
    try:
        with path.open("rb") as file:
            raw = file.read(LARGEST_BYTES + 1)
    except OSError as error:
        raise PolicyError(f"{path}: a readable file expected, found: {error.strerror}") from None
    except ValueError as error:  # a name with a zero byte
        raise PolicyError(f"{str(path)!r}: a readable file expected, found: {error}") from None
    if len(raw) > LARGEST_BYTES:
        raise PolicyError(f"{path}: at most {LARGEST_BYTES} bytes expected, found more")
    is_toml = path.suffix.lower() == ".toml"
    try:
        text = raw.decode("utf-8-sig")
        document = tomllib.loads(text) if is_toml else json.loads(text, object_pairs_hook=_once, parse_constant=_number)
    except RecursionError:
        raise PolicyError(f"{path}: a policy expected, found one nested too deep") from None
    except ValueError as error:  # TOML and JSON say line and column; also bytes that are not UTF-8
        raise PolicyError(f"{path}: {'TOML' if is_toml else 'JSON'} in UTF-8 expected, found: {error}") from None
    if not isinstance(document, dict):
        raise PolicyError(f"{path}: a table expected, found {type(document).__name__}")
    return document


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    table = dict(pairs)
    if len(table) != len(pairs):
        raise ValueError("a name given twice in one table")
    return table


def _number(word: str) -> NoReturn:
    raise ValueError(f"{word}, which is no number of JSON")
