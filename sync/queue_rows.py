"""The rows of outbox and feed: what waits, and what is noted after an attempt. Nothing is deleted or altered here."""

# ruff: noqa: S608 - the only names put into statements are those of QUEUES

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import Connection

from sync.batching import Waiting
from sync.columns import from_us
from sync.dependence import NEEDED, Parked, about
from sync.statements import marks, run, run_many

QUEUES: Final = ("outbox", "feed")
LONGEST_REASON: Final = 600
WAITS_SINCE: Final = {"outbox": "due_at_us", "feed": "at_us"}
"""Since when an event waits: in the outbox from its record on, or since it was taken up again, and the index of what
waits answers alone (a backlog of 600,000: 40 ms, not 190). In the feed `due_at_us` is the next attempt."""
HEADS: Final = (
    "feed f WHERE state = 'due' AND state <> 'delivered'"
    " AND NOT EXISTS (SELECT 1 FROM feed e WHERE e.passage_id = f.passage_id AND e.state || '' = 'due'"
    # `<> 'delivered'` and what hides columns lead SQLite to the index of what waits by passage; others read more.
    " AND e.state <> 'delivered' AND (+e.record_number < f.record_number"
    " OR (+e.record_number = f.record_number AND e.seq < f.seq)))"
)
"""Of each passage the first event not yet told."""


@dataclass(frozen=True, slots=True)
class FeedRow:
    """An event for the authority whose turn it is."""

    epoch: str
    seq: int
    event_id: str
    passage_id: str | None
    attempts: int
    payload: bytes


def waiting_newest(connection: Connection, limit: int) -> list[Waiting]:
    """The newest `limit` due events of the outbox, and every due event of their passages."""
    newest = run(
        connection,
        # The second condition is the index's own, spelled so that SQLite takes the index.
        "SELECT epoch, seq, id, record_number, passage_id, CASE WHEN passage_id IS NULL THEN payload END, type"
        " FROM outbox WHERE state = 'due' AND state <> 'delivered' ORDER BY due_at_us DESC, seq DESC LIMIT ?",
        (limit,),
    ).fetchall()
    found = [Waiting(*row) for row in newest if row[4] is None]
    passages = tuple({row[4] for row in newest if row[4] is not None})
    for start in range(0, len(passages), 500):  # SQLite builds may allow only 999 places
        piece = passages[start : start + 500]
        rows = run(
            connection,
            "SELECT epoch, seq, id, record_number, passage_id, payload, type FROM outbox"
            # By the index of what waits by passage; a bare `state = 'due'` has SQLite read the whole table instead.
            f" WHERE passage_id IN ({marks(piece)}) AND state <> 'delivered' AND state || '' = 'due'",
            piece,
        )
        found += [Waiting(*row) for row in rows]
    return found


def parked_needed(connection: Connection) -> list[Parked]:
    """Parked events of the outbox that later ones may depend on."""
    rows = run(
        connection,
        "SELECT type, passage_id, payload, record_number, seq FROM outbox WHERE state = 'parked'"
        f" AND state <> 'delivered' AND type IN ({marks(NEEDED)})",
        NEEDED,
    )
    return [Parked(row[0], about(row[0], row[1], row[2]), (row[3], row[4])) for row in rows]


def feed_heads(connection: Connection, now_us: int, limit: int) -> list[FeedRow]:
    """Of each passage the first event not yet told, if it is due; oldest first."""
    rows = run(
        connection,
        f"SELECT epoch, seq, id, passage_id, attempts, payload FROM {HEADS} AND due_at_us <= ?"
        " ORDER BY record_number, seq LIMIT ?",
        (now_us, limit),
    )
    return [FeedRow(*row) for row in rows]


def next_due_us(connection: Connection) -> int | None:
    """When the feed has something to try again; None for nothing."""
    row = run(connection, f"SELECT MIN(due_at_us) FROM {HEADS}").fetchone()
    return None if row is None or row[0] is None else int(row[0])


