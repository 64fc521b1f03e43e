"""The slip copy: only newer applies, page and cursor together, a resync that nobody sees until it is whole."""

import json
from datetime import UTC, datetime, timedelta
from itertools import permutations

import pytest

from gate_service.domain.errors import CentralRefusedError, CentralUnauthorizedError, CentralUnreachableError
from gate_service.domain.ports import Source
from sync.central.wire import ChangesPage
from sync.database import Database, DatabaseSettings
from sync.line import Line
from sync.pinned_keys import PinnedKeys
from sync.slip_cache import Applied, SlipCache
from sync.slip_source import CentralSlipSource
from tests.fakes.moved_clock import MovedClock
from tests.fakes.slips import sound_slip

KEY = {"kty": "OKP", "crv": "Ed25519", "kid": "k", "x": "A" * 43}
AS_OF = datetime(2026, 11, 1, 7, 59, tzinfo=UTC)


def slip(version, number="Z1", **changes):
    return {"kind": "slip", "version": version, "slip": sound_slip(slip_no=number, version=version, **changes)}


def revoked(version, number="Z1"):
    return {"kind": "slip_revoked", "version": version, "slip_no": number, "reason": "recalled"}


def page(*changes, cursor="c1", more=False, as_of=AS_OF):
    return ChangesPage(list(changes), cursor, more, as_of)


@pytest.fixture
async def database(tmp_path):
    async with Database(DatabaseSettings(tmp_path, reserve_bytes=0)) as database:
        yield database


@pytest.fixture
def clock():
    return MovedClock()


@pytest.fixture
def cache(database, clock):
    return SlipCache(database, clock)


async def held(database):
    rows = await database.read(
        lambda c: c.exec_driver_sql(
            "SELECT key, version, is_tombstone FROM slips JOIN sync_state USING (generation) ORDER BY key"
        ).fetchall()
    )
    return [(row[0], row[1], bool(row[2])) for row in rows]


@pytest.mark.parametrize("order", list(permutations([slip(1), slip(3), revoked(2), slip(3)], 4)), ids=range(24))
async def test_in_whatever_order_changes_come_the_newest_version_stands(cache, database, order):
    for change in order:
        await cache.apply_page(page(change))
    assert await held(database) == [("Z1", 3, False)]


async def test_a_late_slip_does_not_undo_its_revocation(cache, database):
    assert await cache.apply_page(page(revoked(8))) == Applied(1, 0, 0)
    assert await cache.apply_page(page(slip(7))) == Applied(0, 1, 0)
    assert await held(database) == [("Z1", 8, True)]


async def test_the_cursor_moves_with_the_page_and_as_of_only_when_caught_up(cache):
    await cache.apply_page(page(slip(1), cursor="c1", more=True))
    state = await cache.state()
    assert (state.cursor, state.as_of) == ("c1", None)
    await cache.apply_page(page(cursor="c2"))
    state = await cache.state()
    assert (state.cursor, state.as_of) == ("c2", AS_OF)


async def test_a_resync_is_seen_only_once_whole_and_keeps_revocations(cache, database):
    await cache.apply_page(page(slip(5, "Z1"), slip(5, "Z2"), revoked(9, "Z3")))
    await cache.begin_resync()
    await cache.apply_page(page(slip(1, "Z1"), cursor="n1", more=True, as_of=AS_OF + timedelta(hours=1)))
    assert await held(database) == [("Z1", 5, False), ("Z2", 5, False), ("Z3", 9, True)]
    state = await cache.state()
    assert (state.cursor, state.next_cursor, state.as_of) == ("c1", "n1", AS_OF)
    await cache.apply_page(page(slip(2, "Z3"), cursor="n2", as_of=AS_OF + timedelta(hours=2)))
    assert await held(database) == [("Z1", 1, False), ("Z3", 9, True)]
    state = await cache.state()
    assert (state.cursor, state.building_generation, state.as_of) == ("n2", None, AS_OF + timedelta(hours=2))
    while not await cache.remove_old_copies():
        pass
    assert await database.read(lambda c: c.exec_driver_sql("SELECT COUNT(*) FROM slips").scalar()) == 2


async def test_a_resync_begun_twice_starts_from_nothing(cache, database):
    await cache.begin_resync()
    await cache.apply_page(page(slip(1, "Z-lost"), cursor="n1", more=True))
    await cache.begin_resync()
    assert (await cache.state()).next_cursor is None
    await cache.apply_page(page(slip(1, "Z1"), cursor="n2"))
    assert await held(database) == [("Z1", 1, False)]


async def test_the_same_rejection_is_one_line_with_its_count(cache):
    for _ in range(3):
        result = await cache.apply_page(page(slip(2, total_kg="heavy"), slip(1, "Z2")))
        assert result.rejected == 1
    (row,) = await cache.rejected()
    assert (row["times"], row["key"], row["version"]) == (3, "Z1", 2)
    assert "total_kg" in row["reason"]


