"""The feed's schedule, order and signatures, on a clock in the test's hand."""

import base64
import json
from datetime import UTC, datetime, timedelta
from random import Random

import httpx
import pytest
from standardwebhooks.webhooks import Webhook, WebhookVerificationError

from gate_service.domain.errors import ConfigError, DestinationRefusedError
from gate_service.domain.events import Event, EventType
from gate_service.domain.record import Entry
from sync.authority import AuthorityFeed, cloud_event, read_secrets, signed_headers
from sync.database import Database, DatabaseSettings
from sync.journal import SqlJournal
from sync.queue_rows import FeedRow
from sync.settings import STANDARD_DELAYS_S, AuthoritySettings
from tests.fakes.moved_clock import MovedClock
from tests.fakes.record_entries import NAMES, crossing, passage, passage_id

SECRETS = ["whsec_" + base64.b64encode(bytes([n] * 32)).decode() for n in (1, 2)]
URL = "https://192.0.2.7/hooks"
ALLOW = ("192.0.2.7:443",)


class Receiver(httpx.AsyncBaseTransport):
    """Answers by script, then 204; keeps what came. `only`: the passage whose messages take from the script."""

    def __init__(self, *script, only=None):
        self.script = list(script)
        self.only = only
        self.requests = []

    async def handle_async_request(self, request):
        self.requests.append(request)
        is_scripted = bool(self.script) and self.only in (None, self.subjects()[-1])
        answer = self.script.pop(0) if is_scripted else httpx.Response(204)
        if isinstance(answer, Exception):
            raise answer
        return httpx.Response(answer) if isinstance(answer, int) else answer

    def subjects(self):
        return [json.loads(request.content)["subject"] for request in self.requests]


class Bench:
    """A record, a feed and a clock."""

    def __init__(self, folder, receiver):
        self.folder = folder
        self.clock = MovedClock()
        self.receiver = receiver
        (folder / "secret").write_text("\n".join(SECRETS))
        self.database = Database(DatabaseSettings(folder, reserve_bytes=0))
        self.journal = SqlJournal(self.database, "K1", self.clock)
        settings = AuthoritySettings(URL, folder / "secret", ALLOW)
        self.feed = AuthorityFeed(settings, "K1", self.database, self.clock, Random(1), transport=receiver)

    async def __aenter__(self):
        await self.database.__aenter__()
        await self.journal.__aenter__()
        await self.feed.__aenter__()
        self.clock.move(3600)
        return self

    async def __aexit__(self, *error):
        await self.feed.__aexit__(*error)
        await self.journal.__aexit__(*error)
        await self.database.__aexit__(*error)

    async def drain(self):
        """Deliver until nothing is due now; answers the wait for the next."""
        while (delay_s := await self.feed.deliver_once()) == 0:
            pass
        return delay_s


async def test_every_attempt_of_the_standard_schedule_is_made_then_the_event_is_parked_and_the_alarm_raised(tmp_path):
    async with Bench(tmp_path, Receiver(*[500] * 20)) as bench:
        await bench.journal.write(crossing(1))
        waits = []
        while (delay_s := await bench.drain()) is not None:
            waits.append(round(delay_s))
            bench.clock.move(delay_s)
        assert waits == [round(s) for s in STANDARD_DELAYS_S[1:]]
        assert sum(STANDARD_DELAYS_S) == timedelta(hours=75, minutes=35, seconds=5).total_seconds()
        assert len(bench.receiver.requests) == 10
        assert len({request.content for request in bench.receiver.requests}) == 1
        status = await bench.feed.status()
        assert (status["parked"], status["due"], status["alarm"]) == (1, 0, True)
        (row,) = await bench.feed.parked()
        assert "10 attempts" in row["reason"]
        bench.receiver.script.clear()
        assert await bench.feed.send_again([row["id"]]) == 1
        await bench.drain()
        assert (await bench.feed.status())["parked"] == 0


async def test_a_receiver_that_cannot_be_reached_costs_no_attempt_however_long_it_lasts(tmp_path):
    receiver = Receiver(*[httpx.ConnectError("refused")] * 200)
    async with Bench(tmp_path, receiver) as bench:
        await bench.journal.write(crossing(1))
        for _ in range(200):
            delay_s = await bench.drain()
            assert 0 < delay_s <= 15
            bench.clock.move(86400)
        await bench.drain()
        assert (await bench.feed.status())["due"] == 0
        assert len(receiver.requests) == 201


@pytest.mark.parametrize("status", [201, 204, 299])
async def test_any_2xx_is_success(tmp_path, status):
    async with Bench(tmp_path, Receiver(status)) as bench:
        await bench.journal.write(crossing(1))
        assert await bench.drain() is None


@pytest.mark.parametrize("status", [302, 307, 400, 401, 404, 409, 500])
async def test_anything_else_is_tried_again_after_five_seconds(tmp_path, status):
    async with Bench(tmp_path, Receiver(status)) as bench:
        await bench.journal.write(crossing(1))
        assert await bench.drain() == pytest.approx(5)
        assert len(bench.receiver.requests) == 1


