"""`gate token add NAME --scope SCOPE[,SCOPE] [--lane ID]`: prints the token, the only time it is ever seen."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path


def run(directory: Path, *, name: str, scope: str, lanes: Sequence[str], url: str = "") -> int:
    """Make the token. 0 when done; refusals are AccountError."""
    from gate_service.cli.account_request import request

    scopes = [one.strip() for one in scope.split(",") if one.strip()]
    asked = {"do": "add_token", "name": name, "scopes": scopes, "lanes": list(lanes)}
    made = request(directory, asked, url)
    sys.stdout.write(f"{made['token']}\n")
    return 0
