"""Holds, corrections and inventory on a real record: what the authority does is recorded, told and obeyed."""

from __future__ import annotations

from contextlib import asynccontextmanager
from datetime import UTC, datetime

import pytest

from gate_service.domain.corrections import read_correction
from gate_service.domain.errors import InputError, NotFoundError, RecordError
from gate_service.domain.events import Event, EventType
from gate_service.domain.inventory import ExposedPeople
from gate_service.domain.mass import Mass
from gate_service.domain.record import Entry
from gate_service.hazmat_desk import HazmatDesk
from lanes.policy.case import read_case
from lanes.policy.engine import assess
from lanes.policy.stock_tables import STOCK_EDITION, stock_tables
from lanes.states import LaneState
from sync import queue_rows
from sync.database import Database, DatabaseSettings
from sync.feed_queries import FeedQueries
from sync.journal import SqlJournal
from sync.site_holds import SiteHolds, is_touched
from sync.slip_cache import SlipCache
from sync.slip_source import CentralSlipSource
from sync.stock_queries import StockQueries
from sync.verify import verify_directory
from tests.fakes.moved_clock import MovedClock
from tests.fakes.policy_cases import case as case_of
from tests.fakes.record_entries import NAMES
from tests.fakes.slips import sound_slip

HAZMAT = {
    "flag": True, "un_no": "1090", "name": "丙酮", "cas": "67-64-1", "class": "3", "subsidiary": [],
    "packing_group": "II", "net_kg": 15000, "packages": 80, "storage_unit": "W3", "emergency_phone": "000-0000",
    "quantity_kind": None,
}  # fmt: skip
BY = "user:duty"


def hazardous_slip():
    slip = sound_slip()
    return {**slip, "goods": [{**slip["goods"][0], "hazmat": HAZMAT}]}


class Desk:
    def __init__(self, folder, database, journal, clock):
        self.folder, self.database, self.journal, self.clock = folder, database, journal, clock
        self.holds = SiteHolds(database, journal, clock)
        self.cache = SlipCache(database, clock)
        self.slips = CentralSlipSource(database, self.cache, clock)
        self.desk = HazmatDesk(
            journal=journal,
            feed=FeedQueries(database, "K1"),
            stock=StockQueries(database, stock_tables(), ExposedPeople({"W3": 40}, {})),
            holds=self.holds,
            clock=clock,
            zone={"units": [], "enterprises": []},
            edition=STOCK_EDITION,
        )

    async def known(self):
        answer = await self.slips.find(
            scanned=[hazardous_slip()["slip_no"]], plate="浙B12345", direction="inbound", passage_id="p1"
        )
        return answer.known["holds"]

    async def cross(self, number, kind, net_kg):
        line = {**HAZMAT, "net_kg": net_kg}
        data = {"enterprise": {"customs_code": "3311660001", "name": "示例企业"}, "lines": [line]}
        event = Event(NAMES.__class__(int=number), kind, self.clock.now(), data, f"p{number}")
        await self.journal.write(Entry("crossing", self.clock.now(), "service", {}, events=(event,)))


@asynccontextmanager
async def open_desk(folder):
    clock = MovedClock(datetime(2026, 11, 22, tzinfo=UTC))
    async with (
        Database(DatabaseSettings(folder, reserve_bytes=0)) as database,
        SqlJournal(database, "K1", clock) as journal,
    ):
        yield Desk(folder, database, journal, clock)


@pytest.fixture
async def desk(tmp_path):
    async with open_desk(tmp_path) as opened:
        await opened.cache.apply_slip(hazardous_slip(), opened.clock.now())
        yield opened


TARGETS = [
    ("unit", "W3"),
    ("unit", " w3 "),
    ("substance", "1090"),
    ("substance", "UN 1090"),
    ("substance", "67-64-1"),
    ("enterprise", "3311660001"),
    ("enterprise", "91330000000000000X"),
    ("vehicle", "浙b·12345"),
    ("slip", "Z3311I261122000000000001"),
    ("document", "QD331126I000000001"),
]


@pytest.mark.parametrize(("kind", "name"), TARGETS)
async def test_a_hold_stops_what_it_names_and_lifting_lets_it_go(desk, kind, name):
    placed = await desk.desk.place_hold({"type": kind, "id": name}, "泄漏处置中", BY, [])
    (known,) = await desk.known()
    case = case_of(hazardous_slip())
    case["known"] = {**case.get("known", {}), "holds": [known]}
    assessment = assess(read_case(case))
    held = [check for check in assessment.checks if check.reason_code == "hold"]
    assert [check.found for check in held] == ["safety"]
    assert held[0].source is not None
    assert held[0].source.note == "泄漏处置中"
    await desk.desk.lift_hold(placed["id"], "处置完毕", BY, [])
    assert await desk.known() == []


