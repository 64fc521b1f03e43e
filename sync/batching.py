"""Which waiting events go next, and what an answer makes of them. Pure.

Newest passages come before the backlog, so that after an outage people see today first; the events of one passage
keep their order whatever happens.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from sync.central.wire import EventsAnswer

LARGEST_BATCH_BYTES: Final = 1024 * 1024  # site decision: small enough for a slow line within one time-out
ALREADY_THERE: Final = ("already_there", "duplicate")


@dataclass(frozen=True, slots=True)
class Waiting:
    """An event of the outbox that is due."""

    epoch: str
    seq: int
    event_id: str
    record_number: int
    passage_id: str | None
    payload: bytes
    type: str = ""

    @property
    def order(self) -> tuple[int, int]:
        """Place in the record: holds across epochs."""
        return self.record_number, self.seq


@dataclass(frozen=True, slots=True)
class Settlement:
    """What became of a batch. `open` was neither accepted nor rejected and stays due."""

    delivered: tuple[Waiting, ...] = ()
    parked: tuple[tuple[Waiting, str], ...] = ()
    open: tuple[Waiting, ...] = ()


def choose_batch(waiting: Iterable[Waiting], limit: int) -> list[Waiting]:
    """At most `limit` events of one epoch, passages with the newest events first, each from its first event on.

    `waiting` must hold, of every passage it names, all events that are due.
    """
    groups: dict[str, list[Waiting]] = {}
    for event in sorted(waiting, key=lambda w: w.order):
        groups.setdefault(event.passage_id or f"event {event.event_id}", []).append(event)
    newest_first = sorted(groups.values(), key=lambda group: group[-1].order, reverse=True)
    chosen: list[Waiting] = []
    size = 0
    epoch = newest_first[0][0].epoch if newest_first else ""
    for group in newest_first:
        for event in group:
            size += len(event.payload)
            if event.epoch != epoch or len(chosen) >= limit or (chosen and size > LARGEST_BATCH_BYTES):
                break
            chosen.append(event)
        else:
            continue
        if len(chosen) >= limit or size > LARGEST_BATCH_BYTES:
            break
    return sorted(chosen, key=lambda w: w.order)


def batch_body(batch: Sequence[Waiting]) -> bytes:
    """`{"epoch","events"}` out of frozen payloads, not one byte of them touched."""
    epoch = batch[0].epoch.encode()
    return b'{"epoch":"' + epoch + b'","events":[' + b",".join(event.payload for event in batch) + b"]}"


def settle(batch: Sequence[Waiting], answer: EventsAnswer) -> Settlement:
    """Read an answer over the batch it is for; what it says of other events is not believed."""
    rejected = {row.event_id: row for row in answer.rejected}
    delivered, parked, still_open = [], [], []
    for event in batch:
        row = rejected.get(event.event_id)
        if row is not None and row.code not in ALREADY_THERE:
            parked.append((event, f"{row.code}: {row.message}"))
        elif row is not None or answer.accepts(event.seq):
            delivered.append(event)
        else:
            still_open.append(event)
    return Settlement(tuple(delivered), tuple(parked), tuple(still_open))


class BatchLimit:
    """How many events to post at once: halved when a whole batch is refused, until the bad one stands alone."""

    def __init__(self, largest: int) -> None:
        self.largest = largest
        self.now = largest

    def refused(self, size: int) -> None:
        """A batch of `size` was refused as a whole."""
        self.now = max(1, size // 2)

    def went_through(self) -> None:
        """A batch was settled."""
        self.now = min(self.largest, self.now * 2)
