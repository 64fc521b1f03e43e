"""Answers about slips: the centre if it answers in time, else the site's copy. `ports.SlipSource`."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

from sqlalchemy import Connection

from gate_service.domain.errors import CentralError, RecordError
from gate_service.domain.events import JsonObject
from gate_service.domain.ports import Clock, SlipAnswer, Source
from gate_service.domain.slip_code import slip_no_in
from sync import ledger
from sync.central.rest import CentralClient
from sync.central.wire import read_moment
from sync.change import Change, SlipCheck, read_slip_document
from sync.database import Database
from sync.ledger import LedgerFacts
from sync.pinned_keys import PinnedKeys
from sync.register_lookup import local_slips, service_vehicles, temporary_exits, with_inspections
from sync.site_holds import known_holds, standing
from sync.slip_cache import CopyState, SlipCache
from sync.slip_lookup import CopyRow, Registers, Touched, registers, slips_by_number, slips_by_plate

AHEAD_KEPT: Final = 64  # passages that wait for their decision; more than any site has lanes


@dataclass(frozen=True, slots=True)
class _Question:
    """What was asked, in the form in which it can be looked for."""

    numbers: tuple[str, ...]
    plate: str | None
    direction: str
    passage_id: str

    @classmethod
    def of(cls, scanned: Sequence[str], plate: str | None, direction: str, passage_id: str) -> _Question:
        """Leave out what cannot be any number or plate; of a signed token only the slip it names is looked for."""
        numbers = tuple(number for number in dict.fromkeys(map(slip_no_in, scanned)) if _is_clean(number))
        return cls(numbers, plate if plate and _is_clean(plate) else None, direction, passage_id)


@dataclass(frozen=True, slots=True)
class _Answered:
    """What the centre said: slips by number (None: unknown to it), and as of when."""

    slips: Mapping[str, JsonObject | None]
    as_of: datetime


@dataclass(frozen=True, slots=True)
class _Ahead:
    """An answer from the copy, looked up before it was asked for; it stands until something is written."""

    question: _Question
    changes: int
    answer: SlipAnswer


@dataclass(slots=True)
class _Chosen:
    """The slips of an answer while it is being put together."""

    is_central: bool
    slips: list[JsonObject] = field(default_factory=list)
    as_ofs: list[datetime | None] = field(default_factory=list)


class CentralSlipSource:
    """Asks the centre within `lookup_timeout_s` and not at all while the line is known to be down."""

    def __init__(
        self,
        database: Database,
        cache: SlipCache,
        clock: Clock,
        *,
        client: CentralClient | None = None,
        pinned_keys: PinnedKeys | None = None,
        check_slip: SlipCheck | None = None,
        keeps_vehicles_inside: bool = False,
        is_second_gate: bool = False,
    ) -> None:
        self._database = database
        self._cache = cache
        self._clock = clock
        self._client = client
        self._pinned_keys = pinned_keys or PinnedKeys(clock)
        self._check_slip = check_slip
        self._keeps_vehicles_inside = keeps_vehicles_inside
        self._open_status = "first_gate_passed" if is_second_gate else "approved"
        self._ahead: dict[str, _Ahead] = {}
        self._looking: set[asyncio.Task[None]] = set()

    async def find(self, *, scanned: Sequence[str], plate: str | None, direction: str, passage_id: str) -> SlipAnswer:
        """Slips by scanned numbers or, with none scanned, by plate. Raises RecordError only."""
        question = _Question.of(scanned, plate, direction, passage_id)
        answer = self._at_hand(question)
        self._ahead.pop(passage_id, None)
        return await self._find(question) if answer is None else answer

    def at_hand(
        self, *, scanned: Sequence[str], plate: str | None, direction: str, passage_id: str
    ) -> SlipAnswer | None:
        """As the port."""
        return self._at_hand(_Question.of(scanned, plate, direction, passage_id))

    def _at_hand(self, question: _Question) -> SlipAnswer | None:
        """What was looked up ahead, while nothing was written since and no centre is there to ask."""
        ahead = self._ahead.get(question.passage_id)
        now = (question, self._database.changes)
        if ahead is None or (ahead.question, ahead.changes) != now or self._is_centre_up():
            return None
        return ahead.answer

    def look_ahead(self, *, scanned: Sequence[str], plate: str | None, direction: str, passage_id: str) -> None:
        """Look up in the background what will be asked soon, where the copy answers it."""
        if self._is_centre_up():
            return
        work = self._look(_Question.of(scanned, plate, direction, passage_id))
        task = asyncio.get_running_loop().create_task(work, name="slip look-ahead")
        self._looking.add(task)
        task.add_done_callback(self._looking.discard)

    async def settle(self) -> None:
        """Wait until nothing is looked up in the background."""
        await asyncio.gather(*self._looking, return_exceptions=True)

    async def from_copy(self, numbers: Sequence[str]) -> SlipAnswer:
        """What the site itself knows of these slips now, without asking the centre: judged ahead of a vehicle."""
        question = _Question.of(numbers, None, "inbound", "")
        return await self._database.read(lambda connection: self._compose(connection, question, None))

    def _is_centre_up(self) -> bool:
        return self._client is not None and self._client.line.is_up

    async def _look(self, question: _Question) -> None:
        changes = self._database.changes  # before reading: what is written meanwhile makes the answer old
        with contextlib.suppress(RecordError):  # the decision will ask again and say so
            answer = await self._find(question)
            if answer.source is Source.CENTRAL:
                return  # the centre came up meanwhile: it is to be asked at the decision itself
            while len(self._ahead) >= AHEAD_KEPT:
                del self._ahead[next(iter(self._ahead))]
            self._ahead[question.passage_id] = _Ahead(question, changes, answer)

    async def _find(self, question: _Question) -> SlipAnswer:
        answered = await self._ask(question)
        if answered is not None:
            await self._keep_newer(answered)
        return await self._database.read(lambda connection: self._compose(connection, question, answered))

    def _compose(self, connection: Connection, question: _Question, answered: _Answered | None) -> SlipAnswer:
        """Put the answer together out of one moment of the database; one thread's turn for all of it."""
        numbers, passage_id = question.numbers, question.passage_id
        state, rows = _copy(connection, question, answered, self._open_status)
        own = local_slips(connection, numbers, question.plate, question.direction, self._clock.now())
        rows = {**rows, **own}
        chosen = _Chosen(is_central=answered is not None)
        for number in dict.fromkeys([*(numbers or rows), *(answered.slips if answered else ())]):
            self._choose(chosen, number, answered, rows.get(number), state)
        slips = with_inspections(connection, chosen.slips)
        touched = Touched.by(slips, numbers, question.plate)
        registered = registers(connection, touched, passage_id)
        registered.vehicles.extend(service_vehicles(connection, touched.plates))
        registered.revoked.extend(number for number, row in own.items() if row.is_tombstone)
        exits = temporary_exits(connection, touched.enterprises)
        own_holds = known_holds(standing(connection), touched, slips)
        used = ledger.facts(connection, touched.slip_nos, touched.plates, touched.declarations, passage_id)
        if not numbers:
            slips = [slip for slip in slips if _is_open(slip, used, registered, self._open_status)]
        as_of = answered.as_of if answered is not None and chosen.is_central else state.as_of
        return SlipAnswer(
            slips=slips,
            source=Source.CENTRAL if chosen.is_central else Source.LOCAL,
            as_of=_oldest(chosen.as_ofs) if chosen.as_ofs else as_of,
            holds_as_of=state.as_of,
            known={**self._known(registered, used, own_holds), "temporary_exits": exits},
        )

    async def _ask(self, question: _Question) -> _Answered | None:
        """Ask the centre; None where it did not answer for everything."""
        client, numbers, plate = self._client, question.numbers, question.plate
        if client is None or not self._is_centre_up() or not (numbers or plate):
            return None
        try:
            if numbers:
                found = await asyncio.gather(*(client.slip(number) for number in numbers))
                raw_slips: dict[str, Any] = dict(zip(numbers, found, strict=True))
            else:
                assert plate is not None
                rows = await client.slips(plate, question.direction)
                raw_slips = {str(row["slip_no"]): row for row in rows if isinstance(row, dict) and row.get("slip_no")}
        except CentralError:
            return None
        moments = [read_moment(raw.get("as_of")) for raw in raw_slips.values() if raw is not None]
        return _Answered(raw_slips, _oldest(moments) or self._clock.now())

    async def _keep_newer(self, answered: _Answered) -> None:
        """Bring the copy up to the centre's answers, those that cannot be read included."""
        keys = tuple(answered.slips)
        _, rows = await self._database.read(lambda connection: slips_by_number(connection, keys))
        for number, raw in answered.slips.items():
            if raw is None:
                continue
            read, row = read_slip_document(raw, check=self._check_slip), rows.get(number)
            if row is None or not isinstance(read, Change) or read.version > row.version:
                with contextlib.suppress(RecordError):  # the lane closes for it; the answer in hand still stands
                    await self._cache.apply_slip(raw, answered.as_of)

    def _choose(
        self, chosen: _Chosen, number: str, answered: _Answered | None, row: CopyRow | None, state: CopyState
    ) -> None:
        """Take the centre's slip or the copy's, whichever is newer; neither where the centre's cannot be read."""
        raw = answered.slips.get(number) if answered else None
        if raw is not None and answered is not None:
            read = read_slip_document(raw, check=self._check_slip)
            if not isinstance(read, Change) or read.key != number:
                return
            if row is None or read.version > row.version or (read.version == row.version and row.document is not None):
                chosen.slips.append(raw)
                chosen.as_ofs.append(answered.as_of)
                return
        if row is not None:
            chosen.is_central = False  # the centre did not answer for it, or knows less than the copy
            chosen.as_ofs.append(max(at for at in (state.as_of, row.as_of) if at is not None))
            if row.document is not None:
                chosen.slips.append(row.document)

    def _known(self, registered: Registers, used: LedgerFacts, own_holds: Sequence[JsonObject]) -> JsonObject:
        """The `known` object of a case. Without the ledger of vehicles inside, `inside` stays away: not kept."""
        since = {plate: at.isoformat() for plate, at in used.inside_since.items()}
        inside = {"inside": list(since), "inside_since_at": since} if self._keeps_vehicles_inside else {}
        return {
            **inside,
            "declarations": registered.declarations,
            "enterprises": registered.enterprises,
            "vehicles": registered.vehicles,
            "holds": [*registered.holds, *own_holds],
            "tares": {plate: [mass.to_json() for mass in masses] for plate, masses in used.tares.items()},
            "used": dict(used.used),
            "revoked": registered.revoked,
            "keys": list(self._pinned_keys.current()),
            "came_in_kg": {plate: mass.to_json() for plate, mass in used.came_in.items()},
        }


