"""A lane's entry post: keeps what was read of the next vehicle until its passage opens, and gives it to nobody else.

Kept reads are in memory alone. What becomes of each is in the record: `read_for_next`, then `identified` of the passage
that took it, or `read_dropped`. After a restart nothing is kept, and the driver is asked to scan again.
"""

from __future__ import annotations

from collections import OrderedDict
from typing import Any, Final

from gate_service.domain.errors import CommandRefusedError
from gate_service.domain.reading import Detector, Presence
from gate_service.domain.record import Entry, FileRef
from lanes.book import LaneBook
from lanes.conditions import Situation
from lanes.detectors import Followed
from lanes.interlocks import CLEAR_HOLD_S
from lanes.photos import PhotoOf, Photos
from lanes.reads import Read, Whose, learned, whose
from lanes.states import LaneEvent, LaneState
from lanes.waiting_line import OWN_AT_APPROACH

MOST_KEPT: Final = 16
"""Reads kept for the vehicle at the approach: a plate and a slip for each of several owners' goods. Site decision."""

MOST_ANSWERS: Final = 64
"""Answers remembered for repeats; readers send a read again within seconds."""

UNSEEN_S: Final = 3.0
"""A vehicle leaves the approach loop and another stands there in no less. Site decision: 3 m of loop from standstill at
0.9 m/s2 (a laden truck) take 2.6 s, and the other one has to come up."""

ENTRY: Final = (Detector.ENTRY_LOOP, Detector.ENTRY_BEAM)

SAYS_WHY: Final = frozenset({LaneState.FAULT, LaneState.FIRE, LaneState.CLOSED})
"""States whose own reason to look stays shown."""


UNASSIGNED: Final = {"kept_for_next": False, "for_person": True}
"""Answer to a read that may be of either vehicle."""


