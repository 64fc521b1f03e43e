"""What the routes work with, and the reusable parameters of theirs."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Final

from fastapi import Depends, Query
from fastapi.templating import Jinja2Templates
from starlette.requests import HTTPConnection

from gate_service.domain.ports import Clock
from gate_service.web.exports import Exports
from gate_service.web.gate_api import GateApi
from gate_service.web.live import LiveHub
from gate_service.web.settings import WebSettings
from sync.accounts import Accounts
from sync.idempotency import IdempotencyKeys
from sync.oidc import OpenIdConnect
from sync.tokens import Tokens

HERE: Final = Path(__file__).parent
TEMPLATES: Final = Jinja2Templates(HERE / "templates")


@dataclass(frozen=True, slots=True)
class Web:
    """The parts of one running web face."""

    gate: GateApi
    accounts: Accounts
    tokens: Tokens
    idempotency: IdempotencyKeys
    hub: LiveHub
    settings: WebSettings
    clock: Clock
    exports: Exports
    provider: OpenIdConnect | None = None


def web_of(connection: HTTPConnection) -> Web:
    """The parts, from a request or a socket."""
    web: Web = connection.app.state.web
    return web


Parts = Annotated[Web, Depends(web_of)]
Limit = Annotated[int, Query(ge=1, le=1000, description="at most so many")]
Cursor = Annotated[str | None, Query(max_length=128, description="as the answer before gave it")]
