"""Safety holds that the zone authority places at this site: recorded, kept, and brought before the rules.

The rules know holds on slips, documents, enterprises and vehicles. A hold on a storage unit or a substance becomes
holds on the slips whose hazardous lines name it, one for each.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from uuid import uuid4

from sqlalchemy import Connection

from gate_service.domain.errors import InputError, NotFoundError
from gate_service.domain.events import JsonObject
from gate_service.domain.hazmat import bare_un_number
from gate_service.domain.ports import Clock
from gate_service.domain.record import Entry
from gate_service.domain.vehicle import comparable_plate
from sync import concerned
from sync.columns import from_us, to_us
from sync.database import Database
from sync.journal import SqlJournal
from sync.slip_lookup import Touched
from sync.statements import Row, run

TARGETS: Final = ("enterprise", "vehicle", "slip", "document", "unit", "substance")
KIND: Final = "safety"
LONGEST: Final = 200
COLUMNS: Final = "id, target_type, target_id, reason, placed_by, placed_at_us, lifted_by, lifted_at_us, lift_reason"
PLACE: Final = (
    "INSERT INTO site_holds (id, target_type, target_id, reason, placed_by, placed_at_us, placed_record)"
    " VALUES (?, ?, ?, ?, ?, ?, ?)"
)
TARGET: Final = "SELECT target_type, target_id FROM site_holds WHERE id = ?"
LIFT: Final = (
    "UPDATE site_holds SET lifted_by = ?, lifted_at_us = ?, lifted_record = ?, lift_reason = ?"
    " WHERE id = ? AND lifted_at_us IS NULL"
)


@dataclass(frozen=True, slots=True)
class SiteHold:
    """One hold. A substance is named by its UN number or its CAS number."""

    id: str
    target_type: str
    target_id: str
    reason: str
    placed_by: str
    placed_at: datetime
    lifted_by: str | None = None
    lifted_at: datetime | None = None
    lift_reason: str | None = None

    def document(self) -> dict[str, Any]:
        """As pages and the authority see it."""
        return {
            "id": self.id,
            "kind": KIND,
            "target": {"type": self.target_type, "id": self.target_id},
            "reason": self.reason,
            "placed_by": self.placed_by,
            "placed_at": self.placed_at.isoformat(),
            "lifted_by": self.lifted_by,
            "lifted_at": None if self.lifted_at is None else self.lifted_at.isoformat(),
            "lift_reason": self.lift_reason,
        }

    def _as_known(self, target_type: str, target_id: str) -> JsonObject:
        """In the shape of `known.holds` of a case (CONTRACT 3); `of` says what the authority named."""
        return {
            "kind": KIND,
            "id": self.id,
            "target": {"type": target_type, "id": target_id},
            "reason": self.reason,
            "placed_by": self.placed_by,
            "of": {"type": self.target_type, "id": self.target_id},
        }

    def known_for(self, touched: Touched, slips: Sequence[JsonObject]) -> Iterator[JsonObject]:
        """The hold as the rules must see it for one vehicle and its slips; nothing where it does not touch them."""
        if self.target_type in {"unit", "substance"}:
            for slip in slips:
                if any(self._names_line(line) for line in _hazardous(slip)):
                    yield self._as_known("slip", str(slip.get("slip_no")))
            return
        ids = {
            "slip": touched.slip_nos,
            "document": touched.documents,
            "enterprise": touched.enterprises,
            "vehicle": touched.plates,
        }[self.target_type]
        if self.target_id in ids:
            yield self._as_known(self.target_type, self.target_id)

    def _names_line(self, line: Mapping[str, Any]) -> bool:
        if self.target_type == "unit":
            return _plain(line.get("storage_unit")) == _plain(self.target_id)
        un_no, cas = line.get("un_no"), line.get("cas")
        wanted = bare_un_number(self.target_id)
        return wanted == (bare_un_number(un_no) if isinstance(un_no, str) else None) or wanted == _plain(cas)


class SiteHolds:
    """Places and lifts; each is a record with who and why, in the same transaction as the hold itself."""

    def __init__(
        self, database: Database, journal: SqlJournal, clock: Clock, on_changed: Callable[[], None] = lambda: None
    ) -> None:
        """`on_changed`: told after each, for whoever judges slips ahead."""
        self._on_changed = on_changed
        self._database = database
        self._journal = journal
        self._clock = clock

    async def place(self, target_type: str, target_id: str, reason: str, by: str) -> SiteHold:
        """Raises InputError."""
        now = self._clock.now()
        name = _target(target_type, target_id)
        hold = SiteHold(f"safety-{uuid4()}", target_type, name, _why(reason), by, now)
        facts = {"id": hold.id, "target": {"type": target_type, "id": name}, "reason": hold.reason}

        def also(connection: Connection, number: int) -> None:
            values = (hold.id, target_type, name, hold.reason, by, to_us(now), number)
            run(connection, PLACE, values)
            concerned.note(connection, [(target_type, name)])

        await self._journal.write(Entry("hold_placed", now, by, facts), also)
        self._on_changed()
        return hold

    async def lift(self, hold_id: str, reason: str, by: str) -> SiteHold:
        """Raises NotFoundError for a hold that does not stand, InputError without a reason."""
        now, why = self._clock.now(), _why(reason)

        def also(connection: Connection, number: int) -> None:
            if run(connection, LIFT, (by, to_us(now), number, why, hold_id)).rowcount == 0:
                raise NotFoundError(f"hold {hold_id}: a standing hold of this site expected"[:LONGEST])
            concerned.note(connection, run(connection, TARGET, (hold_id,)).fetchall())

        await self._journal.write(Entry("hold_lifted", now, by, {"id": hold_id, "reason": why}), also)
        self._on_changed()
        return next(hold for hold in await self.all() if hold.id == hold_id)

    async def all(self) -> list[SiteHold]:
        """Standing first, then lifted, newest first."""
        return await self._database.read(lambda connection: _read(connection, "TRUE"))


def is_touched(hold: SiteHold, scanned: Sequence[str], plate: str | None, slips: Sequence[JsonObject]) -> bool:
    """Whether a hold means a vehicle that stands in a lane."""
    return next(hold.known_for(Touched.by(slips, scanned, plate), slips), None) is not None


def standing(connection: Connection) -> list[SiteHold]:
    """Holds that stand now."""
    return _read(connection, "lifted_at_us IS NULL")


def known_holds(holds: Iterable[SiteHold], touched: Touched, slips: Sequence[JsonObject]) -> list[JsonObject]:
    """What of the site's own holds belongs into `known` for one vehicle and its slips."""
    return [known for hold in holds for known in hold.known_for(touched, slips)]