class LanePost(LaneBook):
    """A lane with readers."""

    def __init__(self, *args: Any, **settings: Any) -> None:
        super().__init__(*args, **settings)
        self.kept: tuple[Read, ...] = ()
        self.photos = Photos()
        self.has_left_approach: bool | None = None  # the vehicle of the passage; None: not known
        self.has_gone_in = False  # its front is beyond the approach
        self._watched_s: float | None = None  # when it last was in sight of anything
        self._answers: OrderedDict[str, dict[str, Any]] = OrderedDict()

    def approach(self) -> Presence | None:
        """What the approach loop says now; None where the lane has none."""
        lost = self.sight.lost_because(self.clock.monotonic_s())
        return Presence.UNKNOWN if lost is not None else self.sight.presence(Detector.APPROACH)

    def whose_read(self, read: Read) -> Whose:
        """Of which vehicle a read is that comes now."""
        return self._whose(is_checked=self._is_checked(read))

    def photo_begins(self) -> PhotoOf:
        """Which vehicle a photo shows whose request begins now. No check would notice another one on it."""
        owner, passage = self._whose(is_checked=False), self.passage
        passage_id = None if passage is None or owner is not Whose.PASSAGE else passage.id
        return PhotoOf(owner, passage_id, self.photos.visit)

    def photo_taken(self, photo: FileRef, of: PhotoOf) -> None:
        """One is in the record: shown with its vehicle, where that is still the one in the lane or at the approach."""
        passage = self.passage
        if of.owner is Whose.PASSAGE and passage is not None and passage.id == of.passage_id:
            self.photos.show(passage.id, photo)
        elif of.owner is Whose.NEXT and of.visit == self.photos.visit:
            self.photos.keep(photo)
            return  # shown once its passage has begun
        elif of.owner is Whose.NEXT and passage is not None and self.photos.is_given(of.visit, passage.id):
            self.photos.show(passage.id, photo)
            self._name_photos(passage.id, (photo,))
        else:
            return
        self.changed()

    def _name_photos(self, passage_id: str, photos: tuple[FileRef, ...]) -> None:
        """They are of this passage after all. Without its document: a command under way may have queued a newer one."""
        facts = {"was_kept": True}
        self.scribe.put(Entry("photo", self.clock.now(), "service", facts, self.settings.id, passage_id, files=photos))

    def _whose(self, *, is_checked: bool) -> Whose:
        if not self.settings.reads_at_approach:
            return Whose.PASSAGE
        return whose(
            has_passage=self.passage is not None, state=self.state, approach=self.approach(),
            has_left=self.has_left_approach, has_gone_in=self.has_gone_in, is_checked=is_checked,
        )  # fmt: skip

    def _is_checked(self, read: Read) -> bool:
        """Whether a read of another vehicle would be noticed: a known plate differs from what belongs to another one.

        Where the camera could not read the plate, a person reads it before anything rises, beside the slip: the first
        slip may come while the tail is still at the approach. A second one, or a plate, could be of the one behind;
        after such a read nothing counts any more.
        """
        passage = self.passage
        if passage is None or passage.plate is not None:
            return passage is not None
        is_asked = any(asked.startswith(f"{passage.id}|") for asked in self._answers)
        return "scanned" in read.facts and passage.is_plate_looked_at and not passage.scanned and not is_asked

    # What was answered before ------------------------------------------------------------------------------------

    def answered(self, read: Read) -> dict[str, Any] | None:
        """The answer to a read that came before under the same `read_id`; None for one that is new or has none."""
        before = None if read.read_id is None else self._answers.get(read.content)
        passage = self.passage
        if before is not None and passage is not None and before.get("passage_id") == passage.id:
            return {**before, "facts_version": passage.facts_version}
        return before

    def answer(self, read: Read, answer: dict[str, Any]) -> dict[str, Any]:
        """Remember what was answered."""
        if read.read_id is not None:
            self._remember(read.content, answer)
        return answer

    def _remember(self, key: str, answer: dict[str, Any]) -> None:
        self._answers[key] = answer
        while len(self._answers) > MOST_ANSWERS:
            self._answers.popitem(last=False)

    # Reads of another vehicle ------------------------------------------------------------------------------------

    def keep_for_next(self, read: Read) -> dict[str, Any]:
        """Record and keep a read of the vehicle at the approach. Raises CommandRefusedError when too many are kept."""
        if read.content not in {kept.content for kept in self.kept}:
            if len(self.kept) >= MOST_KEPT:
                raise CommandRefusedError(
                    f"lane {self.settings.id}: {MOST_KEPT} reads of the next vehicle are kept, no more are taken"
                )
            self.kept = (*self.kept, read)
            self.put_about(None, "read_for_next", read.as_record(), actor=read.by)
            self.changed()
        return self.answer(read, {"kept_for_next": True})

    def ask_whose(self, read: Read) -> dict[str, Any]:
        """Record a read that may be of either vehicle, and call a person: it counts for neither."""
        passage_id = None if self.passage is None else self.passage.id
        asked = f"{passage_id}|{read.content}"
        if asked not in self._answers:
            facts = {**read.as_record(), "passage_id": passage_id}
            self.put_about(None, "read_unassigned", facts, actor=read.by)
            if self.state not in SAYS_WHY:
                self.attention = "read_unassigned"
            self.changed()
            self._remember(asked, UNASSIGNED)
        return self.answer(read, UNASSIGNED)

    def open_passage(self, event: LaneEvent | None = None) -> None:
        """As `LaneBook`; the vehicle that is seen at the approach brings what was read of it."""
        on_platform = self.situation(self.clock.monotonic_s()).is_platform_loaded()
        is_at_approach = event is LaneEvent.VEHICLE_ARRIVED and self.approach() is Presence.OCCUPIED and not on_platform
        super().open_passage()
        self.has_left_approach = not is_at_approach
        self.has_gone_in = not is_at_approach
        if not is_at_approach:
            self.drop_reads("another_vehicle")
            return
        if self.passage is not None and (photos := self.photos.give(self.passage.id)):
            self._name_photos(self.passage.id, photos)
        kept, self.kept = self.kept, ()
        for read in kept:
            if self.passage is not None:
                self.passage = learned(self.passage, read.facts)
                self.put("identified", {**read.as_record(), "was_kept": True}, actor=read.by)

    def drop_reads(self, why: str) -> None:
        """The vehicle that was read is no more certainly the next one."""
        self.photos.drop_kept()
        if self.kept:
            reads, self.kept = [read.as_record() for read in self.kept], ()
            self.put_about(None, "read_dropped", {"because": why, "reads": reads})
            self.changed()

    def mind_the_post(self, situation: Situation) -> None:
        """One look: has the vehicle of the passage left the approach; is the one that was read still there."""
        approach, now_s = self.approach(), situation.now_s
        clear_s = now_s - self.sight.clear_since_s.get(Detector.APPROACH, now_s)
        is_free = approach is Presence.CLEAR and clear_s >= CLEAR_HOLD_S  # a coupling is no gap between two vehicles
        is_at_entry = any(self.sight.is_occupied(at) for at in ENTRY)
        if self.state is LaneState.APPROACH and approach is Presence.OCCUPIED:
            self.has_left_approach = False  # a passage in this state is that of the vehicle there
            self.has_gone_in = False
        elif is_free or (situation.is_whole() and approach is not Presence.UNKNOWN):
            self.has_left_approach = True
        elif approach is Presence.UNKNOWN and not self.has_left_approach:
            self.has_left_approach = None
        self.has_gone_in = self.has_gone_in or is_at_entry or situation.is_platform_loaded()
        self._mind_the_vehicle(situation, is_gone=is_free and not is_at_entry)
        self._mind_the_kept(approach)

    def _mind_the_vehicle(self, situation: Situation, *, is_gone: bool) -> None:
        """In a safe state nobody follows the vehicle: was it seen to go, or out of sight long enough to be another."""
        now_s, before_s = situation.now_s, self._watched_s
        if self.passage is None or self.state not in SAYS_WHY:
            self._watched_s = now_s
            return
        is_watched = self.sight.lost_because(now_s) is None or situation.is_platform_loaded()
        was_unseen = is_watched and before_s is not None and now_s - before_s > UNSEEN_S
        if was_unseen or (is_gone and (not self.has_gone_in or situation.is_platform_empty() is True)):
            self.is_vehicle_sure = False
        if is_watched:
            self._watched_s = now_s

    def _mind_the_kept(self, approach: Presence | None) -> None:
        if approach is not Presence.OCCUPIED:
            self.drop_reads("approach_clear" if approach is Presence.CLEAR else "approach_unknown")
        elif Followed.IN in self.sight.untold:
            self.drop_reads(Followed.IN.value)  # who stands there now may be the one after it
        elif self.state in OWN_AT_APPROACH:
            self.drop_reads("another_vehicle")  # a person took the passage up again for the one that stands there
