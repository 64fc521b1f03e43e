"""What the zone authority answered, attempt by attempt: kept beside the feed, never part of the chain."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import Connection

from sync.columns import from_us
from sync.statements import marks, run

LONGEST_ANSWER: Final = 300
"""Characters of the answer (or of the failure) that are kept: enough for a receipt number or a reason."""


@dataclass(frozen=True, slots=True)
class Receipt:
    """One attempt that reached the receiver. `status` None: no whole answer came; `answer` then says what happened."""

    event_id: str
    at_us: int
    status: int | None
    answer: str


def keep(connection: Connection, receipt: Receipt) -> None:
    """In the transaction that notes what the answer means for the event."""
    answer = "".join(one if one.isprintable() else " " for one in receipt.answer)[:LONGEST_ANSWER]
    run(
        connection,
        "INSERT INTO receipts (event_id, at_us, status, answer) VALUES (?, ?, ?, ?)",
        (receipt.event_id, receipt.at_us, receipt.status, answer),
    )


def of(connection: Connection, event_ids: Sequence[str]) -> dict[str, list[dict[str, Any]]]:
    """Receipts of events, oldest first: `{"at", "status", "answer"}`."""
    found: dict[str, list[dict[str, Any]]] = {event_id: [] for event_id in event_ids}
    rows = run(
        connection,
        f"SELECT event_id, at_us, status, answer FROM receipts WHERE event_id IN ({marks(event_ids)})"  # noqa: S608
        " ORDER BY id",
        tuple(event_ids),
    )
    for event_id, at_us, status, answer in rows:
        found[event_id].append({"at": from_us(at_us).isoformat(), "status": status, "answer": answer})
    return found
