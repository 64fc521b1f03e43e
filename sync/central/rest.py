"""The central system over HTTP (CONTRACT 3). One client per process; every request has an end; nothing is retried but
what `sent_again` may.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from types import TracebackType
from typing import Any, Final, Self
from urllib.parse import quote

import anyio
import httpx

from gate_service.domain.errors import (
    CentralBusyError,
    CentralError,
    CentralRefusedError,
    CentralUnauthorizedError,
    CentralUnreachableError,
    CursorUnknownError,
)
from gate_service.domain.events import JsonObject
from gate_service.domain.ports import Clock
from sync.backoff import retry_after_s
from sync.central.connections import Connections
from sync.central.sent_again import SentAgain
from sync.central.wire import (
    ChangesPage,
    EventsAnswer,
    read_changes,
    read_events_answer,
    read_json,
    read_problem_code,
)
from sync.clock_trust import ClockTrust
from sync.line import Line
from sync.settings import CentralSettings

LARGEST_ANSWER_BYTES: Final = 64 * 1024 * 1024  # a page of 5000 large slips is below 20 MiB
POLL_MARGIN_S: Final = 3.0  # an empty long poll must be answered this soon after its wait is over
LONGEST_SLIP_NO: Final = 128
WAIT_STATUSES: Final = (408, 425, 429)
NO_ADDRESS: Final = (404, 405, 501)


class CentralClient:
    """Opens with `async with`. Raises CentralError and its kinds; `line` is told of every answer and failure."""

    def __init__(
        self,
        settings: CentralSettings,
        site_id: str,
        clock: Clock,
        line: Line,
        *,
        transport: httpx.AsyncBaseTransport | None = None,
    ) -> None:
        self._transport = transport
        self._settings = settings
        self._site_id = site_id
        self._clock = clock
        self._token = ""
        self._connections = Connections(self._make_client)
        self._tls = httpx.create_ssl_context(trust_env=False) if settings.base_url.startswith("https") else False
        self.clock_trust = ClockTrust(clock)
        self.line = line
        self.events_line = Line(clock, is_asked_always=False)
        """Events go their own way at many a centre: their trouble must not stop look-ups, nor the other way round."""
        self.checkpoints_line = Line(clock)

    async def __aenter__(self) -> Self:
        self._read_token()
        await self._connections.__aenter__()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._connections.__aexit__(kind, error, trace)

    def _make_client(self) -> httpx.AsyncClient:
        limits = httpx.Limits(max_connections=20, max_keepalive_connections=10, keepalive_expiry=30.0)
        inner = self._transport or httpx.AsyncHTTPTransport(verify=self._tls, trust_env=False, limits=limits)
        return httpx.AsyncClient(
            base_url=self._settings.base_url,
            transport=SentAgain(inner),
            follow_redirects=False,
            trust_env=False,  # a proxy from the environment would see the token
        )

    async def changes(self, after: str | None, *, wait_s: float) -> ChangesPage:
        """One page; CursorUnknownError for 410."""
        query: dict[str, str | int | float] = {"limit": self._settings.page_limit, "wait": round(wait_s)}
        if after is not None:
            query["after"] = after
        timeout_s = max(self._settings.request_timeout_s, wait_s + POLL_MARGIN_S)
        status, body = await self._ask("GET", "/v1/changes", timeout_s, query=query, fine=(200, 410))
        if status == 410:
            raise CursorUnknownError("changes: the central system does not know the cursor")
        return read_changes(body)

    async def slip(self, slip_no: str) -> JsonObject | None:
        """One slip; None where the centre does not know it."""
        if not 0 < len(slip_no) <= LONGEST_SLIP_NO or slip_no.strip(".") == "":
            return None  # no slip number of any centre, and `..` would name another address
        path = f"/v1/slips/{quote(slip_no, safe='')}"
        status, body = await self._ask("GET", path, self._settings.lookup_timeout_s, fine=(200, 404))
        if status == 404:
            return None
        raw = read_json(body, f"slip {slip_no}")
        if not isinstance(raw, dict):
            raise CentralError(f"slip {slip_no}: an object expected, found {type(raw).__name__}")
        return raw

    async def slips(self, plate: str, direction: str) -> list[Any]:
        """Slips of a plate, each still as it came."""
        query = {"plate": plate, "direction": direction}
        status, body = await self._ask(
            "GET", "/v1/slips", self._settings.lookup_timeout_s, query=query, fine=(200, 404)
        )
        if status == 404:
            return []
        raw = read_json(body, "slips by plate")
        if isinstance(raw, dict) and isinstance(raw.get("slips"), list):
            raw = raw["slips"]
        if not isinstance(raw, list):
            raise CentralError(f"slips by plate: a list expected, found {type(raw).__name__}")
        return raw

    async def claim(self, slip_nos: Sequence[str], passage_id: str, lane: str, at: datetime) -> JsonObject:
        """The centre's answer, granted or refused."""
        content = {"slips": list(slip_nos), "passage_id": passage_id, "lane": lane, "at": at.isoformat()}
        _, body = await self._ask("POST", "/v1/claims", self._settings.claim_timeout_s, json=content, fine=(200, 409))
        raw = read_json(body, "claim")
        if not isinstance(raw, dict) or not isinstance(raw.get("granted"), bool):
            raise CentralError("claim: an object with granted true or false expected")
        return raw

    async def cancel_claim(self, passage_id: str) -> None:
        """Give a claim back; a claim the centre does not know is given back already."""
        path = f"/v1/claims/{quote(passage_id, safe='')}/cancel"
        await self._ask("POST", path, self._settings.request_timeout_s, json={}, fine=(200, 202, 204, 404, 409))

    async def post_events(self, body: bytes) -> EventsAnswer:
        """A batch as `{"epoch","events"}`, already in bytes."""
        headers = {"content-type": "application/json"}
        _, answer = await self._ask(
            "POST",
            "/v1/events",
            self._settings.request_timeout_s,
            content=body,
            headers=headers,
            fine=(200,),
            line=self.events_line,
        )
        return read_events_answer(answer)

    async def post_checkpoint(self, document: JsonObject) -> bool:
        """A checkpoint of the record; False where the centre has no such address."""
        status, _ = await self._ask(
            "POST",
            "/v1/checkpoints",
            self._settings.request_timeout_s,
            json=dict(document),
            fine=(200, 201, 202, 204, *NO_ADDRESS),
            line=self.checkpoints_line,
        )
        return status not in NO_ADDRESS

    async def _ask(
        self,
        method: str,
        path: str,
        timeout_s: float,
        *,
        fine: tuple[int, ...],
        query: Mapping[str, str | int | float] | None = None,
        headers: Mapping[str, str] | None = None,
        line: Line | None = None,
        **body: Any,
    ) -> tuple[int, bytes]:
        """One request with one end; answers its status and body, or raises by the class of the fault."""
        line = line or self.line
        sent = {"authorization": f"Bearer {self._token}", "gate-site": self._site_id, **(headers or {})}
        asked_s = self._clock.monotonic_s()
        try:
            async with self._connections.borrowed() as client:
                # Not asyncio.timeout: its cancellation breaks into httpcore's tidying, and connections stay open.
                with anyio.fail_after(timeout_s):
                    request = client.stream(method, path, params=query, headers=sent, timeout=timeout_s, **body)
                    async with request as response:
                        self.clock_trust.heard(response.headers.get("date"), self._clock.monotonic_s() - asked_s)
                        answer = await _read_bounded(response)
        except (httpx.HTTPError, httpx.InvalidURL, TimeoutError) as error:
            fault = CentralUnreachableError(f"{method} {path}: no answer within {timeout_s:.1f} s ({error!r})")
            line.failed(str(fault))
            raise fault from error
        self._judge(response, answer, f"{method} {path}", fine, line)
        line.answered()
        return response.status_code, answer

    def _judge(self, response: httpx.Response, body: bytes, what: str, fine: tuple[int, ...], line: Line) -> None:
        status = response.status_code
        if status in fine:
            return
        if status in (401, 403):
            self._read_token()
            fault: CentralError = CentralUnauthorizedError(f"{what}: token not accepted ({status})")
        elif status in WAIT_STATUSES:
            line.answered()
            wish_s = retry_after_s(response.headers.get("retry-after"), self._clock.now())
            raise CentralBusyError(f"{what}: the central system asks to wait ({status})", wish_s)
        elif 400 <= status < 500:
            line.answered()
            code = read_problem_code(body)
            raise CentralRefusedError(f"{what}: refused ({status} {code} {body[:200]!r})", status, code)
        else:
            fault = CentralUnreachableError(f"{what}: status {fine[0]} expected, found {status}")
        line.failed(str(fault))
        raise fault

    def _read_token(self) -> None:
        """Read again whenever the token is refused: it may have been renewed. A missing file is a refused token."""
        try:
            token = self._settings.token_file.read_text(encoding="ascii").strip()
        except (OSError, UnicodeDecodeError) as error:
            self.line.failed(f"token file {self._settings.token_file.name}: {type(error).__name__}")
            return
        if token.isprintable():
            self._token = token


async def _read_bounded(response: httpx.Response) -> bytes:
    parts, size = [], 0
    async for part in response.aiter_bytes():
        size += len(part)
        if size > LARGEST_ANSWER_BYTES:
            raise httpx.DecodingError(f"an answer of at most {LARGEST_ANSWER_BYTES} bytes expected")
        parts.append(part)
    return b"".join(parts)
