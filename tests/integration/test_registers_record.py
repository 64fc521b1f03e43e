"""Draws, declarations, registers and two gates on a real record: what is written, refused, and can be checked."""

from __future__ import annotations

import asyncio
import json
import random
from collections import Counter
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gate_service.domain.draws import WantedDraw, commitment, fraction_of
from gate_service.domain.errors import InputError, NotFoundError, SlipTakenError
from gate_service.domain.mass import Mass
from gate_service.domain.record import Entry, LedgerChange, LedgerKind
from gate_service.gate_form import GoodsForm, GoodsLine
from sync.erasure import erase_passage
from sync.reference.central_state import CentralState
from sync.register_changes import ServiceVehicle
from sync.statements import run
from sync.store import FILE_NAME
from sync.verify import open_read_only, verify_directory
from tests.fakes.record_entries import START, crossing, decision, passage_id
from tests.fakes.register_record import NOON, SUPERVISOR, Record, slip

HALF = Fraction(1, 2)


def holding(directory: Path, text: str) -> dict[str, int]:
    """In how many rows of which tables a text stands."""
    found: Counter[str] = Counter()
    with closing(open_read_only(directory / FILE_NAME)) as connection:
        for (table,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'").fetchall():
            for row in connection.execute(f"SELECT * FROM {table}"):
                values = [one.encode() if isinstance(one, str) else one for one in row if isinstance(one, str | bytes)]
                found[table] += any(text.encode() in one for one in values)
    return {table: count for table, count in found.items() if count}


async def test_the_hash_of_a_days_secret_comes_first_the_secret_only_after_the_day_and_draws_follow_it(tmp_path):
    async with Record(tmp_path) as record:
        await record.secrets.keep()
        (committed,) = await record.facts("day_secret_committed")
        wanted = [WantedDraw(f"spot:Z{n}", HALF, is_of_slip=True) for n in range(20)]
        drawn = dict(await record.secrets.draw(wanted, "p1"))
        assert {True, False} == set(drawn.values())
        record.clock.at = datetime(2026, 11, 28, 16, 4, tzinfo=UTC)  # four minutes into the next day
        await record.secrets.keep()
        assert await record.facts("day_secret_revealed") == []
        assert "secret" not in (await record.secrets.published())[1]
        record.clock.at += timedelta(minutes=2)
        await record.secrets.keep()
        (revealed,) = await record.facts("day_secret_revealed")
        secret = bytes.fromhex(revealed["secret"])
        assert commitment(secret) == committed["sha256"] == revealed["sha256"]
        assert {name: fraction_of(secret, name) < HALF for name in drawn} == drawn
        assert dict(await record.secrets.draw(wanted, "p2")) == drawn  # kept, under another day's secret
        assert len(await record.facts("draws_made")) == 1
        record.clock.at = NOON  # a clock that went back finds its day's secret out: everything is drawn
        assert await record.secrets.draw([WantedDraw("spot:Z99", HALF, is_of_slip=True)], "p3") == {"spot:Z99": True}
    assert verify_directory(tmp_path).findings == []


async def test_a_plate_is_drawn_anew_each_day_and_a_forged_draw_is_found_in_the_record(tmp_path):
    async with Record(tmp_path) as record:
        drawn = set()
        for day in range(12):
            record.clock.at = NOON + timedelta(days=day)
            one = [WantedDraw("spot:浙B00001", HALF, is_of_slip=False)]
            first = dict(await record.secrets.draw(one, "p"))
            assert dict(await record.secrets.draw(one, "p")) == first
            drawn.add(first["spot:浙B00001"])
        assert drawn == {True, False}
        forged = (await record.facts("draws_made"))[-1]
        line = forged["draws"][0]
        await record.journal.write(
            Entry("draws_made", record.clock.at, "service", {**forged, "draws": [[line[0], line[1], not line[2]]]})
        )
        record.clock.at += timedelta(days=1)
        await record.secrets.keep()
    assert [text for text in verify_directory(tmp_path).findings if "by the revealed secret" in text]


def share(kind: LedgerKind, passage: str, seen_g: int = -1, grams: int = 6_000_000) -> LedgerChange:
    return LedgerChange(kind, "D1", passage, Mass(grams), seen_g, "50000")


async def test_a_lane_that_judged_on_an_older_ledger_is_refused_and_judges_again(tmp_path):
    """Two lanes see nothing of others; the first reserves, the second must look again (SlipTakenError)."""
    async with Record(tmp_path) as record:
        await record.ledger(share(LedgerKind.DECLARATION_RESERVED, "p1", 0))
        with pytest.raises(SlipTakenError):
            await record.ledger(share(LedgerKind.DECLARATION_RESERVED, "p2", 0))
        await record.ledger(share(LedgerKind.DECLARATION_RESERVED, "p2", 6_000_000))
        await record.ledger(share(LedgerKind.DECLARATION_RETURNED, "p1"))
        await record.ledger(share(LedgerKind.DECLARATION_RESERVED, "p3", 6_000_000))
    assert verify_directory(tmp_path).findings == []


TURNS = st.lists(st.tuples(st.sampled_from(["reserve", "pass", "return", "open"]), st.integers(0, 4)), max_size=30)


@settings(max_examples=15, deadline=None)
@given(TURNS)
def test_any_order_of_lanes_and_restarts_counts_each_truck_of_a_declaration_once(tmp_path_factory, turns):
    directory = tmp_path_factory.mktemp("ledger")

    async def play() -> None:
        held: dict[int, str] = {}
        record = Record(directory)
        await record.__aenter__()
        total = {"number": "D1", "trucks": "many", "total_gross_kg": 30000, "passed_gross_kg": 0, "closed": False}
        await record.load({"kind": "declaration", "version": 1, "declaration": total})
        for what, truck in turns:
            if what == "open":
                await record.__aexit__()
                record = Record(directory)
                await record.__aenter__()
            elif what == "reserve" and held.get(truck) != "passed":
                others = sum(6_000_000 for n, state in held.items() if n != truck and state in ("reserved", "passed"))
                await record.ledger(share(LedgerKind.DECLARATION_RESERVED, f"p{truck}", others))
                held[truck] = "reserved"
            elif what == "pass" and held.get(truck) == "reserved":
                await record.ledger(share(LedgerKind.DECLARATION_PASSED, f"p{truck}"))
                held[truck] = "passed"
            elif what == "return" and held.get(truck) == "reserved":
                await record.ledger(share(LedgerKind.DECLARATION_RETURNED, f"p{truck}"))
                held[truck] = "returned"
        counted = [state for state in held.values() if state != "returned"]
        (row,) = await record.rows("declarations")
        assert (row["here"]["trucks"], row["here"]["gross_kg"]) == (len(counted), 6000 * len(counted))
        assert row["here"]["on_the_way"] == counted.count("reserved")
        await record.__aexit__()

    asyncio.run(play())
    assert verify_directory(directory).findings == []


async def test_what_the_registers_keep_is_what_the_rules_see(tmp_path):
    async with Record(tmp_path) as record:
        await record.desk.put_vehicle(ServiceVehicle("浙b00001", NOON, None, 8, "送餐"), SUPERVISOR)
        line = GoodsLine("打印纸", 10, "箱", 200)
        form = GoodsForm("inbound", "浙B00002", "office", "3311660001", "示例企业", 9000, (line,))
        made = (await record.desk.register_goods(form, SUPERVISOR))["slip"]
        answer = await record.source.find(scanned=[], plate="浙B00002", direction="inbound", passage_id="p")
        assert [one["slip_no"] for one in answer.slips] == [made["slip_no"]] == ["GK1I261128000001"]
        assert (answer.source.value, answer.as_of) == ("local", NOON)
        assert made["total_kg"] == 9200
        known = (await record.source.find(scanned=[], plate="浙B00001", direction="inbound", passage_id="p")).known
        assert [(v["plate"], v["longest_stay_h"]) for v in known["vehicles"]] == [("浙B00001", 8)]
        await record.desk.void_goods(made["slip_no"], "示例", SUPERVISOR)
        again = await record.source.find(scanned=[made["slip_no"]], plate=None, direction="inbound", passage_id="p")
        assert again.known["revoked"] == [made["slip_no"]]
        await record.desk.end_vehicle("浙B00001", "示例", SUPERVISOR)
        with pytest.raises(NotFoundError):
            await record.desk.end_vehicle("浙B00001", "示例", SUPERVISOR)
        with pytest.raises(InputError, match="valid_until_at"):
            await record.desk.put_vehicle(ServiceVehicle("浙B1", NOON, NOON - timedelta(1), None, ""), SUPERVISOR)
        assert [(row["plate"], row["state"]) for row in await record.rows("vehicles", "b0000")] == [
            ("浙B00001", "ended")
        ]


async def test_an_erased_passage_leaves_no_plate_and_no_driver_in_any_table(tmp_path):
    plate, driver = "浙B00001", "示例司机"
    async with Record(tmp_path) as record:
        record.clock.at = START
        form = GoodsForm(
            "inbound", plate, "office", "3311660001", "示例企业", 9000, (GoodsLine("打印纸", 10, "箱", 200),), driver
        )
        made = (await record.desk.register_goods(form, SUPERVISOR))["slip"]
        await record.desk.register_goods(replace(form, plate="浙B00002"), SUPERVISOR)  # not used: it stays
        await record.secrets.draw([WantedDraw(f"weigh:{plate}", HALF, is_of_slip=False)], "")  # at the post
        await record.secrets.draw([WantedDraw(f"spot:{plate}", HALF, is_of_slip=False)], passage_id(1))
        out = LedgerChange(LedgerKind.VEHICLE_OUT, plate, passage_id(9))
        for entry in (decision(1, slip=made["slip_no"]), crossing(1, slip=made["slip_no"])):
            await record.journal.write(entry)
        await record.ledger(out)
        with pytest.raises(InputError, match="in the outbox"):
            await erase_passage(record.journal, record.clock, passage_id(1), "asked for", "user:a")
        await record.database.write(lambda c: run(c, "UPDATE outbox SET state = 'delivered'"))
        await record.database.write(lambda c: run(c, "UPDATE feed SET state = 'delivered'"))
        await erase_passage(record.journal, record.clock, passage_id(1), "asked for", "user:a")
        assert [row["plate"] for row in await record.rows("goods")] == ["浙B00002", ""]
        again = await record.source.find(scanned=[made["slip_no"]], plate=None, direction="inbound", passage_id="p")
        assert again.known["used"] == {made["slip_no"]: 1}
    assert verify_directory(tmp_path).findings == []
    assert holding(tmp_path, plate) == {"feed": 1, "records": 1}  # told to the authority; and that the vehicle left
    assert holding(tmp_path, driver) == {"local_slips": 1, "outbox": 1}  # of the other slip


async def test_temporary_exits_tares_and_vehicles_inside_are_listed_and_put_right(tmp_path):
    async with Record(tmp_path) as record:
        due_us = int((NOON - timedelta(days=1)).timestamp() * 1_000_000)
        detail = json.dumps(["3311660001", due_us])
        await record.ledger(
            LedgerChange(LedgerKind.TEMPORARY_EXIT, "Z1", "p1", detail=detail),
            LedgerChange(LedgerKind.VEHICLE_IN, "浙B00001", "p1", Mass.from_kg(9000)),
        )
        for kg in (9000, 9020, 9500):
            await record.ledger(LedgerChange(LedgerKind.TARE_SEEN, "浙B00001", "p1", Mass.from_kg(kg)))
        await record.load({"kind": "slip", "version": 1, "slip": slip("Z2")})
        known = (await record.source.find(scanned=["Z2"], plate=None, direction="outbound", passage_id="p")).known
        assert [one["slip_no"] for one in known["temporary_exits"]] == ["Z1"]
        (row,) = await record.rows("temporary_exits")
        assert row["is_overdue"]
        await record.desk.returned("Z1", "", "示例", SUPERVISOR)
        with pytest.raises(NotFoundError):
            await record.desk.returned("Z1", "", "示例", SUPERVISOR)
        assert [one["is_overdue"] for one in await record.rows("temporary_exits")] == [False]
        (tares,) = await record.rows("tares")
        assert (tares["newest_kg"], tares["median_kg"], tares["drift_kg"], tares["is_drifting"]) == (
            9500,
            9010,
            490,
            True,
        )
        await record.desk.set_inside("浙B00001", False, "示例", SUPERVISOR)
        assert await record.rows("inside") == []
    assert verify_directory(tmp_path).findings == []


async def test_a_slip_that_passed_the_first_gate_and_never_came_to_the_second_is_told_once(tmp_path):
    async with Record(tmp_path, gate="first") as record:
        await record.load(
            {"kind": "slip", "version": 1, "slip": slip("Z1")}, {"kind": "slip", "version": 1, "slip": slip("Z2")}
        )
        await record.ledger(
            LedgerChange(LedgerKind.SLIP_USED, "Z1", "p1"), LedgerChange(LedgerKind.SLIP_USED, "Z2", "p2")
        )
        record.clock.at += timedelta(minutes=31)
        assert [row["is_late"] for row in await record.rows("between_gates")] == [True, True]
        seen = {**slip("Z2"), "status": "second_gate_passed"}
        await record.load({"kind": "slip", "version": 2, "slip": seen})
        assert [row["slip_no"] for row in await record.rows("between_gates")] == ["Z1"]
        for _ in range(3):
            await record.desk.alarm_between_gates()
        (told,) = await record.facts("second_gate_missing")
        assert (told["slip_no"], told["gate"], told["within_min"]) == ("Z1", "first", 30)


def test_the_reference_centre_opens_a_slip_past_the_first_gate_for_the_second(tmp_path):
    centre = CentralState(str(tmp_path / "central.sqlite"))
    centre.load([{"kind": "slip", "slip": slip("Z1")}])

    def used(site: str, gate: str, seq: int) -> dict[str, Any]:
        about = {"slip_no": "Z1", "passage_id": f"p-{gate}", "gate": gate}
        return {"id": f"e{seq}-{site}", "seq": seq, "type": "slip.used", "at": NOON.isoformat(), "data": about}

    assert centre.claim("K1", ["Z1"], "p-first", NOON.isoformat())["granted"]
    centre.receive("K1", "e", [used("K1", "first", 1)])
    assert (centre.slip("Z1") or {})["status"] == "first_gate_passed"
    assert centre.claim("K2", ["Z1"], "p-second", NOON.isoformat())["granted"]
    centre.receive("K2", "e", [used("K2", "second", 1)])
    assert (centre.slip("Z1") or {})["status"] == "second_gate_passed"
    assert not centre.claim("K2", ["Z1"], "p-again", NOON.isoformat())["granted"]


@pytest.mark.parametrize("seed", range(3))
async def test_several_slips_of_one_vehicle_are_taken_together_or_not_at_all(tmp_path, seed):
    """The same slips in any order from two lanes: one vehicle holds all of its own, the other none."""
    async with Record(tmp_path) as record:
        numbers = ["Z1", "Z2", "Z3"]
        random.Random(seed).shuffle(numbers)
        orders = [numbers, [*reversed(numbers)]]
        entries = [
            record.ledger(*(LedgerChange(LedgerKind.SLIP_RESERVED, n, f"p{lane}") for n in order))
            for lane, order in enumerate(orders)
        ]
        answers = await asyncio.gather(*entries, return_exceptions=True)
        assert [type(a) for a in answers].count(SlipTakenError) == 1
        facts = await record.journal.ledger_facts(numbers, [], passage_id="other")
        assert facts.used == dict.fromkeys(numbers, 1)
