"""Tells the zone authority of hazardous goods: one signed message per event (CONTRACT 5), in order per passage.

A receiver that cannot be reached is tried for as long as it takes; one that answers anything but 2xx gets the attempts
of the schedule, then the event is parked and the alarm raised. Nothing is dropped.
"""

from __future__ import annotations

import asyncio
import base64
import binascii
import json
import logging
from collections.abc import Sequence
from datetime import datetime, timedelta
from pathlib import Path
from random import Random
from types import TracebackType
from typing import Any, Final, Self
from urllib.parse import quote

import httpx
from sqlalchemy import Connection
from standardwebhooks.webhooks import Webhook

from gate_service.domain.errors import ConfigError, DestinationRefusedError
from gate_service.domain.ports import Clock
from sync import queue_rows, receipts
from sync.backoff import full_jitter_s, retry_after_s, scheduled_s
from sync.columns import from_us, to_us
from sync.database import Database
from sync.destination import GuardedTransport, Resolve, check_url, resolve
from sync.line import Line
from sync.queue_rows import FeedRow
from sync.receipts import LONGEST_ANSWER, Receipt
from sync.settings import AuthoritySettings

log = logging.getLogger(__name__)

AT_ONCE: Final = 8  # passages told at the same time
LOOK_EVERY_S: Final = 0.25  # for new entries while an answer is awaited
GONE: Final = 410
SECRET_PREFIX: Final = "whsec_"  # noqa: S105 - the prefix of every secret of the specification
SECRET_BYTES: Final = range(24, 65)  # Standard Webhooks: 24 to 64 bytes
UNREACHABLE_CAP_S: Final = 15.0
ANSWER_WITHIN_S: Final = 1.0  # for what stands in the answer; its status is enough


def cloud_event(row: FeedRow, site_id: str) -> bytes:
    """One CloudEvents 1.0 JSON object around the frozen event: the same bytes at every attempt."""
    event = json.loads(row.payload)
    message = {
        "specversion": "1.0",
        "id": row.event_id,
        "source": f"/sites/{quote(site_id, safe='')}",
        "type": event["type"],
        **({} if row.passage_id is None else {"subject": row.passage_id}),
        "time": event["at"],
        "datacontenttype": "application/json",
        "sequence": str(row.seq),
        "gateepoch": row.epoch,
        "data": event["data"],
    }
    return json.dumps(message, ensure_ascii=False, separators=(",", ":")).encode()


def read_secrets(path: Path) -> list[str]:
    """Secrets of a file, one per line. Raises ConfigError; never tells what it found."""
    try:
        lines = path.read_text(encoding="ascii").split()
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(
            [f"authority secret {path.name}: a readable text file expected ({type(error).__name__})"]
        ) from error
    for number, line in enumerate(lines, 1):
        try:
            size = len(base64.b64decode(line.removeprefix(SECRET_PREFIX), validate=True))
        except binascii.Error:
            size = 0
        if not line.startswith(SECRET_PREFIX) or size not in SECRET_BYTES:
            raise ConfigError(
                [f"authority secret {path.name}, line {number}: whsec_ and 24 to 64 bytes in base64 expected"]
            )
    if not lines:
        raise ConfigError([f"authority secret {path.name}: at least one whsec_ secret expected, found none"])
    return lines


def signed_headers(secrets: Sequence[str], event_id: str, at: datetime, body: bytes) -> dict[str, str]:
    """Headers of the Standard Webhooks; one signature per secret, so that a secret can be changed without a gap."""
    text = body.decode()
    return {
        "content-type": "application/cloudevents+json; charset=utf-8",
        "webhook-id": event_id,
        "webhook-timestamp": str(int(at.timestamp())),
        "webhook-signature": " ".join(Webhook(secret).sign(event_id, at, text) for secret in secrets),
    }


