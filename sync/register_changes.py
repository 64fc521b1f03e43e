"""Changes of the registers by people: each is a record with who and why, in the same transaction as the change."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from uuid import UUID, uuid5

from sqlalchemy import Connection

from gate_service.domain.draws import day_of
from gate_service.domain.errors import InputError, NotFoundError
from gate_service.domain.events import Event, EventType
from gate_service.domain.ports import Clock
from gate_service.domain.record import Entry, LedgerChange, LedgerKind
from gate_service.domain.vehicle import comparable_plate
from sync.chain import sha256_hex
from sync.columns import to_us
from sync.database import Database
from sync.encoding import to_json
from sync.journal import SqlJournal
from sync.statements import run, scalar

NAMESPACE: Final = UUID("8f2f2a52-7a0b-5e8b-9d5d-3f1f6f0b1c77")
OF_A_PERSON: Final = ""
"""The passage of a correction: none."""
PUT_VEHICLE: Final = (
    "INSERT INTO service_vehicles (plate, valid_from_us, valid_until_us, longest_stay_h, note, changed_by,"
    " changed_at_us, changed_record, is_ended) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (plate) DO UPDATE SET"
    " valid_from_us = excluded.valid_from_us, valid_until_us = excluded.valid_until_us,"
    " longest_stay_h = excluded.longest_stay_h, note = excluded.note, changed_by = excluded.changed_by,"
    " changed_at_us = excluded.changed_at_us, changed_record = excluded.changed_record, is_ended = excluded.is_ended"
)
END_VEHICLE: Final = (
    "UPDATE service_vehicles SET is_ended = ?, note = ?, changed_by = ?, changed_at_us = ?, changed_record = ?"
    " WHERE plate = ? AND NOT is_ended"
)
MAKE_SLIP: Final = (
    "INSERT INTO local_slips (slip_no, document, plate, direction, made_by, made_at_us, made_record)"
    " VALUES (?, ?, ?, ?, ?, ?, ?)"
)
VOID_SLIP: Final = "UPDATE local_slips SET voided_record = ? WHERE slip_no = ? AND voided_record IS NULL"


@dataclass(frozen=True, slots=True)
class ServiceVehicle:
    """A line of the site's own register of vehicles."""

    plate: str
    valid_from: datetime | None
    valid_until: datetime | None
    longest_stay_h: int | None
    note: str


