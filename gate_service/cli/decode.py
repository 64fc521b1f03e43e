"""`gate decode PROTOCOL`: bytes of one weighing indicator to one JSON object per frame."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Iterator
from contextlib import closing
from io import BufferedReader
from pathlib import Path
from typing import cast

from devices.weighbridge import protocols
from devices.weighbridge.frame import Decoded, TareFrame, WeightFrame
from devices.weighbridge.frame_object import frame_object
from gate_service.domain.errors import InputError

DONE, FOUND_WANTING, WRONG_USE = 0, 1, 2
_CHUNK_BYTES = 65536


def run(protocol: str, *, hex_text: str | None, source: str | None, options: list[str], as_json: bool) -> int:  # noqa: ARG001 -- one JSON object per line either way
    """Print the frames. 0: at least one reading; 1: nothing but rejected bytes, or no bytes; 2: wrong use."""
    try:
        decoder = protocols.create(protocol, option_map(options))
        chunks = _chunks(hex_text, source)
    except (InputError, OSError) as error:
        print(f"gate decode: {error}", file=sys.stderr)
        return WRONG_USE
    readings = 0
    for chunk in chunks:
        readings += _print(decoder.feed(chunk))
    readings += _print(decoder.flush())
    return DONE if readings else FOUND_WANTING


def option_map(options: Iterable[str]) -> dict[str, str]:
    """Split `key=value` options. InputError for anything else, or a key given twice."""
    chosen: dict[str, str] = {}
    for option in options:
        key, equals, value = option.partition("=")
        if not equals or not key:
            raise InputError(f"option {option!r} is not key=value")
        if key in chosen:
            raise InputError(f"option {key!r} is given twice")
        chosen[key] = value
    return chosen


def _print(frames: Iterable[Decoded]) -> int:
    """Print one line per frame; return how many are readings."""
    readings = 0
    for frame in frames:
        print(json.dumps(frame_object(frame), ensure_ascii=False))
        readings += isinstance(frame, WeightFrame | TareFrame)
    return readings


def _chunks(hex_text: str | None, source: str | None) -> Iterator[bytes]:
    """Return the bytes to decode: of the text, of the file, or of standard input for `-`."""
    if (hex_text is None) == (source is None):
        raise InputError('give the bytes once: as --hex "02 2B …", as a file, or as - for standard input')
    if hex_text is not None:
        try:
            return iter([bytes.fromhex(hex_text)])
        except ValueError as error:
            raise InputError(f"--hex is not pairs of hexadecimal digits: {error}") from error
    if source == "-" or source is None:
        stdin = cast("BufferedReader", sys.stdin.buffer)  # read1: print what a pipe brings, when it brings it
        return iter(lambda: stdin.read1(_CHUNK_BYTES), b"")
    return _file_chunks(Path(source))


def _file_chunks(path: Path) -> Iterator[bytes]:
    """Open now, so that a file that is not there is told at once; read piece by piece."""
    file = path.open("rb")

    def pieces() -> Iterator[bytes]:
        with closing(file):
            yield from iter(lambda: file.read(_CHUNK_BYTES), b"")

    return pieces()