def _read(connection: Connection, where: str) -> list[SiteHold]:
    rows = run(
        connection,
        f"SELECT {COLUMNS} FROM site_holds WHERE {where} ORDER BY lifted_at_us IS NOT NULL, placed_at_us DESC, id",  # noqa: S608 - our own words
    )
    return [_hold_of(row) for row in rows]


def _hold_of(row: Row) -> SiteHold:
    hold_id, target_type, target_id, reason, by, placed_at_us, lifted_by, lifted_at_us, lift_reason = row
    lifted_at = None if lifted_at_us is None else from_us(lifted_at_us)
    placed_at = from_us(placed_at_us)
    return SiteHold(hold_id, target_type, target_id, reason, by, placed_at, lifted_by, lifted_at, lift_reason)


def _target(target_type: str, target_id: str) -> str:
    """The target in the form in which it is compared. Raises InputError."""
    if target_type not in TARGETS:
        raise InputError(f"target.type: one of {', '.join(TARGETS)} expected, found {target_type!r}"[:LONGEST])
    name = target_id.strip()
    if target_type == "vehicle":
        name = comparable_plate(name)
    if target_type == "substance":
        name = bare_un_number(name)
    if not name:
        raise InputError("target.id: what is to be held expected, found a blank")
    return name


def _why(reason: str) -> str:
    if not reason.strip():
        raise InputError("reason: a text that says why expected")
    return reason.strip()


def _hazardous(slip: JsonObject) -> Iterator[Mapping[str, Any]]:
    goods = slip.get("goods")
    for line in goods if isinstance(goods, list) else ():
        hazmat = line.get("hazmat") if isinstance(line, dict) else None
        if isinstance(hazmat, dict):
            yield hazmat


def _plain(value: object) -> str | None:
    return value.strip().casefold() if isinstance(value, str) and value.strip() else None
