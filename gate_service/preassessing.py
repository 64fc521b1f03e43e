"""Before the truck comes (RULES 2): each slip is judged when its copy arrives or changes, and again when a hold, an
enterprise or a declaration that it names does, when another policy comes into force, and each new day.

What would stop it is recorded and told (`slip.preassessed`), so that it can be mended before departure; once it is
mended that is told too. Police holds are neither told nor kept here: the driver and the enterprise must not learn of
them. Works off the difference between copy and what was judged, so a restart goes on where it was. Judged again, a slip
is recorded and told only where the result is another; new versions go first.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Final
from uuid import UUID, uuid5

from sqlalchemy import Connection

from gate_service.domain.draws import day_of
from gate_service.domain.errors import InputError, RecordError
from gate_service.domain.events import Event, EventType, JsonObject
from gate_service.domain.ports import Clock, PolicyAt
from gate_service.domain.record import Entry
from gate_service.domain.verdict import Check, Verdict
from lanes.policy.explain import sentence
from lanes.policy.preassess import preassess
from sync.chain import sha256_hex
from sync.concerned import Subject, noted
from sync.encoding import to_json
from sync.journal import SqlJournal
from sync.preassessments import Due, due, keep, walk
from sync.worker import SyncWorker

NAMESPACE: Final = UUID("5a1d9d0b-0a53-5c7a-8d0c-6f3a9b7be021")
PIECE: Final = 20  # slips judged together; their records and events are one transaction
LOOK_S: Final = 60.0  # a policy comes into force, and a day begins, without anything having changed
PAUSE_S: Final = 0.05  # between pieces: a whole copy that arrives at once must not hold up a lane
THROUGH: Final = frozenset({"passed", "second_gate_passed"})
"""Nothing can stop a slip that has been through."""


@dataclass(frozen=True, slots=True)
class PreassessedSite:
    """What slips are judged for."""

    id: str
    gate: str
    policy_at: PolicyAt

    @property
    def through(self) -> frozenset[str]:
        """Statuses of slips that have been through here."""
        return THROUGH | {"first_gate_passed"} if self.gate == "first" else THROUGH


@dataclass(frozen=True, slots=True)
class Judged:
    """One version of a slip. `verdict` None: not to be judged here (another site, book only, been through)."""

    slip: Due
    verdict: str | None
    checks: list[dict[str, Any]]

    @property
    def is_told(self) -> bool:
        """Whether it is to be told: something would stop it, or something would have until this version."""
        was_stopped = self.slip.before not in (None, "release")
        return self.is_news and self.verdict is not None and (self.verdict != "release" or was_stopped)

    @property
    def is_news(self) -> bool:
        """Whether this version is judged for the first time, or comes out otherwise than before."""
        before = self.slip.checks
        return before is None or self.verdict != self.slip.before or _result(before) != _result(self.checks)


@dataclass(slots=True)
class _Walk:
    """Going through the copy for what changed up to a note's number."""

    up_to: int
    subjects: frozenset[Subject]
    last: str = ""