@pytest.mark.parametrize(
    ("kind", "name"),
    [("unit", "W4"), ("substance", "1203"), ("substance", "67-56-1"), ("enterprise", "9"), ("slip", "Z")],
)
async def test_a_hold_on_something_else_stops_nothing(desk, kind, name):
    await desk.desk.place_hold({"type": kind, "id": name}, "why", BY, [])
    assert await desk.known() == []


async def test_holds_survive_a_restart_and_are_recorded_with_who_and_why(tmp_path):
    async with open_desk(tmp_path) as first:
        placed = await first.desk.place_hold({"type": "unit", "id": "W3"}, "泄漏", BY, [])
        lifted = await first.desk.place_hold({"type": "unit", "id": "W4"}, "演练", BY, [])
        await first.desk.lift_hold(lifted["id"], "演练结束", "user:other", [])
    async with open_desk(tmp_path) as again:
        rows = (await again.desk.holds())["holds"]
        records = await again.journal.records()
    assert [(row["id"], row["lifted_by"], row["lift_reason"]) for row in rows] == [
        (placed["id"], None, None),
        (lifted["id"], "user:other", "演练结束"),
    ]
    assert [(record.kind, record.actor) for record in records] == [
        ("hold_placed", BY), ("hold_placed", BY), ("hold_lifted", "user:other"),
    ]  # fmt: skip
    assert verify_directory(tmp_path).findings == []


async def test_a_hold_that_does_not_stand_cannot_be_lifted_and_nothing_is_recorded(desk):
    placed = await desk.desk.place_hold({"type": "unit", "id": "W3"}, "why", BY, [])
    await desk.desk.lift_hold(placed["id"], "done", BY, [])
    for hold_id in (placed["id"], "none"):
        with pytest.raises((NotFoundError, RecordError)):
            await desk.desk.lift_hold(hold_id, "again", BY, [])
    assert [record.kind for record in await desk.journal.records()] == ["hold_placed", "hold_lifted"]
    assert desk.journal.is_writable()


@pytest.mark.parametrize(
    ("target", "reason"),
    [({"type": "unit", "id": "W3"}, " "), ({"type": "unit", "id": " "}, "x"), ({"type": "zone", "id": "1"}, "x")],
)
async def test_a_hold_without_target_or_reason_is_refused(desk, target, reason):
    with pytest.raises(InputError):
        await desk.desk.place_hold(target, reason, BY, [])
    assert await desk.journal.records() == []


async def test_a_vehicle_in_a_lane_is_meant_by_plate_or_slip(desk):
    hold = await desk.holds.place("unit", "W3", "why", BY)
    assert is_touched(hold, (), None, [hazardous_slip()])
    assert not is_touched(hold, (), None, [sound_slip()])
    of_vehicle = await desk.holds.place("vehicle", "浙B12345", "why", BY)
    assert is_touched(of_vehicle, (), "浙B·12345", [])


async def test_stock_is_entries_minus_exits_with_corrections_and_is_told(desk):
    await desk.cross(1, EventType.HAZMAT_ENTERED, 15000)
    assert (await desk.desk.inventory())["balances"][0]["net_kg"] == 15000
    await desk.cross(2, EventType.HAZMAT_EXITED, 2500.5)
    line = {"storage_unit": "W3", "un_no": "1090", "cas": "67-64-1", "name": "丙酮", "class": "3"}
    enterprise = {"customs_code": "3311660001", "name": "示例企业"}
    correction = read_correction("opening_stock", enterprise, [{**line, "change": Mass.from_kg(400_000)}], "盘点", None)
    answer = await desk.desk.correct(correction, BY)
    found = await desk.desk.inventory()
    assert found["balances"][0]["net_kg"] == 412_499.5
    (unit,) = found["units"]
    assert (unit["s"], unit["state"], unit["alpha"]) == (0.824999, "warning", 1.2)
    entries = (await desk.desk.newest(10))["entries"]
    assert [entry["type"] for entry in entries] == ["hazmat.entered", "hazmat.exited", "hazmat.corrected"]
    assert entries[-1]["id"] == answer["event_id"]
    assert entries[-1]["data"]["by"] == BY
    assert entries[-1]["data"]["tables_edition"] == STOCK_EDITION
    record = (await desk.journal.records())[-1]
    assert (record.kind, record.actor) == ("hazmat_corrected", BY)
    assert record.facts["lines"][0]["change_g"] == 400_000_000
    after = (await desk.desk.newest(1))["after"]
    assert (await desk.desk.entries(after, 10))["entries"] == []


