"""Vehicles at a site's lanes without the lanes' devices: the real decision, record, copy and claims say who passes."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

from gate_service.domain.errors import SlipTakenError
from gate_service.domain.mass import Mass
from gate_service.domain.passage import Disposition, Passage, Weighed
from gate_service.domain.reading import StabilityFrom
from gate_service.domain.record import Entry
from lanes.closing import close_passage
from lanes.deciding import Decider, reservations
from lanes.guards import Layout
from lanes.platform import DeckSettings
from lanes.settings import LaneSettings
from tests.fakes.slips import sound_slip
from tests.fakes.sync_parties import Site


def shared_slip(number: str, **changes: Any) -> dict[str, Any]:
    """A slip of no site alone, open for ever."""
    return sound_slip(slip_no=number, version=1, site_ids=[], valid_until_at=None, **changes)


class Gate:
    """The lanes of one site."""

    def __init__(self, site: Site, site_id: str) -> None:
        self.site = site
        self.settings = LaneSettings(
            id="in-d1", site_id=site_id, name={"zh": "道", "en": "lane"}, kind="declared", direction="inbound",
            allows_hazmat=True, layout=Layout(has_weighbridge=True, has_entry_barrier=True, has_exit_barrier=True),
            deck=DeckSettings(Mass.from_kg(20), Mass.from_kg(80_000), Mass.from_kg(40)),
            verified_until_at=datetime.now(UTC) + timedelta(days=365),
        )  # fmt: skip
        worker = site.worker
        self.decider = Decider(
            self.settings, worker.slip_source, worker.claims, site.worker._clock,
            are_devices_safe=lambda: True, clock_error_s=worker.clock_error_s,
        )  # fmt: skip

    async def attempt(self, number: str) -> Passage:
        """One vehicle with this slip: judged, again where another lane was quicker, and on disk."""
        now = datetime.now(UTC)
        weighed = Weighed(
            Mass.from_kg(32_440), "ok", True, StabilityFrom.COMPUTED, "32440", "02", now, was_zeroed=True,
            was_whole=True,
        )  # fmt: skip
        passage = Passage(
            str(uuid4()), "in-d1", "inbound", now, "deciding", plate="浙B12345", is_plate_looked_at=True,
            containers=("CSQU3054383",), seals=(), scanned=(number,), weighed=weighed,
        )  # fmt: skip
        while True:
            judged = await self.decider.decide(passage)
            try:
                await self.site.journal.write(judged.entry)
            except SlipTakenError:
                continue
            return judged.passage

    async def release_by_hand(self, passage: Passage) -> Passage:
        """People decide: the vehicle goes, against the verdict."""
        released = replace(passage, disposition=Disposition.RELEASE, disposed_by="user:sup")
        await self._put("command", released, ledger=reservations(released))
        return released

    async def leave(self, passage: Passage, *, has_crossed: bool) -> None:
        """The vehicle crosses, or turns back."""
        closed, ledger, events = close_passage(passage, self.settings, has_crossed=has_crossed, now=datetime.now(UTC))
        await self._put("crossing" if has_crossed else "departure", closed, ledger=ledger, events=events)
        if not has_crossed:
            self.site.worker.claims.give_back(passage.id)

    async def _put(self, kind: str, passage: Passage, **more: Any) -> None:
        about = {"lane": "in-d1", "passage_id": passage.id, "passage": passage.document(), **more}
        await self.site.journal.write(Entry(kind, datetime.now(UTC), "service", {}, **about))
