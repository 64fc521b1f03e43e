"""`gate replay CAPTURE`: what a recorded link reads as; `--golden DIR` makes it a test that holds from then on."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from devices.links.recorder import Chunk, about, replay
from devices.weighbridge import protocols
from devices.weighbridge.frame_object import frame_object
from gate_service.cli.decode import option_map
from gate_service.domain.errors import InputError


def run(
    capture: Path,
    *,
    protocol: str | None,
    options: Sequence[str] | None,
    golden: Path | None,
    source: str | None,
    as_json: bool = False,  # noqa: ARG001 - one JSON object per line either way
) -> int:
    """Print each frame with the time of the read that settled it; 0: at least one reading, 1: none.

    Options left out are those of the recording. `golden`: nothing is printed but the name of the new test.
    """
    if golden is not None and not source:
        raise InputError("--golden: --source expected: which indicator, where, and who compared it with the display")
    name, chosen, chunks = _opened(capture, protocol, options)
    frames = _frames(name, chosen, chunks)
    readings = sum(fields["kind"] == "reading" for _, fields in frames)
    if golden is None:
        for at_s, fields in frames:
            print(json.dumps({"at_s": at_s, **fields}, ensure_ascii=False))
        return 0 if readings else 1
    if not readings:
        print(f"gate replay: {capture}: no reading as {name}; no test made of it", file=sys.stderr)
        return 1
    made = golden / f"{capture.stem}.json"
    test = {
        "protocol": name,
        "options": chosen,
        "source": source,
        "chunks": [chunk.data.hex(" ") for chunk in chunks],
        "expect": [fields for _, fields in frames],
    }
    _write_new(made, test)
    print(f"{made}: {len(chunks)} reads, {readings} readings. Compare its values with the display before you commit it")
    return 0


def _opened(
    capture: Path, protocol: str | None, options: Sequence[str] | None
) -> tuple[str, dict[str, str], list[Chunk]]:
    try:
        told, chunks = about(capture), [chunk for chunk in replay(capture) if not chunk.is_sent]
    except (OSError, UnicodeDecodeError) as exc:
        raise InputError(f"capture {capture}: cannot be read: {exc}") from exc
    name = protocol or told.get("protocol")
    if not isinstance(name, str):
        raise InputError(f"capture {capture} does not say its protocol: --protocol expected")
    recorded = dict(told.get("options", {})) if name == told.get("protocol") else {}
    return name, option_map(options) if options else recorded, chunks


def _frames(name: str, options: dict[str, str], chunks: Sequence[Chunk]) -> list[tuple[float | None, dict[str, Any]]]:
    """Every frame, with the seconds since the first read; None for what only the end settled."""
    decoder = protocols.create(name, options)
    began_s = chunks[0].at_s if chunks else 0.0
    frames: list[tuple[float | None, dict[str, Any]]] = []
    for chunk in chunks:
        at_s = round(chunk.at_s - began_s, 3)
        frames += [(at_s, frame_object(one)) for one in decoder.feed(chunk.data)]
    return frames + [(None, frame_object(one)) for one in decoder.flush()]


def _write_new(path: Path, content: dict[str, Any]) -> None:
    try:
        with path.open("x", encoding="utf-8") as file:
            json.dump(content, file, ensure_ascii=False, indent=1)
            file.write("\n")
    except FileExistsError:
        raise InputError(f"--golden: {path} exists already; give the capture another name") from None
    except OSError as exc:
        raise InputError(f"--golden: {path} cannot be written: {exc.strerror}") from exc