async def test_an_inventory_asked_bit_by_bit_equals_one_made_anew(desk):
    for number in range(1, 25):
        kind = EventType.HAZMAT_EXITED if number % 3 == 0 else EventType.HAZMAT_ENTERED
        await desk.cross(number, kind, number + 0.125)
        if number % 4 == 0:
            await desk.desk.inventory()
    fresh = StockQueries(desk.database, stock_tables(), ExposedPeople({"W3": 40}, {}))
    running = await desk.desk.inventory()
    assert {**await fresh.inventory()} == {name: running[name] for name in running if name not in {"as_of", "zone"}}
    total = sum((-1 if n % 3 == 0 else 1) * (n * 1000 + 125) for n in range(1, 25))
    assert running["balances"][0]["net_kg"] == total / 1000


async def test_pieces_of_a_long_feed_lose_nothing(desk, monkeypatch):
    monkeypatch.setattr("sync.stock_queries.PIECE", 3)
    for number in range(1, 11):
        await desk.cross(number, EventType.HAZMAT_ENTERED, 1)
    assert (await desk.desk.inventory())["balances"][0]["net_kg"] == 10


@pytest.mark.parametrize("changes", [{"change": Mass(0)}, {"change": Mass(-5)}, {"cas": "67-64-2"}])
async def test_a_correction_that_cannot_be_meant_is_refused(changes):
    line = {"storage_unit": "W3", "un_no": "1090", "cas": "67-64-1", "name": "丙酮", "class": "3", "change": Mass(5)}
    with pytest.raises(InputError):
        read_correction("opening_stock", {}, [{**line, **changes}], "why", None)


async def test_the_feed_is_read_by_an_index_in_the_order_of_the_record(desk):
    asked = "EXPLAIN QUERY PLAN SELECT seq FROM feed WHERE record_number > 5 ORDER BY record_number, seq LIMIT 3"
    rows = await desk.database.read(lambda connection: connection.exec_driver_sql(asked).fetchall())
    plan = str(rows)
    assert "feed_by_record" in plan
    assert "TEMP B-TREE" not in plan


def test_a_detained_vehicle_is_not_let_go_by_lifting_a_hold():
    from gate_service.hazmat_desk import WAITING

    assert LaneState.DETAINED not in WAITING


async def test_what_a_unit_held_over_time_is_read_from_the_record_again_after_a_restart(tmp_path):
    async with open_desk(tmp_path) as desk:
        await desk.cross(1, EventType.HAZMAT_ENTERED, 250_000)
        desk.clock.move(3600 * 30)
        await desk.cross(2, EventType.HAZMAT_EXITED, 50_000)
        first = await desk.desk.history(7)
    async with open_desk(tmp_path) as again:
        again.clock.move(3600 * 30)
        assert await again.desk.history(7) == first
    [unit] = first["units"]
    assert (unit["storage_unit"], unit["step"]) == ("W3", "hour")
    assert [point["s"] for point in unit["points"]] == [0.0, 0.5, 0.4]


async def test_only_what_was_told_or_parked_is_told_again_and_the_record_says_by_whom(desk):
    await desk.cross(1, EventType.HAZMAT_ENTERED, 1000)
    [delivery] = (await desk.desk.deliveries("due", 10))["deliveries"]
    with pytest.raises(NotFoundError, match="delivered or parked"):
        await desk.desk.tell_again(delivery["id"], BY)
    event = [(delivery["epoch"], delivery["seq"], "410")]
    await desk.database.write(lambda connection: queue_rows.mark_parked(connection, "feed", event))
    await desk.desk.tell_again(delivery["id"], BY)
    [delivery] = (await desk.desk.deliveries(None, 10))["deliveries"]
    assert (delivery["state"], delivery["attempts"], delivery["reason"]) == ("due", 0, None)
    told = [record for record in await desk.journal.records() if record.kind == "feed_told_again"]
    assert [record.actor for record in told] == [BY]
