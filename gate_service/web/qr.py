"""The QR code of an authenticator's address: its modules as an SVG path, drawn by the page in its own colours."""

from __future__ import annotations

from typing import Any

import segno

QUIET_ZONE = 4
"""Modules of white around the code (ISO/IEC 18004, 6.3.8)."""


def qr_path(text: str) -> dict[str, Any]:
    """`{"size": modules with the quiet zone, "path": dark modules}`; every run of dark modules is one rectangle."""
    code = segno.make_qr(text, error="m")
    rows = list(code.matrix_iter(border=QUIET_ZONE))
    path = "".join(f"M{x} {y}h{length}v1h-{length}z" for y, row in enumerate(rows) for x, length in _runs(row))
    return {"size": len(rows), "path": path}


def _runs(row: Any) -> list[tuple[int, int]]:
    """Where dark modules stand side by side: (place, length)."""
    found: list[tuple[int, int]] = []
    for place, is_dark in enumerate(row):
        if not is_dark:
            continue
        if found and sum(found[-1]) == place:
            found[-1] = (found[-1][0], found[-1][1] + 1)
        else:
            found.append((place, 1))
    return found
