"""The worker against the reference central system as a process: what the line and the far side may do to it."""

import asyncio
import json
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from gate_service.domain.ports import ClaimState, Source
from sync.checkpoint import read_last
from sync.columns import to_us
from sync.verify import verify_directory
from tests.fakes.record_entries import crossing, decision, slip_no
from tests.fakes.slips import sound_slip
from tests.fakes.sync_parties import PATIENT, Party, site, until

SLIP = "Z3311I261122000000000001"


@pytest.fixture
def central(tmp_path):
    party = Party("central", tmp_path)
    party.start()
    yield party
    party.close()


async def told(gate, central, count):
    async def all_told():
        return (await central.counts())["events"] == count and (await gate.worker.status())["outbox"]["due"] == 0

    await until(all_told)
    counts = await central.counts()
    assert counts["gaps"] == []
    assert counts["conflicts"] == 0
    return counts


async def copied(gate, number=SLIP, version=None):
    async def is_there():
        if (await gate.worker.status())["copy"]["cursor"] is None:
            return False  # what the centre says of one slip is there before the page with everything about it
        answer = await gate.worker.slip_source.find(scanned=[number], plate=None, direction="inbound", passage_id="p")
        return bool(answer.slips) and version in (None, answer.slips[0]["version"])

    await until(is_there)


async def in_copy(gate, number=SLIP):
    rows = await gate.database.read(
        lambda c: c.exec_driver_sql(
            "SELECT version, is_tombstone, document IS NULL FROM slips JOIN sync_state USING (generation)"
            " WHERE key = ?",
            (number,),
        ).fetchall()
    )
    return [tuple(row) for row in rows]


async def find(gate, number=SLIP, plate=None):
    return await gate.worker.slip_source.find(
        scanned=[number] if number else [], plate=plate, direction="inbound", passage_id="p1"
    )


async def test_events_arrive_once_without_gaps_and_are_marked_after_the_answer(central, tmp_path):
    async with site(tmp_path / "k1", central) as gate:
        for i in range(1, 21):
            await gate.journal.write(decision(i))
            await gate.journal.write(crossing(i))
        counts = await told(gate, central, 100)
        assert counts["hazmat"] == 20
        assert (await gate.worker.status())["outbox"]["parked"] == 0


async def test_an_answer_that_is_lost_after_the_commit_counts_once(central, tmp_path):
    await central.fault("half", "/v1/events", times=2, after_commit=True)
    async with site(tmp_path / "k1", central) as gate:
        await gate.journal.write(decision(1))
        counts = await told(gate, central, 2)
        assert counts["repeats"] >= 2


async def test_a_stopped_centre_loses_nothing_and_is_found_again(central, tmp_path):
    async with site(tmp_path / "k1", central) as gate:
        await gate.journal.write(decision(1))
        await told(gate, central, 2)
        central.stop()
        await until(lambda: is_line(gate, "down"))
        for i in range(2, 12):
            await gate.journal.write(decision(i))
        await asyncio.sleep(1)
        central.start()
        await told(gate, central, 22)
        await until(lambda: is_line(gate, "up"))


async def is_line(gate, word):
    return (await gate.worker.status())["central"]["line"] == word


@pytest.mark.parametrize(
    "fault",
    [
        {"kind": "status", "status": 500},
        {"kind": "status", "status": 503},
        {"kind": "status", "status": 429, "headers": {"Retry-After": "1"}},
        {"kind": "status", "status": 404},
        {"kind": "junk"},
        {"kind": "half"},
        {"kind": "slow", "delay_s": 0.5},
        {"kind": "status", "status": 200, "body": {"accepted": [[1, "x"]]}},
        {"kind": "status", "status": 200, "body": {"accepted": [], "rejected": []}},
    ],
    ids=str,
)
async def test_no_fault_of_the_line_parks_or_loses_an_event(central, tmp_path, fault):
    await central.fault(path="/v1/events", times=2, **fault)
    async with site(tmp_path / "k1", central) as gate:
        await gate.journal.write(decision(1))
        await told(gate, central, 2)
        assert (await gate.worker.status())["outbox"]["parked"] == 0