class AuthorityFeed:
    """Delivers the feed; opens with `async with`."""

    def __init__(
        self,
        settings: AuthoritySettings,
        site_id: str,
        database: Database,
        clock: Clock,
        rng: Random,
        *,
        resolver: Resolve = resolve,
        transport: httpx.AsyncBaseTransport | None = None,
    ) -> None:
        self._settings = settings
        self._site_id = site_id
        self._database = database
        self._clock = clock
        self._rng = rng
        self._resolver = resolver
        self._transport = transport
        self._client: httpx.AsyncClient | None = None
        self._failures = 0
        self._hold_until_s = 0.0
        self._under_way: dict[tuple[str, int], asyncio.Task[bool]] = {}
        self.line = Line(clock, is_asked_always=False)

    async def __aenter__(self) -> Self:
        check_url(self._settings.url, self._settings.allow)
        read_secrets(self._settings.secret_file)
        # No connection outlives its message: the address is judged anew for each.
        inner = self._transport or httpx.AsyncHTTPTransport(limits=httpx.Limits(max_keepalive_connections=0))
        self._client = httpx.AsyncClient(
            transport=GuardedTransport(self._settings.allow, inner, self._resolver),
            follow_redirects=False,
            trust_env=False,
            timeout=self._settings.timeout_s,
        )
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for task in self._under_way.values():
            task.cancel()
        await asyncio.gather(*self._under_way.values(), return_exceptions=True)
        if self._client is not None:
            await self._client.aclose()

    async def deliver_once(self) -> float | None:
        """Tell what is due. Seconds to wait before the next round; None when nothing waits."""
        if not self._under_way:
            hold_s = self._hold_until_s - self._clock.monotonic_s()
            if hold_s > 0:
                return hold_s
        await self._begin_attempts()
        if not self._under_way:
            due_us = await self._database.read(queue_rows.next_due_us)
            if due_us is None:
                return None
            return max((from_us(due_us) - self._clock.now()).total_seconds(), 0.05)
        done, _ = await asyncio.wait(
            self._under_way.values(), timeout=LOOK_EVERY_S, return_when=asyncio.FIRST_COMPLETED
        )
        self._under_way = {key: task for key, task in self._under_way.items() if task not in done}
        if not done:
            return 0.0
        if all([await task for task in done]):
            self._failures = 0
            return 0.0
        self._failures += 1
        delay_s = full_jitter_s(self._failures, self._rng, cap_s=UNREACHABLE_CAP_S)
        self._hold_until_s = self._clock.monotonic_s() + delay_s
        return delay_s

    async def _begin_attempts(self) -> None:
        """Begin with what is due and not under way, so that one slow answer holds up its own passage only."""
        if self._hold_until_s > self._clock.monotonic_s():
            return
        now_us = to_us(self._clock.now())
        rows = await self._database.read(lambda connection: queue_rows.feed_heads(connection, now_us, AT_ONCE))
        for row in rows:
            key = (row.epoch, row.seq)
            if key not in self._under_way and len(self._under_way) < AT_ONCE:
                self._under_way[key] = asyncio.create_task(self._tell(row), name=f"feed {row.seq}")

    async def send_again(self, event_ids: Sequence[str] | None) -> int:
        """Take parked events up again; None for all of them."""
        now_us = to_us(self._clock.now())
        return await self._database.write(lambda c: queue_rows.send_again(c, "feed", event_ids, now_us))

    async def parked(self, limit: int = 100) -> list[dict[str, Any]]:
        """Parked events with their reasons."""
        return await self._database.read(lambda connection: queue_rows.parked(connection, "feed", limit))

    async def status(self) -> dict[str, Any]:
        """For `/api/v1/sync`; `alarm` is what a person must look at."""
        depth = await self._database.read(lambda connection: queue_rows.depth(connection, "feed"))
        return {**depth, "alarm": depth["parked"] > 0, **self.line.status()}

    async def _tell(self, row: FeedRow) -> bool:
        """One attempt, noted. False where the receiver was not reached at all: then nothing is counted."""
        assert self._client is not None
        body = cloud_event(row, self._site_id)
        now = self._clock.now()
        try:
            headers = signed_headers(read_secrets(self._settings.secret_file), row.event_id, now, body)
            async with asyncio.timeout(self._settings.timeout_s):
                request = self._client.stream("POST", self._settings.url, content=body, headers=headers)
                async with request as response:
                    status, wish = response.status_code, response.headers.get("retry-after")
                    answer = await _beginning(response)
        except (httpx.ConnectError, httpx.ConnectTimeout, ConfigError) as error:
            self.line.failed(f"unreachable: {error!r}")
            return False
        except (httpx.HTTPError, httpx.InvalidURL, TimeoutError, DestinationRefusedError) as error:
            self.line.failed(repr(error))
            await self._failed(row, repr(error), None, self._receipt(row, None, repr(error)))
            return True
        receipt = self._receipt(row, status, answer)
        if 200 <= status < 300:
            self.line.answered()
            await self._delivered(row, receipt)
            return True
        self.line.failed(f"status 2xx expected, found {status}")
        if status == GONE:
            await self._park(row, "410: the receiver is gone for good, says itself", receipt)
        else:
            await self._failed(row, f"status {status}", retry_after_s(wish, now), receipt)
        return True

    def _receipt(self, row: FeedRow, status: int | None, answer: str) -> Receipt:
        return Receipt(row.event_id, to_us(self._clock.now()), status, answer)

    async def _delivered(self, row: FeedRow, receipt: Receipt) -> None:
        events = [(row.epoch, row.seq)]

        def note(connection: Connection) -> None:
            queue_rows.mark_delivered(connection, "feed", events, receipt.at_us)
            receipts.keep(connection, receipt)

        await self._database.write(note)

    async def _failed(self, row: FeedRow, reason: str, wish_s: float | None, receipt: Receipt) -> None:
        """Note the attempt: due again by the schedule, never before the receiver's wish; parked after the last."""
        delay_s = scheduled_s(row.attempts + 1, self._settings.delays_s)
        if delay_s is None:
            await self._park(row, f"{row.attempts + 1} attempts without success, last: {reason}", receipt)
            return
        due_us = to_us(self._clock.now() + timedelta(seconds=max(delay_s, wish_s or 0.0)))

        def note(connection: Connection) -> None:
            queue_rows.mark_failed(connection, row, due_us, reason)
            receipts.keep(connection, receipt)

        await self._database.write(note)

    async def _park(self, row: FeedRow, reason: str, receipt: Receipt) -> None:
        log.error("zone authority: hazardous event %s parked, a person must look: %s", row.event_id, reason)
        events = [(row.epoch, row.seq, reason)]

        def note(connection: Connection) -> None:
            queue_rows.mark_parked(connection, "feed", events)
            receipts.keep(connection, receipt)

        await self._database.write(note)


async def _beginning(response: httpx.Response) -> str:
    """The first bytes of an answer, for the receipt; whatever goes wrong with them changes nothing of its status."""
    try:
        async with asyncio.timeout(ANSWER_WITHIN_S):
            async for piece in response.aiter_bytes():
                return piece[:LONGEST_ANSWER].decode(errors="replace")
    except (httpx.HTTPError, TimeoutError) as error:
        return repr(error)
    return ""
