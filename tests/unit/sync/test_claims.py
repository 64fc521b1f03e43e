"""Claims: written down before they are asked, standing on their lease, settled after a kill at any moment."""

from datetime import UTC, datetime, timedelta
from random import Random

import pytest

from gate_service.domain.errors import CentralUnreachableError
from gate_service.domain.ports import ClaimState
from gate_service.domain.record import Entry, LedgerChange, LedgerKind
from sync import claim_rows
from sync.claim_settling import ClaimSettling
from sync.claims import CentralClaims
from sync.columns import to_us
from sync.conflicts import Conflicts
from sync.database import Database, DatabaseSettings
from sync.journal import SqlJournal
from sync.line import Line
from tests.fakes.moved_clock import MovedClock
from tests.fakes.record_entries import crossing, decision, passage, passage_id, slip_no

LEASE = timedelta(hours=1)


class Centre:
    """`CentralClient` as far as claims go: one slip, one passage."""

    def __init__(self, clock):
        self.clock = clock
        self.line = Line(clock)
        self.line.answered()
        self.holders = {}
        self.asked, self.cancelled = [], []
        self.is_reached = True
        self.during = None

    async def claim(self, slip_nos, passage, lane, at):
        self.asked.append((tuple(slip_nos), passage, at))
        if self.during is not None:
            self.during()
        if not self.is_reached:
            self.line.failed("no answer")
            raise CentralUnreachableError("no answer")
        self.line.answered()
        for number in slip_nos:
            if self.holders.get(number, passage) != passage:
                used_by = {"slip_no": number, "site": "K2", "passage_id": self.holders[number], "at": at.isoformat()}
                return {"granted": False, "used_by": [used_by]}
        self.holders |= dict.fromkeys(slip_nos, passage)
        return {"granted": True, "lease_until_at": (self.clock.now() + LEASE).isoformat()}

    async def cancel_claim(self, passage):
        if not self.is_reached:
            raise CentralUnreachableError("no answer")
        self.cancelled.append(passage)
        self.holders = {number: holder for number, holder in self.holders.items() if holder != passage}


class Rig:
    def __init__(self, database, journal, clock):
        self.database, self.journal, self.clock = database, journal, clock
        self.centre = Centre(clock)
        self.claims = CentralClaims(database, clock, self.centre)
        self.settling = ClaimSettling(database, clock, Random(1), self.centre)
        self.conflicts = Conflicts(database, journal, clock)

    async def claim(self, i, *numbers):
        return await self.claims.claim(
            numbers or [slip_no(i)], passage_id=passage_id(i), lane="in-d1", at=self.clock.now()
        )

    async def state(self, i):
        await self.claims.settle()
        rows = await self.database.read(
            lambda c: c.exec_driver_sql(f"SELECT state FROM claims WHERE passage_id = '{passage_id(i)}'").fetchall()
        )
        return rows[0][0] if rows else None

    async def rounds(self):
        """Settle until a round has nothing to do."""
        await self.claims.settle()
        while await self.settling.settle_once() == 0:
            pass
        while await self.conflicts.record_once() == 0:
            pass

    async def round_without_centre(self):
        self.centre.is_reached = False
        await self.claims.settle()
        await self.settling.settle_once()

    async def leave(self, i):
        """The vehicle never crosses: reserved slips come back, the passage ends."""
        gone = passage(i, "idle", closed=True)
        given_back = (LedgerChange(LedgerKind.SLIP_RETURNED, slip_no(i), passage_id(i)),)
        at = self.clock.now()
        await self.journal.write(
            Entry(
                "departure", at, "service", {}, lane="in-d1", passage_id=passage_id(i), passage=gone, ledger=given_back
            )
        )


@pytest.fixture
async def rig(tmp_path):
    clock = MovedClock(datetime(2026, 11, 1, 8, 0, tzinfo=UTC))
    async with (
        Database(DatabaseSettings(tmp_path, reserve_bytes=0)) as database,
        SqlJournal(database, "K1", clock) as journal,
    ):
        yield Rig(database, journal, clock)


async def test_what_is_asked_is_on_disk_before_the_centre_hears_of_it(rig):
    seen = []
    reader = rig.database._connection.connection.driver_connection
    rig.centre.during = lambda: seen.extend(reader.execute("SELECT state FROM claims").fetchall())
    assert await rig.claim(1) is ClaimState.GRANTED
    assert [tuple(row) for row in seen] == [("asked",)]
    assert await rig.state(1) == "granted"


async def test_a_lease_stands_while_the_centre_is_silent_and_not_longer(rig):
    assert await rig.claim(1) is ClaimState.GRANTED
    await rig.claims.settle()
    rig.centre.is_reached = False
    assert await rig.claim(1) is ClaimState.GRANTED  # asked, not answered: the lease
    assert await rig.claim(1) is ClaimState.GRANTED  # known to be down, not asked: the lease
    assert len(rig.centre.asked) == 2
    assert await rig.claim(1, slip_no(1), slip_no(9)) is ClaimState.UNAVAILABLE  # the lease is for other slips
    rig.clock.move(LEASE.total_seconds() + 1)
    assert await rig.claim(1) is ClaimState.UNAVAILABLE
    assert (await rig.database.read(lambda c: claim_rows.counts(c, to_us(rig.clock.now()))))["expired"] == 1


