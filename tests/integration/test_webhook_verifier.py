"""The real feed before a verifier of Standard Webhooks written by others (npm standardwebhooks)."""

import asyncio
import base64
from datetime import UTC, datetime, timedelta
from random import Random

import httpx
import pytest
from standardwebhooks.webhooks import Webhook

from gate_service.clock import RealClock
from gate_service.domain.events import Event, EventType
from gate_service.domain.record import Entry
from sync.authority import AuthorityFeed
from sync.database import Database, DatabaseSettings
from sync.journal import SqlJournal
from sync.settings import AuthoritySettings
from tests.fakes.record_entries import NAMES, crossing
from tests.integration.peers.programs import HERE, node, program

OLD, NEW, FOREIGN = ("whsec_" + base64.b64encode(bytes([n] * 32)).decode() for n in (1, 2, 3))


async def told(folder, port, secrets, count):
    """Record crossings and a correction, tell them, and answer what the receiver accepted."""
    (folder / "secret").write_text("\n".join(secrets))
    clock = RealClock()
    settings = AuthoritySettings(f"http://127.0.0.1:{port}/hook", folder / "secret", (f"127.0.0.1:{port}",))
    async with (
        Database(DatabaseSettings(folder, reserve_bytes=0)) as database,
        SqlJournal(database, "K1", clock) as journal,
        AuthorityFeed(settings, "K1", database, clock, Random(1)) as feed,
    ):
        for number in range(1, count):
            await journal.write(crossing(number))
        data = {"reason": "盘点", "lines": [{"un_no": "1090", "name": "丙酮", "net_kg": -0.125}]}
        now = clock.now()
        event = Event(NAMES, EventType.HAZMAT_CORRECTED, now, data)
        await journal.write(Entry("hazmat_corrected", now, "user:duty", {}, events=(event,)))
        async with asyncio.timeout(60):
            while await feed.deliver_once() is not None:
                pass
        assert (await feed.status())["parked"] == 0
    async with httpx.AsyncClient(timeout=30) as client:
        return (await client.get(f"http://127.0.0.1:{port}/")).json()


@pytest.mark.parametrize(("secrets", "known"), [((OLD,), OLD), ((OLD, NEW), OLD), ((OLD, NEW), NEW)])
async def test_every_message_of_the_real_feed_verifies_also_while_a_secret_is_changed(tmp_path, secrets, known):
    async with program(node(), str(HERE / "npm_webhook_receiver.js"), known) as (_, port):
        received = await told(tmp_path, port, secrets, 4)
    assert len(received) == 4
    assert any("丙酮" in one["body"] for one in received)


async def test_altered_replayed_late_and_foreign_messages_are_refused(tmp_path):
    async with program(node(), str(HERE / "npm_webhook_receiver.js"), OLD) as (_, port):
        message = next(one for one in await told(tmp_path, port, (OLD,), 2) if "盘点" in one["body"])
        body = message["body"]
        headers = {name: message["headers"][name] for name in ("webhook-id", "webhook-timestamp", "webhook-signature")}
        now = datetime.now(UTC)

        def signed(at, secret=OLD):
            stamp = {"webhook-id": "another", "webhook-timestamp": str(int(at.timestamp()))}
            return {**stamp, "webhook-signature": Webhook(secret).sign("another", at, body)}

        refused = {
            "altered": (body.replace("-0.125", "-9.125"), headers),
            "altered in one byte": (body[:-1] + " }", headers),
            "replayed as it was": (body, headers),
            "replayed under another id": (body, {**headers, "webhook-id": "another"}),
            "replayed with a new time": (
                body,
                {**headers, "webhook-timestamp": str(int(headers["webhook-timestamp"]) + 1)},
            ),
            "late": (body, signed(now - timedelta(minutes=6))),
            "from the future": (body, signed(now + timedelta(minutes=6))),
            "signed by somebody else": (body, signed(now, FOREIGN)),
            "unsigned": (body, {}),
        }
        async with httpx.AsyncClient(timeout=30) as client:
            for what, (content, given) in refused.items():
                answer = await client.post(f"http://127.0.0.1:{port}/hook", content=content.encode(), headers=given)
                assert answer.status_code in {401, 409}, what
            fresh = await client.post(f"http://127.0.0.1:{port}/hook", content=body.encode(), headers=signed(now))
            assert fresh.status_code == 200  # the checker lets good ones in, so its refusals mean something