class ScriptedCentre:
    """`CentralClient` as far as look-ups go: answers from a dictionary, or fails."""

    def __init__(self, clock, slips, error=None):
        self.line = Line(clock)
        self.line.answered()
        self.known = slips
        self.error = error
        self.asked = 0

    async def slip(self, number):
        self.asked += 1
        if self.error is not None:
            raise self.error
        return self.known.get(number)

    async def slips(self, plate, direction):
        self.asked += 1
        if self.error is not None:
            raise self.error
        return list(self.known.values())


def source(database, cache, clock, slips=None, *, error=None):
    file = database.settings.directory / "keys.json"
    file.write_text(json.dumps({"keys": [KEY]}))
    return CentralSlipSource(
        database, cache, clock, client=ScriptedCentre(clock, slips or {}, error), pinned_keys=PinnedKeys(clock, file)
    )


async def ask(source, *numbers, plate=None):
    return await source.find(scanned=numbers, plate=plate, direction="inbound", passage_id="p1")


async def test_a_newer_answer_of_the_centre_wins_and_is_kept(database, cache, clock):
    await cache.apply_page(page(slip(1)))
    fresh = {**sound_slip(slip_no="Z1", version=2, status="void"), "as_of": "2026-11-01T08:00:00Z"}
    answer = await ask(source(database, cache, clock, {"Z1": fresh}), "Z1")
    assert (answer.source, answer.slips[0]["status"]) == (Source.CENTRAL, "void")
    assert answer.as_of == datetime(2026, 11, 1, 8, 0, tzinfo=UTC)
    assert answer.known["keys"] == [KEY]
    assert await held(database) == [("Z1", 2, False)]


@pytest.mark.parametrize("older", [slip(9), revoked(9)])
async def test_an_older_answer_of_the_centre_does_not_hide_what_the_copy_knows(database, cache, clock, older):
    await cache.apply_page(page(slip(1), older))
    answer = await ask(source(database, cache, clock, {"Z1": sound_slip(slip_no="Z1", version=8)}), "Z1")
    assert answer.source is Source.LOCAL
    assert answer.slips[0]["version"] == 9 or answer.known["revoked"] == ["Z1"]


@pytest.mark.parametrize(
    "error",
    [
        CentralUnreachableError("down"),
        CentralUnauthorizedError("401"),
        CentralRefusedError("400", 400),
    ],
)
async def test_whatever_fault_the_centre_has_the_copy_answers_with_its_age(database, cache, clock, error):
    await cache.apply_page(page(slip(1)))
    answer = await ask(source(database, cache, clock, error=error), "Z1")
    assert (answer.source, answer.as_of, len(answer.slips)) == (Source.LOCAL, AS_OF, 1)


async def test_one_unanswered_of_two_slips_makes_the_whole_answer_local(database, cache, clock):
    await cache.apply_page(page(slip(1, "Z2")))
    centre = source(database, cache, clock, {"Z1": sound_slip(slip_no="Z1", version=1)})
    answer = await ask(centre, "Z1", "Z2")
    assert answer.source is Source.LOCAL
    assert {one["slip_no"] for one in answer.slips} == {"Z1", "Z2"}
    assert answer.as_of == AS_OF


async def test_an_unreadable_answer_leaves_the_slip_unknown_rather_than_the_older_copy(database, cache, clock):
    await cache.apply_page(page(slip(1)))
    bad = {**sound_slip(slip_no="Z1", version=2), "total_kg": "heavy"}
    answer = await ask(source(database, cache, clock, {"Z1": bad}), "Z1")
    assert list(answer.slips) == []
    assert (await cache.rejected())[0]["key"] == "Z1"


async def test_nonsense_scanned_is_unknown_and_asks_nobody(database, cache, clock):
    centre = source(database, cache, clock)
    answer = await ask(centre, "\ud800", "a\0b")
    assert list(answer.slips) == []


async def test_by_plate_only_slips_that_can_still_be_meant_are_found(database, cache, clock):
    await cache.apply_page(
        page(
            slip(1, "Z-open"),
            slip(1, "Z-void", status="void"),
            slip(1, "Z-out", direction="outbound"),
            slip(1, "Z-gone"),
            revoked(2, "Z-gone"),
        )
    )
    answer = await ask(source(database, cache, clock, error=CentralUnreachableError("x")), plate="浙b·12345")
    assert [one["slip_no"] for one in answer.slips] == ["Z-open"]


async def test_a_line_known_to_be_down_is_not_asked(database, cache, clock):
    centre = source(database, cache, clock)
    centre._client.line.failed("reset")
    await ask(centre, "Z1")
    assert centre._client.asked == 0
