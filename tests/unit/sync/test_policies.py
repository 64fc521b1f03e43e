"""Stored policies: two persons, a time, and everything in the record."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from gate_service.bootstrap import check_policy
from gate_service.domain.errors import (
    CommandRefusedError,
    InputError,
    NotFoundError,
    NotPermittedError,
    PolicyError,
    RecordError,
)
from sync.database import Database, DatabaseSettings
from sync.journal import SqlJournal
from sync.policies import PolicyBook
from sync.statements import run
from sync.verify import verify_directory
from tests.fakes.moved_clock import MovedClock

START = datetime(2026, 11, 22, 8, tzinfo=UTC)
SITE = {"version": "site-1"}


def policy(version="v2", **changes):
    return {"version": version, **changes}


@pytest.fixture
def clock():
    return MovedClock(START)


@pytest.fixture
async def database(tmp_path):
    async with Database(DatabaseSettings(tmp_path, reserve_bytes=0)) as database:
        yield database


@pytest.fixture
async def journal(database, clock):
    async with SqlJournal(database, "K1", clock) as journal:
        yield journal


@pytest.fixture
async def book(database, journal, clock):
    async with PolicyBook(database, journal, clock, check_policy, SITE) as book:
        yield book


async def test_before_the_first_the_site_file_judges(book):
    assert book.in_force(START) == SITE
    assert book.current(START) is None


async def test_it_judges_from_its_time_on_and_not_before(book, clock):
    at = START + timedelta(hours=2)
    await book.propose(policy(), at, "tighter", "user:a")
    assert book.in_force(at) == SITE  # nobody approved it
    await book.approve("v2", "user:b")
    assert book.in_force(at - timedelta(microseconds=1)) == SITE
    assert book.in_force(at) == policy()
    clock.move(timedelta(hours=2).total_seconds())
    assert [one.shown(clock.now(), "v2")["state"] for one in book.all()] == ["in_force"]


async def test_approved_late_it_judges_from_the_approval_on(book, clock):
    await book.propose(policy(), START + timedelta(hours=1), "tighter", "user:a")
    clock.move(7200)
    await book.approve("v2", "user:b")
    assert book.in_force(START + timedelta(hours=1, minutes=59)) == SITE
    assert book.in_force(START + timedelta(hours=2)) == policy()


async def test_the_latest_to_reach_its_time_judges_whatever_the_order_of_approval(book):
    for version, hours in (("v3", 3), ("v2", 2)):
        await book.propose(policy(version), START + timedelta(hours=hours), "plan", "user:a")
        await book.approve(version, "user:b")
    found = [book.in_force(START + timedelta(hours=h)) for h in (1, 2, 3, 9)]
    assert [one["version"] for one in found] == ["site-1", "v2", "v3", "v3"]


async def test_nobody_approves_their_own(book):
    await book.propose(policy(), None, "tighter", "user:a")
    with pytest.raises(NotPermittedError):
        await book.approve("v2", "user:a")
    assert book.in_force(START + timedelta(days=1)) == SITE


async def test_withdrawn_it_never_judges_and_in_force_it_is_not_withdrawn(book):
    await book.propose(policy(), START + timedelta(hours=2), "tighter", "user:a")
    await book.approve("v2", "user:b")
    await book.withdraw("v2", "typing mistake", "user:a")
    assert book.in_force(START + timedelta(days=1)) == SITE
    with pytest.raises(CommandRefusedError):
        await book.approve("v2", "user:c")
    await book.propose(policy("v3"), None, "tighter", "user:a")
    await book.approve("v3", "user:b")
    with pytest.raises(CommandRefusedError, match="propose another"):
        await book.withdraw("v3", "no", "user:a")


@pytest.mark.parametrize(
    ("given", "error"),
    [
        (policy("site-1"), InputError), (policy("v/2"), InputError), (policy(""), InputError), ({}, InputError),
        (policy(tolerance=1), PolicyError), (policy(offline={"slip_max_age_h": -1}), PolicyError),
    ],
)  # fmt: skip
async def test_what_is_not_sound_is_not_stored(book, given, error):
    with pytest.raises(error):
        await book.propose(given, None, "why", "user:a")
    assert book.all() == ()


async def test_a_version_is_used_once_and_a_reason_and_a_near_time_are_needed(book):
    await book.propose(policy(), None, "why", "user:a")
    with pytest.raises(InputError, match="never used"):
        await book.propose(policy(), None, "why", "user:a")
    with pytest.raises(InputError, match="reason"):
        await book.propose(policy("v3"), None, " ", "user:a")
    with pytest.raises(InputError, match="from_at"):
        await book.propose(policy("v3"), START + timedelta(days=400), "why", "user:a")
    with pytest.raises(NotFoundError):
        await book.approve("v9", "user:b")
    assert len(book.all()) == 1


async def test_it_is_read_back_from_the_record_as_it_was(book, database, journal, clock, tmp_path):
    sampled = {"weigh": "sampled", "rate": 0.1, "tolerance_kg": 0.5, "tolerance_pct": 1}
    given = policy(tiers={name: {"weigh": "always", "tolerance_kg": 1, "tolerance_pct": 1}
                          for name in ("strict", "standard", "relaxed")} | {"抽": sampled}, assign=[])  # fmt: skip
    await book.propose(given, None, "更严", "user:甲")
    await book.approve("v2", "user:b")
    async with PolicyBook(database, journal, clock, check_policy, SITE) as again:
        assert again.all() == book.all()
        assert again.in_force(START) == given
    kinds = [(record.kind, record.actor) for record in await journal.records()]
    assert kinds == [("policy_proposed", "user:甲"), ("policy_approved", "user:b")]
    await journal.seal()
    assert verify_directory(tmp_path).findings == []


@pytest.mark.parametrize("column", ["text", "sha256"])
async def test_an_altered_text_is_not_taken_for_the_recorded_one(book, database, journal, clock, column):
    await book.propose(policy(), None, "why", "user:a")
    other = '{"version": "v2", "offline": {"hold_max_age_h": 8000}}'

    def alter(connection):
        value = other.encode() if column == "text" else "0" * 64
        run(connection, f"UPDATE policies SET {column} = ?", (value,))

    await database.write(alter)
    with pytest.raises(RecordError, match="another"):
        async with PolicyBook(database, journal, clock, check_policy, SITE):
            pass


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ("from_us = from_us - 1", "from_us"),
        ("reason = 'because'", "reason"),
        ("proposed_by = 'user:z'", "proposed_by"),
        ("approved_by = 'user:a'", "approved_by"),
        ("approved_by = NULL, approved_at_us = NULL, approved_record = NULL", "approved_record"),
        ("withdrawn_by = 'user:a', withdrawn_at_us = 1, withdrawn_record = 99", "withdrawn_record 99"),
        ("withdrawn_at_us = 1", "withdrawn_at_us without a record"),
        ("version = 'v3'", "policy v2: missing"),
    ],
)
async def test_a_table_that_says_another_than_the_record_is_found(book, database, tmp_path, change, named):
    await book.propose(policy(), None, "why", "user:a")
    await book.approve("v2", "user:b")
    await database.write(lambda connection: run(connection, f"UPDATE policies SET {change}"))
    found = verify_directory(tmp_path).findings
    assert any(one.startswith("policy v") and named in one for one in found), found


async def test_it_outlives_the_record_that_told_of_it(book, database, journal, clock):
    await book.propose(policy(), None, "why", "user:a")
    await book.approve("v2", "user:b")

    def forget(connection):
        run(connection, "DROP TRIGGER records_no_delete")
        run(connection, "DELETE FROM records")

    await database.write(forget)
    async with PolicyBook(database, journal, clock, check_policy, SITE) as again:
        assert again.in_force(START) == policy()
