"""Puts the web face together. Constructs nothing that lives: the service, accounts and settings come in."""

from __future__ import annotations

from typing import Any, Final

from fastapi import FastAPI
from fastapi.staticfiles import StaticFiles
from fastapi.telemetry import TelemetryConfig
from starlette.middleware.gzip import GZipMiddleware
from starlette.routing import BaseRoute, Mount, Route, WebSocketRoute

from gate_service.domain.ports import Clock
from gate_service.web import problems
from gate_service.web.access import TABLE
from gate_service.web.bodies import schemas
from gate_service.web.context import HERE, Web
from gate_service.web.exports import Exports
from gate_service.web.gate_api import GateApi
from gate_service.web.headers import SecurityHeaders
from gate_service.web.live import LiveHub
from gate_service.web.rate import RateLimit
from gate_service.web.routes import accounts as account_routes
from gate_service.web.routes import (
    duty,
    hazmat,
    lanes,
    lines,
    motion,
    outside,
    pages,
    policies,
    record,
    registers,
    reports,
    service,
)
from gate_service.web.settings import WebSettings
from sync.accounts import Accounts
from sync.idempotency import IdempotencyKeys
from sync.oidc import OpenIdConnect
from sync.tokens import Tokens

QUIET: Final[TelemetryConfig] = {"tracing": False, "metrics": False, "logs": False}
"""The framework would trace by itself as soon as any library sets a provider (measured: 2.5 times slower)."""


def create_app(
    gate: GateApi,
    accounts: Accounts,
    settings: WebSettings,
    clock: Clock,
    provider: OpenIdConnect | None = None,
) -> FastAPI:
    """The application. Live addresses deliver while `app.state.web.hub` is entered (`WebServer` does it)."""
    app = FastAPI(title="Gate control", version="1", docs_url=None, redoc_url=None, openapi_url=None, telemetry=QUIET)
    app.state.web = Web(
        gate=gate,
        accounts=accounts,
        tokens=Tokens(accounts),
        idempotency=IdempotencyKeys(accounts.database, clock),
        hub=LiveHub(gate, clock),
        settings=settings,
        clock=clock,
        provider=provider,
        exports=Exports(clock),
    )
    # Taken as they are, not included: an included router hides its routes from the check of the access table below.
    people = (pages, account_routes, outside, duty)
    for routes in (*people, lanes, motion, record, lines, registers, reports, hazmat, policies, service):
        app.router.routes.extend(routes.router.routes)
    app.router.routes.extend(lanes.live_router.routes)
    # Only what is the same for everybody is compressed: answers with a person's secrets in them never are (BREACH).
    app.mount("/static", GZipMiddleware(StaticFiles(directory=HERE / "static"), minimum_size=1000, compresslevel=6))
    app.add_middleware(RateLimit, per_s=settings.requests_per_s)
    app.add_middleware(SecurityHeaders, has_tls=settings.has_tls)
    problems.install(app)
    _refuse_unlisted(app)
    _describe_bodies(app)
    return app


def addresses_of(app: FastAPI) -> set[tuple[str, str]]:
    """Method and path of every route, as the access table names them."""
    found: set[tuple[str, str]] = set()
    for route in app.routes:
        found |= _addresses(route)
    return found


def _addresses(route: BaseRoute) -> set[tuple[str, str]]:
    if isinstance(route, WebSocketRoute):
        return {("WS", route.path)}
    if isinstance(route, Mount):
        return {("GET", f"{route.path}/{{path:path}}")}
    if isinstance(route, Route):
        return {(method, route.path) for method in route.methods or ()}
    raise TypeError(f"route: one of a kind that the access table knows expected, found {type(route).__name__}")


def _refuse_unlisted(app: FastAPI) -> None:
    """An address without a line in the access table is a mistake: it must never answer anybody."""
    unlisted = addresses_of(app) ^ set(TABLE)
    if unlisted:
        raise RuntimeError(f"access table and routes differ: {sorted(unlisted)}")


def _describe_bodies(app: FastAPI) -> None:
    """Add the bodies that `bodies.reader` reads to the API description."""
    describe = app.openapi

    def described() -> dict[str, Any]:
        description = describe()
        description.setdefault("components", {}).setdefault("schemas", {}).update(schemas())
        return description

    app.openapi = described  # type: ignore[method-assign]
