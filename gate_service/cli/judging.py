"""What the judging verbs share: read one document, judge it, print one JSON object."""

from __future__ import annotations

import json
import sys
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final, NoReturn

from gate_service.domain.errors import GateError, InputError

LARGEST_DOCUMENT: Final = 16 * 1024 * 1024  # bytes; a slip with a thousand documents has some hundred kilobytes


def _no_constant(word: str) -> NoReturn:
    raise InputError(f"a JSON number expected, found {word}")


def _no_doubles(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """A name given twice could say two things: which one was meant is not ours to guess."""
    table = dict(pairs)
    if len(table) != len(pairs):
        double = Counter(name for name, _ in pairs).most_common(1)[0][0]
        raise InputError(f"each name once in a JSON object expected, found {double[:60]!a} twice")
    return table


def read_source(source: str, largest: int = LARGEST_DOCUMENT) -> bytes:
    """The bytes of a file, or of standard input for `-`; InputError for what is not readable or has too many."""
    try:
        if source == "-":
            raw = sys.stdin.buffer.read(largest + 1)
        else:
            with Path(source).open("rb") as file:
                raw = file.read(largest + 1)
    except (OSError, ValueError) as error:
        raise InputError(f"{source}: a readable file expected, found {type(error).__name__}") from None
    if len(raw) > largest:
        raise InputError(f"at most {largest} bytes expected, found more")
    return raw


def read_document(source: str) -> object:
    """The JSON document of a file, or of standard input for `-`; InputError for what is not one."""
    try:
        text = read_source(source).decode("utf-8-sig")
        return json.loads(text, parse_constant=_no_constant, object_pairs_hook=_no_doubles)
    except RecursionError:
        raise InputError("JSON expected, found one nested too deep") from None
    except ValueError as error:  # also bytes that are not UTF-8, and numbers of thousands of digits
        raise InputError(f"JSON in UTF-8 expected, found: {error}") from None


def answer(source: str, judge: Callable[[object], dict[str, Any]], *, as_json: bool) -> int:
    """Print the answer, or what keeps it from being judged. Exit status 0 whatever the answer is, else 1."""
    return print_answer(lambda: judge(read_document(source)), as_json=as_json)


def print_answer(work: Callable[[], dict[str, Any]], *, as_json: bool) -> int:
    """Print what the work answers (0), or the one object that says why it could not (1)."""
    try:
        document, status = work(), 0
    except GateError as error:
        document, status = {"error": {"code": error.code, "message": str(error)}}, 1
    text = json.dumps(document, ensure_ascii=False, allow_nan=False, indent=None if as_json else 2)
    sys.stdout.buffer.write(text.encode("utf-8", "backslashreplace") + b"\n")
    sys.stdout.buffer.flush()
    return status
