"""Photos of the vehicle in a lane, shown to the person who decides. Never a fact: no rule and no version hangs on one.

The record names every photo that was taken (`photo`); here is only what the lane shows.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from gate_service.domain.record import FileRef
from lanes.reads import Whose

MOST_SHOWN: Final = 4
"""The newest of a vehicle: front, rear, top, and one more. Site decision."""


class Photos:
    """Of the vehicle of the passage, and of the one at the approach until its passage opens."""

    def __init__(self) -> None:
        self.kept: tuple[FileRef, ...] = ()
        self._passage_id: str | None = None
        self._shown: tuple[FileRef, ...] = ()

    def of(self, passage_id: str) -> tuple[FileRef, ...]:
        """What is shown of this passage's vehicle, newest last."""
        return self._shown if passage_id == self._passage_id else ()

    def add(self, photo: FileRef, owner: Whose, passage_id: str | None) -> None:
        """Take one in. `passage_id`: the passage in the lane when it came. Nobody's for sure is not shown."""
        if owner is Whose.NEXT:
            self.kept = (*self.kept, photo)[-MOST_SHOWN:]
        elif owner is Whose.PASSAGE and passage_id is not None:
            self.restore(passage_id, (*self.of(passage_id), photo))

    def restore(self, passage_id: str, photos: Sequence[FileRef]) -> None:
        """Show these of this passage."""
        self._passage_id, self._shown = passage_id, tuple(photos)[-MOST_SHOWN:]

    def give(self, passage_id: str) -> tuple[FileRef, ...]:
        """The vehicle at the approach has its passage now: its photos are shown there. Answers them."""
        given, self.kept = self.kept, ()
        self.restore(passage_id, given)
        return given

    def drop_kept(self) -> None:
        """Whoever stands at the approach may be another vehicle."""
        self.kept = ()