class Preassessor:
    """A step of `Keeper`; constructed in `bootstrap`."""

    def __init__(self, journal: SqlJournal, worker: SyncWorker, clock: Clock, site: PreassessedSite) -> None:
        self._journal = journal
        self._worker = worker
        self._clock = clock
        self._site = site
        self._walk: _Walk | None = None
        self._basis: tuple[date, JsonObject | None] | None = None

    async def step(self) -> float:
        """Judge the next piece. Waits for the copy to change where nothing is due, and looks again after `LOOK_S`."""
        changed = self._worker.cache.changed
        changed.clear()
        await self.note_basis()
        slips = await self._journal.read(lambda connection: due(connection, PIECE))
        if slips:
            await self._judge(slips)
        elif not await self._judge_again():
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(changed.wait(), LOOK_S)
        return PAUSE_S

    async def note_basis(self) -> None:
        """Let every slip be looked at again where policy or day are others than those they were judged on."""
        now = self._clock.now()
        basis = (day_of(now), self._site.policy_at(now))
        if basis != self._basis:
            day, policy = basis
            with contextlib.suppress(RecordError):  # short of disk: what is due is judged all the same, this later
                await self._worker.cache.judged_on(f"{day.isoformat()} {sha256_hex(to_json(policy))}")
                self._basis = basis

    async def _judge_again(self) -> bool:
        """Look at the next piece of the copy for what changed around its slips; False where nothing did."""
        if self._walk is None:
            up_to, subjects = await self._journal.read(noted)
            if not subjects:
                return False
            self._walk = _Walk(up_to, subjects)
        going = self._walk
        walked = await self._journal.read(lambda connection: walk(connection, going.last, going.subjects, PIECE))
        if walked.slips:
            await self._judge(walked.slips)
        if walked.last is not None:
            going.last = walked.last
        else:
            await self._worker.cache.judged_again(going.up_to)
            self._walk = None
        return True

    async def _judge(self, slips: list[Due]) -> None:
        now = self._clock.now()
        judged = []
        for slip in slips:
            answer = await self._worker.slip_source.from_copy([slip.slip_no])
            judged.append(await asyncio.to_thread(self.judge, slip, answer.known, now))
        judged = [one for one in judged if one.is_news]
        if not judged:
            return
        events = tuple(self._event(one, now) for one in judged if one.is_told)
        facts = {"slips": [[one.slip.slip_no, one.slip.version, one.verdict, _codes(one)] for one in judged]}

        def also(connection: Connection, number: int) -> None:
            for one in judged:
                keep(connection, one.slip, (one.verdict, to_json(one.checks)), now, number)

        await self._journal.write(Entry("slips_preassessed", now, "service", facts, events=events), also)

    def judge(self, slip: Due, known: Mapping[str, Any], now: datetime) -> Judged:
        """Judge one version as of now. What the rules cannot read is left to the lane."""
        document = slip.document
        sites = document.get("site_ids") or []
        is_elsewhere = isinstance(sites, list) and bool(sites) and self._site.id not in sites
        if is_elsewhere or document.get("physical") is False or document.get("status") in self._site.through:
            return Judged(slip, None, [])
        try:
            site = self._site
            gate = site.gate if document.get("status") == "first_gate_passed" else "single"
            found = preassess(document, site=site.id, gate=gate, now=now, known=known, policy=site.policy_at(now))
        except InputError:
            return Judged(slip, None, [])
        checks = [check for check in found if check.verdict is not Verdict.DETAIN]
        verdict = max((check.verdict for check in checks), default=Verdict.RELEASE)
        return Judged(slip, verdict.word, [_shown(check) for check in checks])

    def _event(self, judged: Judged, at: datetime) -> Event:
        slip = judged.slip
        data = {
            "slip_no": slip.slip_no,
            "version": slip.version,
            "verdict": judged.verdict,
            "checks": [{key: value for key, value in check.items() if key != "text"} for check in judged.checks],
        }
        again = "" if slip.checks is None else f"/{slip.record}/{at.isoformat()}"
        event_id = uuid5(NAMESPACE, f"{self._site.id}/{slip.slip_no}/{slip.version}{again}")
        return Event(event_id, EventType.SLIP_PREASSESSED, at, data)


def _shown(check: Check) -> dict[str, Any]:
    text = {language: sentence(check, None, language) for language in ("zh", "en")}
    return {**check.as_document(), "text": text}


def _result(checks: Sequence[Mapping[str, Any]]) -> list[tuple[str, str]]:
    """What checks come to; the times and numbers in them move by themselves."""
    return sorted((check["reason_code"], check["verdict"]) for check in checks)


def _codes(judged: Judged) -> list[str]:
    return [check["reason_code"] for check in judged.checks]
