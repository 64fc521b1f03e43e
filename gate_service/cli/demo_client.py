"""What the demo asks of the service it started, through the public addresses and with accounts like anybody else's."""

from __future__ import annotations

import asyncio
import secrets
from typing import Any, Final, Self

import httpx

from gate_service.domain.errors import GateError

JsonDict = dict[str, Any]
PAGE: Final = 500
POLL_S: Final = 0.1


class DemoError(GateError):
    """The demo cannot go on; the message says what was expected and what was found."""

    code = "demo_failed"


class Session:
    """A signed-in person."""

    def __init__(self, base_url: str) -> None:
        self._client = httpx.AsyncClient(base_url=base_url, timeout=15.0)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._client.aclose()

    async def is_alive(self) -> bool:
        """Whether the service answers at all."""
        try:
            return (await self._client.get("/healthz")).is_success
        except httpx.HTTPError:
            return False

    async def wait_alive(self) -> None:
        """Return once the service answers; the caller bounds the time."""
        while not await self.is_alive():  # noqa: ASYNC110 - another process: nothing to wait on but its answer
            await asyncio.sleep(POLL_S)

    async def sign_in(self, name: str, password: str) -> None:
        """Open the session. Raises DemoError when it is refused."""
        found = await self._asked("POST", "/api/v1/session", json={"name": name, "password": password})
        self._client.headers["x-csrf-token"] = str(found["csrf_token"])

    async def get(self, address: str, **parameters: str | int) -> JsonDict:
        """Read one address."""
        return await self._asked("GET", address, params=parameters)

    async def post(self, address: str, body: JsonDict) -> JsonDict:
        """Send to one address."""
        return await self._asked("POST", address, json=body)

    async def _asked(self, method: str, address: str, **options: Any) -> JsonDict:
        try:
            answer = await self._client.request(method, address, **options)
        except httpx.HTTPError as error:
            raise DemoError(f"{method} {address}: an answer of the service expected: {error!r}") from error
        if not answer.is_success:
            raise DemoError(f"{method} {address}: success expected, found {answer.status_code} {answer.text}")
        return dict(answer.json()) if answer.content else {}

    async def passages(self) -> list[JsonDict]:
        """Every passage of the record, oldest first."""
        found: list[JsonDict] = []
        before: str | None = None
        while True:
            page = await self.get("/api/v1/passages", limit=PAGE, **({} if before is None else {"before": before}))
            found += page["passages"]
            before = page.get("before")
            if before is None:
                return found[::-1]


def one_time_password() -> str:
    """Long enough that nobody guesses it, short enough to type."""
    return secrets.token_urlsafe(12)