async def test_an_answer_that_is_lost_is_given_back_if_the_vehicle_never_crosses(rig):
    await rig.journal.write(decision(1))
    rig.centre.is_reached = False
    assert await rig.claim(1) is ClaimState.UNAVAILABLE
    assert await rig.state(1) == "asked"
    await rig.leave(1)
    rig.claims.give_back(passage_id(1))
    rig.centre.is_reached = True
    rig.clock.move(30)
    await rig.rounds()
    assert await rig.state(1) == "returned"
    assert rig.centre.cancelled == [passage_id(1)]


async def test_a_passage_that_ended_just_before_a_kill_gives_its_claim_back_after_it(rig):
    await rig.journal.write(decision(1))
    await rig.claim(1)
    await rig.leave(1)  # and the process is gone before `give_back`
    await rig.rounds()
    assert await rig.state(1) == "returned"
    assert await rig.claim(2, slip_no(1)) is ClaimState.GRANTED


async def test_a_passage_that_ends_while_the_centre_is_asked_does_not_keep_the_slip(rig):
    await rig.journal.write(decision(1))
    rig.centre.during = lambda: rig.claims.give_back(passage_id(1))
    assert await rig.claim(1) is ClaimState.GRANTED
    rig.centre.during = None
    await rig.rounds()
    assert await rig.state(1) == "returned"
    assert rig.centre.holders == {}


async def test_a_crossing_within_its_lease_is_used_and_asks_nobody(rig):
    rig.clock.move(2)
    await rig.journal.write(decision(1))
    await rig.claim(1)
    await rig.journal.write(crossing(1))
    await rig.rounds()
    assert await rig.state(1) == "used"
    assert (len(rig.centre.asked), rig.centre.cancelled) == (1, [])


async def test_a_standing_vehicle_renews_its_lease_at_half_time(rig):
    await rig.journal.write(decision(1))
    await rig.claim(1)
    rig.clock.move(LEASE.total_seconds() / 2 - 60)
    await rig.rounds()
    assert len(rig.centre.asked) == 1
    rig.clock.move(60)
    await rig.rounds()
    assert len(rig.centre.asked) == 2
    rig.centre.is_reached = False
    rig.clock.move(LEASE.total_seconds() - 60)
    assert await rig.claim(1) is ClaimState.GRANTED


async def test_a_lease_that_another_site_took_over_is_a_conflict(rig):
    await rig.journal.write(decision(1))
    await rig.claim(1)
    await rig.claims.settle()
    rig.centre.holders[slip_no(1)] = "elsewhere"
    rig.clock.move(LEASE.total_seconds() + 1)
    await rig.rounds()
    (conflict,) = await rig.conflicts.listed()
    assert (conflict["kind"], conflict["slip_no"], conflict["passage_id"]) == ("claim_lost", slip_no(1), passage_id(1))
    assert conflict["centre"]["used_by"][0]["passage_id"] == "elsewhere"


async def test_a_slip_used_here_offline_and_at_another_site_is_listed_after_healing(rig):
    rig.clock.move(5)
    rig.centre.line.failed("cut")
    for i in (1, 2):
        await rig.journal.write(decision(i))
        assert await rig.claim(i) is ClaimState.UNAVAILABLE
        await rig.journal.write(crossing(i))
    await rig.round_without_centre()
    rig.centre.line.answered()
    rig.centre.is_reached = True
    rig.centre.holders[slip_no(1)] = "elsewhere"
    rig.clock.move(30)
    await rig.rounds()
    assert [await rig.state(i) for i in (1, 2)] == ["contested", "used"]
    (conflict,) = await rig.conflicts.listed()
    assert (conflict["kind"], conflict["slip_no"]) == ("used_elsewhere", slip_no(1))
    assert conflict["here"]["state"] == "used"
    kinds = [record.kind for record in await rig.journal.records()]
    assert kinds.count("conflict_found") == 1


async def test_a_used_slip_is_never_given_back_whatever_order_things_come_in(rig):
    rig.clock.move(2)
    await rig.journal.write(decision(1))
    await rig.claim(1)
    await rig.journal.write(crossing(1))
    await rig.rounds()
    rig.claims.give_back(passage_id(1))
    await rig.rounds()
    assert await rig.state(1) == "used"
    assert rig.centre.cancelled == []


async def test_several_slips_are_claimed_at_once_or_none(rig):
    rig.centre.holders[slip_no(2)] = "elsewhere"
    assert await rig.claim(1, slip_no(1), slip_no(2)) is ClaimState.REFUSED
    assert slip_no(1) not in rig.centre.holders
    assert await rig.state(1) == "refused"