async def test_a_refused_event_is_parked_alone_seen_and_can_be_sent_again(central, tmp_path):
    bad = str(decision(3).events[0].id)
    await central.fault("status", "/v1/events", times=None, status=422, body={"code": "no"}, contains=bad)
    async with site(tmp_path / "k1", central) as gate:
        for i in range(1, 6):
            await gate.journal.write(decision(i))

        async def settled():
            status = (await gate.worker.status())["outbox"]
            return status["due"] == 0 and status["parked"] == 1 and status["alarm"]

        await until(settled)
        (parked,) = await gate.worker.parked("outbox")
        assert parked["id"] == bad
        assert "422 no" in parked["reason"]
        counts = await central.counts()
        assert counts["events"] == 9
        assert counts["gaps"] == [{"site": "K1", "epoch": gate.journal.epoch, "missing": [[5, 5]]}]
        await central.control("DELETE", "faults")
        assert await gate.worker.send_again("outbox", [bad]) == 1
        await told(gate, central, 10)


async def test_a_refused_token_keeps_everything_and_a_renewed_file_is_read(central, tmp_path):
    async with site(tmp_path / "k1", central, token="old") as gate:
        await gate.journal.write(decision(1))
        await until(lambda: refused(central))
        assert (await central.counts())["events"] == 0
        (tmp_path / "k1" / "token").write_text("placeholder-token")
        await told(gate, central, 2)


async def refused(central):
    return (await central.counts())["refused_tokens"] > 0


async def test_a_silent_line_is_called_down_within_ten_seconds(central, tmp_path):
    async with site(tmp_path / "k1", central) as gate:
        await until(lambda: is_line(gate, "up"))
        await central.fault("silent", "/v1", times=None)

        async def is_down_in_time():  # by the line's own clock: this process may have been kept waiting
            line = (await gate.worker.status())["central"]
            assert line["line"] == "down" or line["last_answer_age_s"] <= 10
            return line["line"] == "down"

        await until(is_down_in_time)
        await central.control("DELETE", "faults")
        await until(lambda: is_line(gate, "up"))


async def test_changes_reach_the_copy_at_once_through_the_long_poll(central, tmp_path):
    async with site(tmp_path / "k1", central) as gate:
        await until(lambda: is_line(gate, "up"))
        await asyncio.sleep(0.5)
        told_us = to_us(datetime.now(UTC))
        await central.load({"kind": "slip", "slip": sound_slip(version=1)})
        await until(lambda: has(gate, SLIP, [(1, 0, 0)]))
        [(as_of_us,)] = await gate.database.read(lambda c: c.exec_driver_sql("SELECT as_of_us FROM slips").fetchall())
        assert as_of_us - told_us < 2_000_000  # when the centre answered: a poll goes on for three seconds


async def test_duplicated_and_shuffled_pages_leave_the_newest_version(central, tmp_path):
    await central.control("POST", "options", {"duplicate_pages": True, "shuffle": True})
    async with site(tmp_path / "k1", central, page_limit=3) as gate:
        for version in range(1, 8):
            await central.load(
                *({"kind": "slip", "slip": sound_slip(slip_no=f"Z{n}", version=version)} for n in range(5))
            )

        async def newest():
            return [await in_copy(gate, f"Z{n}") for n in range(5)] == [[(7, 0, 0)]] * 5

        await until(newest)
        await central.load({"kind": "slip_revoked", "version": 8, "slip_no": "Z1", "reason": "recalled"})

        async def revoked():
            return await in_copy(gate, "Z1") == [(8, 1, 0)]

        await until(revoked)
        answer = await find(gate, "Z1")
        assert answer.known["revoked"] == ["Z1"]


async def test_an_unknown_cursor_fetches_everything_anew_and_swaps(central, tmp_path):
    async with site(tmp_path / "k1", central, page_limit=2) as gate:
        await central.load(*({"kind": "slip", "slip": sound_slip(slip_no=f"Z{n}", version=1)} for n in range(7)))
        await until(lambda: has(gate, "Z6", [(1, 0, 0)]))
        await central.load({"kind": "slip_revoked", "slip_no": "Z2", "reason": "recalled"})
        await until(lambda: has(gate, "Z2", [(2, 1, 0)]))
        central.stop()
        central.state_file.unlink()  # another life of the centre: fewer slips, no tombstones, cursors unknown
        central.start()
        await central.load(*({"kind": "slip", "slip": sound_slip(slip_no=f"Z{n}", version=1)} for n in range(3)))
        await until(lambda: has(gate, "Z6", []))
        await until(lambda: has(gate, "Z1", [(1, 0, 0)]))  # the new copy may have been fetched before the slips came
        assert await in_copy(gate, "Z2") == [(2, 1, 1)] or (await in_copy(gate, "Z2"))[0][:2] == (2, 1)

        async def only_one_copy():
            rows = await gate.database.read(
                lambda c: c.exec_driver_sql("SELECT COUNT(DISTINCT generation) FROM slips").fetchall()
            )
            return rows[0][0] == 1

        await until(only_one_copy)