class RegisterChanges:
    """Constructed in `bootstrap`; works while the record is open."""

    def __init__(self, database: Database, journal: SqlJournal, clock: Clock) -> None:
        self._database = database
        self._journal = journal
        self._clock = clock
        self._numbering = asyncio.Lock()

    async def put_vehicle(self, vehicle: ServiceVehicle, by: str) -> dict[str, Any]:
        """A new line, or one in place of the plate's earlier one. Raises InputError for a validity that ends first."""
        plate, now = _plate(vehicle.plate), self._clock.now()
        start, end = vehicle.valid_from, vehicle.valid_until
        if start is not None and end is not None and end < start:
            raise InputError(f"valid_until_at: {start.isoformat()} or later expected, found {end.isoformat()}")
        start_us, end_us = (None if moment is None else to_us(moment) for moment in (start, end))
        facts = {
            "plate": plate, "valid_from_at": _text(start), "valid_until_at": _text(end),
            "longest_stay_h": vehicle.longest_stay_h, "note": vehicle.note,
        }  # fmt: skip

        def also(connection: Connection, number: int) -> None:
            values = (plate, start_us, end_us, vehicle.longest_stay_h, vehicle.note, by, to_us(now), number, False)
            run(connection, PUT_VEHICLE, values)

        record = await self._journal.write(Entry("vehicle_registered", now, by, facts), also)
        return {"plate": plate, "record": record}

    async def end_vehicle(self, plate: str, reason: str, by: str) -> dict[str, Any]:
        """End a line of the site's own. Raises NotFoundError where none stands."""
        name, now = _plate(plate), self._clock.now()

        def also(connection: Connection, number: int) -> None:
            if run(connection, END_VEHICLE, (True, reason, by, to_us(now), number, name)).rowcount == 0:
                raise NotFoundError(f"vehicle {name}: a standing line of the site's own register expected"[:200])

        facts = {"plate": name, "reason": reason}
        return {"plate": name, "record": await self._journal.write(Entry("vehicle_ended", now, by, facts), also)}

    async def make_slip(self, slip: Mapping[str, Any], by: str) -> dict[str, Any]:
        """Give a slip of gate-registered goods its number, keep it and tell it. Answers the whole slip."""
        now = self._clock.now()
        async with self._numbering:
            number = await self._next_number(str(slip["direction"]), now)
            document = {"slip_no": number, "version": 1, **slip, "site_ids": [self._journal.site_id]}
            content = to_json(document)
            event = Event(uuid5(NAMESPACE, number), EventType.SLIP_REGISTERED, now, {"slip": document, "by": by})
            plate = comparable_plate(document["vehicle"]["plate"])
            facts = {
                "slip_no": number,
                "plate": plate,
                "direction": document["direction"],
                "category": document["category"],
                "customs_code": document["enterprise"]["customs_code"],
                "sha256": sha256_hex(content),
            }

            def also(connection: Connection, record: int) -> None:
                run(connection, MAKE_SLIP, (number, content, plate, slip["direction"], by, to_us(now), record))

            await self._journal.write(Entry("goods_registered", now, by, facts, events=(event,)), also)
        found: dict[str, Any] = json.loads(content)
        return found

    async def void_slip(self, slip_no: str, reason: str, by: str) -> dict[str, Any]:
        """Void a slip of the form. Raises NotFoundError for one that does not stand, InputError for a used one."""

        def also(connection: Connection, number: int) -> None:
            sql = "SELECT COUNT(*) FROM slip_uses WHERE slip_no = ? AND state <> 'returned'"
            if int(scalar(connection, sql, (slip_no,))):
                raise InputError(
                    f"slip {slip_no}: an unused one expected, it is used or its vehicle is let through"[:200]
                )
            if run(connection, VOID_SLIP, (number, slip_no)).rowcount == 0:
                raise NotFoundError(f"slip {slip_no}: a standing slip of the form at this gate expected"[:200])

        facts = {"slip_no": slip_no, "reason": reason}
        record = await self._journal.write(Entry("goods_voided", self._clock.now(), by, facts), also)
        return {"slip_no": slip_no, "record": record}

    async def set_inside(self, plate: str, is_inside: bool, reason: str, by: str) -> dict[str, Any]:
        """Put the ledger of vehicles inside right: a person saw that the vehicle is inside, or is gone."""
        name = _plate(plate)
        kind = LedgerKind.VEHICLE_IN if is_inside else LedgerKind.VEHICLE_OUT
        facts = {"plate": name, "inside": is_inside, "reason": reason}
        entry = Entry("inside_corrected", self._clock.now(), by, facts, ledger=(LedgerChange(kind, name, OF_A_PERSON),))
        return {"plate": name, "record": await self._journal.write(entry)}

    async def returned(self, slip_no: str, passage_id: str, reason: str, by: str) -> dict[str, Any]:
        """A temporary exit came back, with the passage it came in by where it is known. Raises NotFoundError."""

        def check(connection: Connection, number: int) -> None:
            del number
            sql = "SELECT returned_at_us FROM temporary_exits WHERE slip_no = ?"
            if scalar(connection, sql, (slip_no,)) != to_us(now):
                raise NotFoundError(f"temporary exit {slip_no}: one that has not returned yet expected"[:200])

        now = self._clock.now()
        asked = "SELECT COUNT(*) FROM temporary_exits WHERE slip_no = ? AND returned_at_us IS NULL"
        if not await self._database.read(lambda connection: scalar(connection, asked, (slip_no,))):
            raise NotFoundError(f"temporary exit {slip_no}: one that has not returned yet expected"[:200])
        change = LedgerChange(LedgerKind.TEMPORARY_RETURN, slip_no, passage_id)
        facts = {"slip_no": slip_no, "passage": passage_id or None, "reason": reason}
        record = await self._journal.write(Entry("temporary_returned", now, by, facts, ledger=(change,)), check)
        return {"slip_no": slip_no, "record": record}

    async def inspected(self, passage_id: str, is_hit: bool, what: str, by: str) -> dict[str, Any]:
        """The result of an inspection: found or not, and what. Raises NotFoundError for an order that is not open."""

        def check(connection: Connection, number: int) -> None:
            del number
            row = run(
                connection, "SELECT done_at_us, done_by FROM inspections WHERE passage_id = ?", (passage_id,)
            ).fetchone()
            if row is None or tuple(row) != (to_us(now), by):
                raise NotFoundError(f"inspection of passage {passage_id}: one without a result yet expected"[:200])

        now = self._clock.now()
        asked = "SELECT COUNT(*) FROM inspections WHERE passage_id = ? AND found IS NULL"
        if not await self._database.read(lambda connection: scalar(connection, asked, (passage_id,))):
            raise NotFoundError(f"inspection of passage {passage_id}: one without a result yet expected"[:200])
        detail = json.dumps([by, what], ensure_ascii=False)
        change = LedgerChange(LedgerKind.INSPECTION_DONE, "found" if is_hit else "nothing", passage_id, detail=detail)
        data = {"passage_id": passage_id, "found": is_hit, "what": what, "by": by}
        event = Event(uuid5(NAMESPACE, f"{passage_id}/done"), EventType.INSPECTION_DONE, now, data, passage_id)
        entry = Entry("inspection_done", now, by, data, passage_id=passage_id, ledger=(change,), events=(event,))
        return {"passage_id": passage_id, "record": await self._journal.write(entry, check)}

    async def _next_number(self, direction: str, now: datetime) -> str:
        """`G`, the site, I or E, the day, six digits: no number of customs begins so."""
        head = f"G{self._journal.site_id}{'I' if direction == 'inbound' else 'E'}{day_of(now):%y%m%d}"
        sql = "SELECT MAX(slip_no) FROM local_slips WHERE slip_no >= ? AND slip_no < ?"
        last = await self._database.read(lambda connection: scalar(connection, sql, (head, f"{head}:")))
        return f"{head}{(int(last[-6:]) if last else 0) + 1:06d}"


def _plate(text: str) -> str:
    plate = comparable_plate(text)
    if not plate:
        raise InputError("plate: letters and digits expected, found a blank")
    return plate


def _text(moment: datetime | None) -> str | None:
    return None if moment is None else moment.isoformat()