@pytest.mark.parametrize("wish", ["700", "Sun, 01 Nov 2026 09:11:40 GMT"])
async def test_a_wish_to_wait_longer_is_honoured(tmp_path, wish):
    async with Bench(tmp_path, Receiver(httpx.Response(503, headers={"Retry-After": wish}))) as bench:
        await bench.journal.write(crossing(1))
        assert await bench.drain() == pytest.approx(700)


async def test_gone_parks_at_once(tmp_path):
    async with Bench(tmp_path, Receiver(410)) as bench:
        await bench.journal.write(crossing(1))
        assert await bench.drain() is None
        assert (await bench.feed.status())["parked"] == 1


async def test_the_events_of_one_passage_come_in_order_and_others_do_not_wait(tmp_path):
    async with Bench(tmp_path, Receiver(500, only=passage_id(1))) as bench:
        await bench.journal.write(crossing(1))
        correction = Event(NAMES, EventType.HAZMAT_CORRECTED, bench.clock.now(), {"why": "typed"}, passage_id(1))
        await bench.journal.write(
            Entry(
                "correction", bench.clock.now(), "user:a", {}, "in-d1", passage_id(1), passage(1), events=(correction,)
            )
        )
        await bench.journal.write(crossing(2))
        delay_s = await bench.drain()
        assert sorted(bench.receiver.subjects()) == sorted([passage_id(1), passage_id(2)])
        bench.clock.move(delay_s)
        await bench.drain()
        told = [json.loads(request.content) for request in bench.receiver.requests]
        kinds = {i: [one["type"] for one in told if one["subject"] == passage_id(i)] for i in (1, 2)}
        assert kinds[1] == ["hazmat.entered", "hazmat.entered", "hazmat.corrected"]  # refused once, then both in order
        assert kinds[2][0] == "hazmat.entered"  # not behind the first passage's wait


async def test_a_name_that_leads_to_a_private_address_is_never_called(tmp_path):
    receiver = Receiver()
    bench = Bench(tmp_path, receiver)

    async def hostile(host, port):
        return ["169.254.169.254"]

    settings = AuthoritySettings("https://authority.example/hooks", tmp_path / "secret", ("authority.example:443",))
    bench.feed = AuthorityFeed(
        settings, "K1", bench.database, bench.clock, Random(1), resolver=hostile, transport=receiver
    )
    async with bench:
        await bench.journal.write(crossing(1))
        assert await bench.drain() == pytest.approx(5)
        assert receiver.requests == []
        assert "DestinationRefused" in (await bench.feed.status())["reason"]


async def test_a_destination_off_the_list_is_refused_at_start(tmp_path):
    bench = Bench(tmp_path, Receiver())
    feed = AuthorityFeed(
        AuthoritySettings(URL, tmp_path / "secret", ("192.0.2.8:443",)), "K1", bench.database, bench.clock, Random(1)
    )
    with pytest.raises(DestinationRefusedError, match=r"192\.0\.2\.7:443"):
        await feed.__aenter__()


ROW = FeedRow(
    "e", 4, "id-1", "p-1", 0, '{"id":"id-1","seq":4,"type":"hazmat.entered","at":"t","data":{"货":1}}'.encode()
)


def test_the_message_is_the_same_bytes_at_every_attempt():
    message = cloud_event(ROW, "K 1")
    assert message == cloud_event(ROW, "K 1")
    assert json.loads(message)["source"] == "/sites/K%201"


@pytest.mark.parametrize("secret", SECRETS)
def test_the_standards_own_verifier_accepts_with_the_old_and_the_new_secret(secret):
    body = cloud_event(ROW, "K1")
    headers = signed_headers(SECRETS, "id-1", datetime.now(UTC), body)
    assert Webhook(secret).verify(body, headers)["data"] == {"货": 1}


def test_the_verifier_refuses_altered_foreign_and_late_messages():
    body = cloud_event(ROW, "K1")
    now = datetime.now(UTC)
    good = signed_headers(SECRETS[:1], "id-1", now, body)
    late = signed_headers(SECRETS[:1], "id-1", now - timedelta(minutes=6), body)
    for altered_body, headers in (
        (body.replace(b"1}", b"2}"), good),
        (body, {**good, "webhook-id": "id-2"}),
        (body, signed_headers(SECRETS[1:], "id-1", now, body)),
        (body, late),
    ):
        with pytest.raises(WebhookVerificationError):
            Webhook(SECRETS[0]).verify(altered_body, headers)


@pytest.mark.parametrize("text", ["", "abc", "whsec_", "whsec_c2hvcnQ=", "whsec_!!!!", SECRETS[0] + " whsec_x"])
def test_a_bad_secret_file_is_refused_without_telling_the_secret(tmp_path, text):
    path = tmp_path / "secret"
    path.write_text(text)
    with pytest.raises(ConfigError) as caught:
        read_secrets(path)
    assert "AQEB" not in str(caught.value)