async def has(gate, number, expected):
    return await in_copy(gate, number) == expected


async def test_malformed_slips_are_counted_explained_and_do_not_stop_the_page(central, tmp_path):
    async with site(tmp_path / "k1", central) as gate:
        await central.load({"kind": "slip", "slip": sound_slip(version=1)})
        await copied(gate)
        bad = [
            {"kind": "slip", "version": 2, "slip": sound_slip(total_kg="heavy")},
            {"kind": "slip", "version": 1, "slip": {"slip_no": ""}},
            {"kind": "slip", "slip": 7, "version": 1},
            {"kind": "weather"},
            17,
            None,
            {"kind": "hold", "version": 1, "hold": {"id": "H1", "kind": "police"}},
            {"kind": "slip", "version": "x", "slip": sound_slip(slip_no="ZX")},
            {"kind": "slip", "version": 1, "slip": sound_slip(slip_no="Z\ud800")},
        ]
        await central.load(*({"raw": True, "change": change} for change in bad))
        await central.load({"kind": "slip", "slip": sound_slip(slip_no="Z9", version=1)})
        await until(lambda: has(gate, "Z9", [(1, 0, 0)]))
        status = await gate.worker.status()
        assert status["copy"]["rejected"] == len(bad)
        assert any("total_kg: mass expected" in row["reason"] for row in status["rejected"])
        assert status["faults"] == {}
        # The newer version of the first slip cannot be read, so the older one is no longer believed.
        assert await in_copy(gate) == [(2, 0, 1)]
        central.stop()
        answer = await find(gate)
        assert (answer.slips, answer.source) == ([], Source.LOCAL)


async def test_the_centre_answers_first_and_the_copy_when_it_cannot(central, tmp_path):
    async with site(tmp_path / "k1", central, request_timeout_s=60.0, **PATIENT) as gate:
        await central.load({"kind": "slip", "slip": sound_slip(version=1)})
        await copied(gate)
        answer = await find(gate)
        assert answer.source is Source.CENTRAL
        assert answer.as_of is not None
        unknown = await find(gate, "Z-nobody-knows")
        assert (list(unknown.slips), unknown.source) == ([], Source.CENTRAL)
        by_plate = await find(gate, None, "浙B12345")
        assert [slip["slip_no"] for slip in by_plate.slips] == [SLIP]
        await central.fault("silent", "/v1", times=None)
        await central.load(
            {"kind": "slip", "slip": sound_slip(slip_no="Z-other", version=1)}
        )  # ends the poll under way

        async def is_silent():  # also to whoever asked before: nobody is answered any more
            return (await central.control("GET", "faults"))["played"] > 0

        await until(is_silent)
        client = gate.worker._client
        client._settings = replace(client._settings, lookup_timeout_s=0.8)  # everything else waits for a minute
        asked = []

        async def nobody_answers(*what):
            asked.append(what)
            return []

        client.slips = nobody_answers
        async with asyncio.timeout(30):
            late = await find(gate)
            assert (late.source, len(late.slips)) == (Source.LOCAL, 1)
            assert (await find(gate, None, "浙B 12345")).source is Source.LOCAL
        assert asked == []  # nobody asks a line that is known to be down


async def test_known_is_narrowed_to_vehicle_and_slips(central, tmp_path):
    await central.load(
        {"kind": "slip", "slip": sound_slip(version=1)},
        {
            "kind": "declaration",
            "declaration": {"number": "331120261000000001", "trucks": "many", "passed_gross_kg": 5},
        },
        {"kind": "declaration", "declaration": {"number": "other", "trucks": "many"}},
        {"kind": "enterprise", "enterprise": {"customs_code": "3311660001", "uscc": "U1", "credit": "dishonest"}},
        {"kind": "vehicle", "vehicle": {"plate": "浙B·12345"}},
        {"kind": "vehicle", "vehicle": {"plate": "浙B99999"}},
        hold("H1", "slip", SLIP),
        hold("H2", "vehicle", "浙B 12345"),
        hold("H3", "enterprise", "91330000000000000X"),
        hold("H4", "document", "331120261000000001"),
        hold("H5", "slip", "another"),
        {**hold("H6", "slip", SLIP), "deleted": True},
    )
    async with site(tmp_path / "k1", central) as gate:
        await copied(gate)
        await gate.journal.write(decision(3, slip=SLIP))
        await gate.journal.write(crossing(3, slip=SLIP))
        known = (await find(gate)).known
        assert sorted(row["id"] for row in known["holds"]) == ["H1", "H2", "H3", "H4"]
        assert [row["number"] for row in known["declarations"]] == ["331120261000000001"]
        assert known["declarations"][0]["passed_gross_kg"] == 205
        assert [row["plate"] for row in known["vehicles"]] == ["浙B·12345"]
        assert [row["credit"] for row in known["enterprises"]] == ["dishonest"]
        assert known["used"] == {SLIP: 1}


