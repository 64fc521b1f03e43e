"""When a lease is renewed, and what a refusal says. Pure."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, Final

RENEW_EARLIEST_US: Final = 60_000_000  # never more than once a minute, whatever the centre grants; site decision
MOST_NAMED: Final = 20
LONGEST: Final = 200
NAMED: Final = ("slip_no", "site", "passage_id", "at")


def renew_at_us(now_us: int, lease_until_us: int | None) -> int | None:
    """Half of the lease away, so that a line that is down for a while loses none; None for a lease without end."""
    if lease_until_us is None:
        return None
    return now_us + max(RENEW_EARLIEST_US, (lease_until_us - now_us) // 2)


def used_by(answer: Mapping[str, Any]) -> list[dict[str, str]]:
    """Who holds or used the slips, by the centre's word: slip, site, passage, time. What is no text is left out."""
    rows = answer.get("used_by")
    found = [row for row in (rows if isinstance(rows, list) else []) if isinstance(row, dict)]
    return [
        {name: row[name][:LONGEST] for name in NAMED if isinstance(row.get(name), str)} for row in found[:MOST_NAMED]
    ]


def used_by_text(answer: Mapping[str, Any]) -> str:
    """The same as one text for the row."""
    return json.dumps(used_by(answer), ensure_ascii=True)
