"""Answers about slips: the centre if it answers in time, else the site's copy. `ports.SlipSource`."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

from gate_service.domain.errors import CentralError, RecordError
from gate_service.domain.events import JsonObject
from gate_service.domain.ports import Clock, SlipAnswer, Source
from sync.central.rest import CentralClient
from sync.central.wire import read_moment
from sync.change import Change, SlipCheck, read_slip_document
from sync.database import Database
from sync.journal import SqlJournal
from sync.ledger import LedgerFacts
from sync.site_holds import known_holds, standing
from sync.slip_cache import CopyState, SlipCache
from sync.slip_lookup import CopyRow, Registers, Touched, registers, slips_by_number, slips_by_plate

AHEAD_KEPT: Final = 64  # passages that wait for their decision; more than any site has lanes


@dataclass(frozen=True, slots=True)
class _Answered:
    """What the centre said: slips by number (None: unknown to it), and as of when."""

    slips: Mapping[str, JsonObject | None]
    as_of: datetime


@dataclass(frozen=True, slots=True)
class _Ahead:
    """An answer from the copy, looked up before it was asked for; it stands until something is written."""

    question: tuple[Sequence[str], str | None, str]
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
        journal: SqlJournal,
        cache: SlipCache,
        clock: Clock,
        *,
        client: CentralClient | None = None,
        pinned_keys: Sequence[JsonObject] = (),
        check_slip: SlipCheck | None = None,
        keeps_vehicles_inside: bool = False,
    ) -> None:
        self._database = database
        self._journal = journal
        self._cache = cache
        self._clock = clock
        self._client = client
        self._pinned_keys = list(pinned_keys)
        self._check_slip = check_slip
        self._keeps_vehicles_inside = keeps_vehicles_inside
        self._ahead: dict[str, _Ahead] = {}
        self._looking: set[asyncio.Task[None]] = set()

    async def find(self, *, scanned: Sequence[str], plate: str | None, direction: str, passage_id: str) -> SlipAnswer:
        """Slips by scanned numbers or, with none scanned, by plate. Raises RecordError only."""
        numbers = [number for number in dict.fromkeys(scanned) if _is_clean(number)]
        plate = plate if plate and _is_clean(plate) else None
        ahead = self._ahead.pop(passage_id, None)
        now = ((numbers, plate, direction), self._database.changes)
        if ahead is not None and (ahead.question, ahead.changes) == now and not self._is_centre_up():
            return ahead.answer
        return await self._find(numbers, plate, direction, passage_id)

    def look_ahead(self, *, scanned: Sequence[str], plate: str | None, direction: str, passage_id: str) -> None:
        """Look up in the background what will be asked soon, where the copy answers it."""
        if self._is_centre_up():
            return
        numbers = [number for number in dict.fromkeys(scanned) if _is_clean(number)]
        plate = plate if plate and _is_clean(plate) else None
        work = self._look(numbers, plate, direction, passage_id)
        task = asyncio.get_running_loop().create_task(work, name="slip look-ahead")
        self._looking.add(task)
        task.add_done_callback(self._looking.discard)

    async def settle(self) -> None:
        """Wait until nothing is looked up in the background."""
        await asyncio.gather(*self._looking, return_exceptions=True)

    def _is_centre_up(self) -> bool:
        return self._client is not None and self._client.line.is_up

    async def _look(self, numbers: Sequence[str], plate: str | None, direction: str, passage_id: str) -> None:
        changes = self._database.changes  # before reading: what is written meanwhile makes the answer old
        with contextlib.suppress(RecordError):  # the decision will ask again and say so
            answer = await self._find(numbers, plate, direction, passage_id)
            if answer.source is Source.CENTRAL:
                return  # the centre came up meanwhile: it is to be asked at the decision itself
            while len(self._ahead) >= AHEAD_KEPT:
                del self._ahead[next(iter(self._ahead))]
            self._ahead[passage_id] = _Ahead((numbers, plate, direction), changes, answer)

    async def _find(self, numbers: Sequence[str], plate: str | None, direction: str, passage_id: str) -> SlipAnswer:
        answered = await self._ask(numbers, plate, direction)
        state, rows = await self._copy(numbers, plate, direction, answered)
        chosen = _Chosen(is_central=answered is not None)
        for number in dict.fromkeys([*(numbers or rows), *(answered.slips if answered else ())]):
            await self._choose(chosen, number, answered, rows.get(number), state)
        slips = chosen.slips
        touched = Touched.by(slips, numbers, plate)
        registered = await self._database.read(lambda connection: registers(connection, touched, passage_id))
        own_holds = known_holds(await self._database.read(standing), touched, slips)
        ledger = await self._journal.ledger_facts(
            touched.slip_nos, touched.plates, touched.declarations, passage_id=passage_id
        )
        if not numbers:
            slips = [slip for slip in slips if _is_open(slip, ledger, registered)]
        as_of = answered.as_of if answered is not None and chosen.is_central else state.as_of
        return SlipAnswer(
            slips=slips,
            source=Source.CENTRAL if chosen.is_central else Source.LOCAL,
            as_of=_oldest(chosen.as_ofs) if chosen.as_ofs else as_of,
            holds_as_of=state.as_of,
            known=self._known(registered, ledger, own_holds),
        )

    async def _ask(self, numbers: Sequence[str], plate: str | None, direction: str) -> _Answered | None:
        """Ask the centre; None where it did not answer for everything."""
        client = self._client
        if client is None or not self._is_centre_up() or not (numbers or plate):
            return None
        try:
            if numbers:
                found = await asyncio.gather(*(client.slip(number) for number in numbers))
                raw_slips: dict[str, Any] = dict(zip(numbers, found, strict=True))
            else:
                assert plate is not None
                rows = await client.slips(plate, direction)
                raw_slips = {str(row["slip_no"]): row for row in rows if isinstance(row, dict) and row.get("slip_no")}
        except CentralError:
            return None
        moments = [read_moment(raw.get("as_of")) for raw in raw_slips.values() if raw is not None]
        return _Answered(raw_slips, _oldest(moments) or self._clock.now())

    async def _copy(
        self, numbers: Sequence[str], plate: str | None, direction: str, answered: _Answered | None
    ) -> tuple[CopyState, dict[str, CopyRow]]:
        """The copy's rows for everything asked or answered."""
        if not numbers and answered is None and plate is not None:
            wanted = plate
            return await self._database.read(lambda connection: slips_by_plate(connection, wanted, direction))
        keys = tuple(dict.fromkeys([*numbers, *(answered.slips if answered else ())]))
        return await self._database.read(lambda connection: slips_by_number(connection, keys))

    async def _choose(
        self, chosen: _Chosen, number: str, answered: _Answered | None, row: CopyRow | None, state: CopyState
    ) -> None:
        """Take the centre's slip or the copy's, whichever is newer; neither where the centre's cannot be read."""
        raw = answered.slips.get(number) if answered else None
        if raw is not None and answered is not None:
            read = read_slip_document(raw, check=self._check_slip)
            if row is None or not isinstance(read, Change) or read.version > row.version:
                with contextlib.suppress(RecordError):  # the lane closes for it; the answer in hand still stands
                    await self._cache.apply_slip(raw, answered.as_of)
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

    def _known(self, registered: Registers, ledger: LedgerFacts, own_holds: Sequence[JsonObject]) -> JsonObject:
        """The `known` object of a case. Without the ledger of vehicles inside, `inside` stays away: not kept."""
        since = {plate: at.isoformat() for plate, at in ledger.inside_since.items()}
        inside = {"inside": list(since), "inside_since_at": since} if self._keeps_vehicles_inside else {}
        return {
            **inside,
            "declarations": registered.declarations,
            "enterprises": registered.enterprises,
            "vehicles": registered.vehicles,
            "holds": [*registered.holds, *own_holds],
            "tares": {plate: [mass.to_json() for mass in masses] for plate, masses in ledger.tares.items()},
            "used": dict(ledger.used),
            "revoked": registered.revoked,
            "keys": self._pinned_keys,
            "came_in_kg": {plate: mass.to_json() for plate, mass in ledger.came_in.items()},
        }


def _is_open(slip: JsonObject, ledger: LedgerFacts, registered: Registers) -> bool:
    """Whether a slip found by plate alone could still be meant: approved, not revoked, not used up here."""
    number = str(slip.get("slip_no"))
    limit = slip.get("pass_limit")
    uses = ledger.used.get(number, 0)
    is_used_up = uses >= (limit if type(limit) is int else 1)
    return slip.get("status") == "approved" and number not in registered.revoked and not is_used_up


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