def hold(number, target_type, target):
    return {"kind": "hold", "hold": {"id": number, "kind": "risk", "target": {"type": target_type, "id": target}}}


async def test_claims_are_granted_once_refused_to_others_and_given_back(central, tmp_path):
    now = datetime.now(UTC)
    async with site(tmp_path / "k1", central, **PATIENT) as gate:
        claims = gate.worker.claims
        await until(lambda: is_line(gate, "up"))
        numbers = [slip_no(1), slip_no(2)]
        assert await claims.claim([], passage_id="a", lane="in-d1", at=now) is ClaimState.NOT_NEEDED
        assert await claims.claim(numbers, passage_id="a", lane="in-d1", at=now) is ClaimState.GRANTED
        assert await claims.claim(numbers, passage_id="a", lane="in-d1", at=now) is ClaimState.GRANTED
        assert await claims.claim(numbers[:1], passage_id="b", lane="in-d1", at=now) is ClaimState.REFUSED
        await central.fault("status", "/v1/claims", times=2, status=500)
        claims.give_back("a")

        async def is_given_back():
            return [row["state"] for row in await central.control("GET", "claims")] == ["returned", "returned"]

        await until(is_given_back)
        await until(lambda: is_line(gate, "up"))
        assert await claims.claim(numbers[:1], passage_id="b", lane="in-d1", at=now) is ClaimState.GRANTED


async def test_a_claim_to_be_given_back_survives_a_restart_and_an_outage(central, tmp_path):
    now = datetime.now(UTC)
    async with site(tmp_path / "k1", central, **PATIENT) as gate:
        await until(lambda: is_line(gate, "up"))
        assert await gate.worker.claims.claim(["Z1"], passage_id="a", lane="l", at=now) is ClaimState.GRANTED
        central.stop()
        gate.worker.claims.give_back("a")
        assert await gate.worker.claims.claim(["Z2"], passage_id="b", lane="l", at=now) is ClaimState.UNAVAILABLE
    central.start()
    async with site(tmp_path / "k1", central):

        async def is_given_back():
            return [row["state"] for row in await central.control("GET", "claims")] == ["returned"]

        await until(is_given_back)


async def test_without_a_centre_the_copy_answers_and_claims_are_unavailable(tmp_path):
    async with site(tmp_path / "k1", None) as gate:
        answer = await find(gate)
        assert (list(answer.slips), answer.source, answer.as_of) == ([], Source.LOCAL, None)
        claim = await gate.worker.claims.claim(["Z1"], passage_id="a", lane="l", at=datetime.now(UTC))
        assert claim is ClaimState.UNAVAILABLE
        gate.worker.claims.give_back("a")
        assert (await gate.worker.status())["central"] == {"line": "absent"}


async def test_the_centre_holds_the_newest_checkpoint_and_a_record_cut_shorter_shows_against_it(central, tmp_path):
    async with site(tmp_path / "k1", central) as gate:
        for i in range(1, 6):
            await gate.journal.write(decision(i))
        await gate.journal.seal()

        async def held():
            found = (await central.control("GET", "checkpoints"))["checkpoints"]
            return bool(found) and found[0]["records"] == 5

        await until(held)
        await until(lambda: are_checkpoints(gate, "taken"))  # its answer is still on the way
    found = await central.control("GET", "checkpoints")
    newest = read_last(json.dumps(found).encode())
    assert verify_directory(tmp_path / "k1", newest).findings == []


async def test_a_centre_without_checkpoints_is_left_alone_and_everything_else_goes_on(central, tmp_path):
    await central.fault("status", "/v1/checkpoints", times=None, status=404)
    async with site(tmp_path / "k1", central) as gate:
        await gate.journal.write(decision(1))
        await told(gate, central, 2)
        await until(lambda: are_checkpoints(gate, "absent"))
        await until(lambda: is_line(gate, "up"))


async def are_checkpoints(gate, word):
    return (await gate.worker.status())["checkpoints"]["state"] == word
