"""`gate token add NAME --scope SCOPE[,SCOPE] [--lane ID]`: prints the token, the only time it is ever seen."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path


def run(
    directory: Path, *, name: str, scope: str, lanes: Sequence[str], config: Path | None = None, url: str = ""
) -> int:
    """Make the token. 0 when done; refusals are AccountError. Lanes are checked by the site file or the service."""
    from gate_service.cli.account_request import request
    from gate_service.cli.data_directory import lanes_in
    from gate_service.web.control import check_lanes

    if lanes and config is not None:
        check_lanes(lanes, lanes_in(config))
    scopes = [one.strip() for one in scope.split(",") if one.strip()]
    asked = {"do": "add_token", "name": name, "scopes": scopes, "lanes": list(lanes)}
    made = request(directory, asked, url)
    sys.stdout.write(f"{made['token']}\n")
    return 0
