"""The hazardous-chemical feed against the reference zone authority, where the standard's own library checks it."""

import asyncio
import http.server
import threading
from types import SimpleNamespace

import pytest

from gate_service.clock import RealClock
from sync.columns import to_us
from sync.feed_queries import FeedQueries
from sync.verify import verify_directory
from tests.fakes.record_entries import crossing, decision, passage_id
from tests.fakes.sync_parties import Party, site, until


@pytest.fixture
def authority(tmp_path):
    party = Party("authority", tmp_path)
    party.start()
    yield party
    party.close()


async def cross(gate, *numbers):
    for i in numbers:
        await gate.journal.write(decision(i))
        await gate.journal.write(crossing(i))


async def told(gate, authority, count):
    async def all_told():
        return (await authority.counts())["hazmat"] == count and (await feed(gate))["due"] == 0

    await until(all_told)
    counts = await authority.counts()
    assert counts["bad_signatures"] == counts["bad_messages"] == counts["conflicts"] == 0
    return counts


async def feed(gate):
    return (await gate.worker.status())["authority"]


async def test_each_hazardous_entry_is_one_signed_cloud_event(authority, tmp_path):
    async with site(tmp_path / "k1", None, authority) as gate:
        await cross(gate, 1, 2, 3)
        counts = await told(gate, authority, 3)
        assert counts["attempts"] == 3
        received = await authority.control("GET", "received")
        (message,) = (found for found in received if found["subject"] == passage_id(1))  # passages come in any order
        assert message["specversion"] == "1.0"
        assert message["type"] == "hazmat.entered"
        assert message["source"] == "/sites/K1"
        assert message["sequence"] == "1"
        assert message["data"] == {"gross_kg": 16245.335, "plate": "浙B00001"}


async def test_a_stopped_authority_is_told_everything_once_it_is_back(authority, tmp_path):
    async with site(tmp_path / "k1", None, authority) as gate:
        authority.stop()
        await cross(gate, 1, 2)

        async def is_down():
            return (await feed(gate))["line"] == "down" and "unreachable" in str((await feed(gate))["reason"])

        await until(is_down)
        authority.start()
        await told(gate, authority, 2)


async def test_an_answer_that_is_lost_after_the_commit_counts_once(authority, tmp_path):
    await authority.fault("status", "/hooks", after_commit=True, status=500)
    async with site(tmp_path / "k1", None, authority) as gate:
        await cross(gate, 1)
        counts = await told(gate, authority, 1)
        assert counts["repeats"] == 1


async def test_a_wish_to_wait_is_honoured_and_410_parks(authority, tmp_path):
    await authority.fault("status", "/hooks", status=429, headers={"Retry-After": "120"})
    async with site(tmp_path / "k1", None, authority) as gate:
        await cross(gate, 1)

        async def is_noted():
            rows = await gate.database.read(
                lambda c: c.exec_driver_sql("SELECT attempts, due_at_us - delivered_at_us FROM feed").fetchall()
            )
            return rows[0][0] == 1

        await until(is_noted)
        await authority.fault("status", "/hooks", status=410)
        await cross(gate, 2)

        async def is_parked():
            return (await feed(gate))["parked"] == 1

        await until(is_parked)
        status = await feed(gate)
        assert status["alarm"] is True
        assert status["due"] == 1
        (parked,) = await gate.worker.parked("feed")
        await gate.worker.send_again("feed", [parked["id"]])
        await until(lambda: has(authority, 1))


async def has(authority, count):
    return (await authority.counts())["hazmat"] == count


async def test_a_redirect_is_a_failure_and_is_not_followed(authority, tmp_path):
    asked = []

    class Trap(http.server.BaseHTTPRequestHandler):
        def do_POST(self):
            asked.append(self.path)
            self.send_response(200)
            self.end_headers()

        def log_message(self, *_):
            pass

    with http.server.HTTPServer(("127.0.0.1", 0), Trap) as trap:
        thread = threading.Thread(target=trap.serve_forever)
        thread.start()
        where = f"http://127.0.0.1:{trap.server_port}/stolen"
        await authority.fault("status", "/hooks", times=1, status=307, headers={"Location": where})
        async with site(tmp_path / "k1", None, authority) as gate:
            await cross(gate, 1)
            await told(gate, authority, 1)
        trap.shutdown()
        thread.join()
    assert asked == []


async def test_a_slow_authority_does_not_hold_up_other_passages(authority, tmp_path):
    await authority.fault("slow", "/hooks", times=1, delay_s=600.0, contains=passage_id(1))
    async with site(tmp_path / "k1", None, authority, feed_delays_s=(0.2,) * 20, authority_timeout_s=60.0) as gate:
        await cross(gate, 1, 2, 3)
        await until(lambda: has(authority, 2))  # long before the first is answered, or given up
        received = await authority.control("GET", "received")
        assert {found["subject"] for found in received} == {passage_id(2), passage_id(3)}
        authority.stop()  # nobody waits for the answer to the first
        authority.start()
        await told(gate, authority, 3)


async def test_each_answer_is_kept_and_an_event_told_again_by_hand_is_a_repeat_to_the_receiver(authority, tmp_path):
    await authority.fault("status", "/hooks", times=1, status=503, headers={"Retry-After": "0"})
    async with site(tmp_path / "k1", None, authority) as gate:
        await cross(gate, 1)
        await told(gate, authority, 1)
        queries = FeedQueries(gate.database, "K1")
        [delivery] = await queries.deliveries(None, 10)
        assert (delivery["state"], delivery["attempts"], delivery["reason"]) == ("delivered", 2, None)
        assert [receipt["status"] for receipt in delivery["receipts"]] == [503, 201]
        assert delivery["receipts"][-1]["answer"] == "{}"
        assert await queries.deliveries("parked", 10) == []

        assert await queries.tell_again(delivery["id"], to_us(RealClock().now()))
        gate.worker.nudge()

        async def is_repeated():
            return (await authority.counts())["repeats"] == 1

        await until(is_repeated)
        await told(gate, authority, 1)
        [delivery] = await queries.deliveries("delivered", 10)
        assert [receipt["status"] for receipt in delivery["receipts"]] == [503, 201, 200]
    assert verify_directory(tmp_path / "k1").findings == []


async def test_an_answer_whose_body_stalls_or_is_no_text_counts_by_its_status(tmp_path):
    async def answer(reader, writer):
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n\x00\x1b[2Jreceipt 7")
        await reader.read()  # until the other side has enough of it
        writer.close()

    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    receiver = SimpleNamespace(port=port, url=f"http://127.0.0.1:{port}")
    async with server, site(tmp_path / "k1", None, receiver) as gate:
        await cross(gate, 1)

        async def is_told():
            return (await feed(gate))["due"] == 0

        await until(is_told)
        [delivery] = await FeedQueries(gate.database, "K1").deliveries(None, 10)
        assert delivery["state"] == "delivered"
        assert [(one["status"], one["answer"]) for one in delivery["receipts"]] == [(200, "  [2Jreceipt 7")]