def _copy(
    connection: Connection, question: _Question, answered: _Answered | None, status: str
) -> tuple[CopyState, dict[str, CopyRow]]:
    """The copy's rows for everything asked or answered."""
    if not question.numbers and answered is None and question.plate is not None:
        return slips_by_plate(connection, question.plate, question.direction, status)
    return slips_by_number(connection, tuple(dict.fromkeys([*question.numbers, *(answered.slips if answered else ())])))


def _is_open(slip: JsonObject, used: LedgerFacts, registered: Registers, status: str) -> bool:
    """Whether a slip found by plate alone could still be meant: approved (at a second gate: passed the first), not
    revoked, not used up here."""
    number = str(slip.get("slip_no"))
    limit = slip.get("pass_limit")
    uses = used.used.get(number, 0)
    is_used_up = uses >= (limit if type(limit) is int else 1)
    return slip.get("status") == status and number not in registered.revoked and not is_used_up


def _is_clean(text: str) -> bool:
    """Whether the text can be stored and asked for: half a surrogate pair or a NUL cannot be any number."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return "\0" not in text


def _oldest(moments: Sequence[datetime | None]) -> datetime | None:
    """The oldest; None if one is not known."""
    known = [at for at in moments if at is not None]
    return min(known) if known and len(known) == len(moments) else None
