"""Photos of the vehicle in a lane, shown to the person who decides. Never a fact: no rule and no version hangs on one.

The record names every photo that was taken (`photo`); here is only what the lane shows. Whose a photo is, is asked as
its request begins: until it is whole and in the record, the vehicles may have moved on.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from gate_service.domain.record import FileRef
from lanes.reads import Whose

MOST_SHOWN: Final = 4
"""The newest of a vehicle: front, rear, top, and one more. Site decision."""

MOST_KEPT: Final = 256
"""Of the vehicle at the approach: its passage names them all, or they would outlast the erasure of it. Site decision:
one a second for four minutes."""


@dataclass(frozen=True, slots=True)
class PhotoOf:
    """Which vehicle a photo shows. `passage_id`: of the one in the lane; `visit`: of the one at the approach."""

    owner: Whose
    passage_id: str | None
    visit: int


class Photos:
    """Of the vehicle of the passage, and of the one at the approach until its passage opens."""

    def __init__(self) -> None:
        self.kept: tuple[FileRef, ...] = ()
        self.visit = 0
        """Another number as soon as another vehicle may stand at the approach."""
        self._given: tuple[int, str] | None = None
        self._passage_id: str | None = None
        self._shown: tuple[FileRef, ...] = ()

    def of(self, passage_id: str) -> tuple[FileRef, ...]:
        """What is shown of this passage's vehicle, newest last."""
        return self._shown if passage_id == self._passage_id else ()

    def keep(self, photo: FileRef) -> None:
        """Keep one of the vehicle at the approach."""
        self.kept = _newest((*self.kept, photo), MOST_KEPT)

    def show(self, passage_id: str, photo: FileRef) -> None:
        """Show one more of this passage, which is the one in the lane."""
        self.restore(passage_id, (*self.of(passage_id), photo))

    def restore(self, passage_id: str, photos: Sequence[FileRef]) -> None:
        """Show these of this passage."""
        self._passage_id, self._shown = passage_id, _newest(photos, MOST_SHOWN)

    def give(self, passage_id: str) -> tuple[FileRef, ...]:
        """The vehicle at the approach has its passage now: its photos are shown there. Answers them."""
        self._given = (self.visit, passage_id)
        given = self.kept
        self.drop_kept()
        self.restore(passage_id, given)
        return given

    def is_given(self, visit: int, passage_id: str) -> bool:
        """Whether the vehicle that was at the approach on that visit is now the one of this passage."""
        return self._given == (visit, passage_id)

    def drop_kept(self) -> None:
        """Whoever stands at the approach may be another vehicle."""
        self.visit += 1
        self.kept = ()


def _newest(photos: Sequence[FileRef], most: int) -> tuple[FileRef, ...]:
    """A photo that is sent again, its answer lost, is one photo."""
    return tuple({photo.sha256: photo for photo in photos}.values())[-most:]
