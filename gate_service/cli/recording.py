"""`--record FILE`: a capture of everything on a link, or none."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from devices.links.recorder import Capture
from gate_service.clock import RealClock
from gate_service.domain.errors import InputError


@contextmanager
def recording(path: Path | None, about: Mapping[str, Any]) -> Iterator[Capture | None]:
    """Open a new capture that says what it is of and when it began. InputError where the file cannot be made."""
    if path is None:
        yield None
        return
    capture = Capture(path, {**about, "began_at": RealClock().now().isoformat()})
    try:
        capture.__enter__()
    except FileExistsError:
        raise InputError(f"--record {path}: a new file expected, found one that exists") from None
    except OSError as exc:
        raise InputError(f"--record {path}: cannot be written: {exc.strerror}") from exc
    try:
        yield capture
    finally:
        capture.__exit__(None, None, None)