def mark_delivered(connection: Connection, queue: str, events: Sequence[tuple[str, int]], now_us: int) -> None:
    """Only after the party's answer, never before."""
    run_many(
        connection,
        f"UPDATE {_known(queue)} SET state = 'delivered', delivered_at_us = ?, attempts = attempts + 1, reason = NULL"
        " WHERE epoch = ? AND seq = ? AND state <> 'delivered'",
        [(now_us, epoch, seq) for epoch, seq in events],
    )


def mark_parked(connection: Connection, queue: str, events: Sequence[tuple[str, int, str]]) -> None:
    """Put aside where a person sees it, with the reason."""
    run_many(
        connection,
        f"UPDATE {_known(queue)} SET state = 'parked', attempts = attempts + 1, reason = ?"
        " WHERE epoch = ? AND seq = ? AND state <> 'delivered'",
        [(reason[:LONGEST_REASON], epoch, seq) for epoch, seq, reason in events],
    )


def mark_failed(connection: Connection, event: FeedRow, due_at_us: int, reason: str) -> None:
    """An attempt to tell the authority failed; the next is at `due_at_us`."""
    run(
        connection,
        "UPDATE feed SET attempts = attempts + 1, due_at_us = ?, reason = ?"
        " WHERE epoch = ? AND seq = ? AND state = 'due'",
        (due_at_us, reason[:LONGEST_REASON], event.epoch, event.seq),
    )


def send_again(connection: Connection, queue: str, event_ids: Sequence[str] | None, now_us: int) -> int:
    """Take parked events up again, from the first attempt on; None for all of them. Answers how many."""
    if event_ids is None:
        return run(
            connection,
            f"UPDATE {_known(queue)} SET state = 'due', attempts = 0, due_at_us = ?"
            " WHERE state = 'parked' AND state <> 'delivered'",
            (now_us,),
        ).rowcount
    return sum(
        run(
            connection,
            f"UPDATE {_known(queue)} SET state = 'due', attempts = 0, due_at_us = ? WHERE id = ? AND state = 'parked'",
            (now_us, event_id),
        ).rowcount
        for event_id in event_ids
    )


def tell_again(connection: Connection, event_id: str, now_us: int) -> bool:
    """Take one event of the feed up again, parked or delivered; the receiver knows a repeat by its id.

    False where there is no such event, or where it waits anyway.
    """
    taken = run(
        connection,
        "UPDATE feed SET state = 'due', attempts = 0, due_at_us = ?, reason = NULL WHERE id = ? AND state <> 'due'",
        (now_us, event_id),
    )
    return taken.rowcount > 0


def parked(connection: Connection, queue: str, limit: int) -> list[dict[str, Any]]:
    """Parked events with their reasons, newest first."""
    rows = run(
        connection,
        f"SELECT id, epoch, seq, type, passage_id, at_us, attempts, reason FROM {_known(queue)}"
        " WHERE state = 'parked' AND state <> 'delivered' ORDER BY record_number DESC LIMIT ?",
        (limit,),
    )
    names = ("id", "epoch", "seq", "type", "passage_id", "at", "attempts", "reason")
    return [dict(zip(names, (*row[:5], from_us(row[5]).isoformat(), *row[6:]), strict=True)) for row in rows]


def depth(connection: Connection, queue: str) -> dict[str, Any]:
    """How much waits and is parked, and since when the oldest waits."""
    since = WAITS_SINCE[queue]
    rows = run(
        connection,
        f"SELECT state, COUNT(*), MIN({since}) FROM {_known(queue)} WHERE state <> 'delivered' GROUP BY state",
    )
    found = {row[0]: row for row in rows}
    due = found.get("due")
    return {
        "due": due[1] if due else 0,
        "oldest_due_at": from_us(due[2]).isoformat() if due else None,
        "parked": found["parked"][1] if "parked" in found else 0,
    }


def _known(queue: str) -> str:
    """The queue's own name, and nothing else ever in a statement."""
    return QUEUES[QUEUES.index(queue)]
