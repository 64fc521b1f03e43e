"""Who is asking, and may they: asked once before every route, from the one table in `access`."""

from __future__ import annotations

import hmac
from typing import Annotated, Final
from urllib.parse import urlsplit

from fastapi import Depends, Request
from starlette.requests import HTTPConnection

from gate_service.domain.errors import (
    AccessError,
    CrossSiteError,
    NotPermittedError,
    NotSignedInError,
    SecondFactorMissingError,
    SessionLockedError,
)
from gate_service.web.access import TABLE, Address, may_use, tells_of_the_whole_site
from gate_service.web.context import Web, web_of
from sync.accounts import Caller

SESSION_COOKIE: Final = "gate_session"
DISPLAY_COOKIE: Final = "gate_display"  # holds a display token: a screen has no keyboard to sign in with
CSRF_HEADER: Final = "x-csrf-token"
DISPLAY_PATHS: Final = frozenset({"/driver/{lane}", "/point/{point}"})
SAFE_METHODS: Final = frozenset({"GET", "HEAD", "WS"})


def cookie_name(name: str, *, has_tls: bool) -> str:
    """Over TLS the name itself forbids any other host or path to set it."""
    return f"__Host-{name}" if has_tls else name


def address_of(connection: HTTPConnection) -> Address:
    """The line of the table for the route that matched. A route without one is refused when the app is made."""
    method = "WS" if connection.scope["type"] == "websocket" else str(connection.scope["method"])
    return TABLE[method, connection.scope["route"].path]


def peer_of(connection: HTTPConnection) -> str:
    """The address the bytes come from; forwarded headers are not believed."""
    return connection.client.host if connection.client else "unknown"


async def find_caller(connection: HTTPConnection) -> Caller | None:
    """Who holds the bearer token, the session cookie or the display cookie of this request; None for nobody."""
    web = web_of(connection)
    scheme, _, secret = connection.headers.get("authorization", "").partition(" ")
    if secret:
        return await web.tokens.token(secret.strip()) if scheme.lower() == "bearer" else None
    if secret := _display_token(connection):
        return await web.tokens.token(secret)
    has_tls = web.settings.has_tls
    if session := connection.cookies.get(cookie_name(SESSION_COOKIE, has_tls=has_tls)):
        caller = await web.accounts.session(session)
        if caller is not None:
            return caller
    if token := connection.cookies.get(cookie_name(DISPLAY_COOKIE, has_tls=has_tls)):
        return await web.tokens.token(token)
    return None


def _display_token(connection: HTTPConnection) -> str:
    """The token in the address of a driver display: a screen's start page is all that can be set up on it."""
    if getattr(connection.scope.get("route"), "path", None) not in DISPLAY_PATHS:
        return ""
    return connection.query_params.get("token", "")


def check_same_origin(connection: HTTPConnection) -> None:
    """Refuse what a page of another origin sent. Raises CrossSiteError; no Origin means that no browser sent it."""
    origin = connection.headers.get("origin")
    if origin is not None and _place_of(origin) != connection.headers.get("host"):
        raise CrossSiteError(f"origin: {connection.headers.get('host')!r} expected, found {origin!r}")
    if connection.headers.get("sec-fetch-site") in {"cross-site", "same-site"}:
        raise CrossSiteError("a request of this site's own pages expected, the browser says it is another's")


def _place_of(origin: str) -> str | None:
    """Host and port of an origin; None for one that is none, which no page of ours has."""
    try:
        return urlsplit(origin).netloc or None
    except ValueError:  # an IPv6 address without its end
        return None


def check_admits(address: Address, caller: Caller | None, lane: str) -> Caller | None:
    """Raise NotSignedInError or AccessError unless the table lets the caller in; NotPermittedError where a token bound
    to lanes asks for what is of the whole site.
    """
    if address.is_open:
        return caller
    if caller is None:
        raise NotSignedInError(f"{address.path}: a session or a token expected, none that is valid came")
    if not may_use(address, caller.role, caller.scopes, caller.lanes, lane):
        whom = f"role {caller.role}" if caller.role else f"token {caller.actor.name!r}"
        raise AccessError(f"{address.method} {address.path}: {whom} may not use it")
    if caller.lanes and tells_of_the_whole_site(address):
        bound = ", ".join(sorted(caller.lanes))
        raise NotPermittedError(f"{address.path}: a token for every lane expected, found one bound to {bound}"[:300])
    return caller


def check_lane_of(caller: Caller, lane: str | None, what: str) -> None:
    """Raise NotPermittedError where a token bound to lanes asks for something of another one."""
    if caller.lanes and lane not in caller.lanes:
        bound = ", ".join(sorted(caller.lanes))
        raise NotPermittedError(f"{what}: one of lane {bound} expected, this token is bound to it"[:300])


def is_locked(web: Web, caller: Caller) -> bool:
    """Whether a session is locked, by hand or by the time since its person did something. Tokens never are."""
    if caller.role is None:
        return False
    if caller.acted_at is None:
        return True
    idle_s = (web.clock.now() - caller.acted_at).total_seconds()
    return 0 < web.settings.lock_after_s <= idle_s


def lacks_second_factor(web: Web, caller: Caller) -> bool:
    """Whether this person must have a second factor at this site and has none."""
    return caller.role in web.settings.second_factor_roles and not caller.has_second_factor


def check_state(web: Web, address: Address, caller: Caller | None) -> None:
    """Raise SessionLockedError or SecondFactorMissingError where the session's state does not allow the address."""
    if address.is_open or caller is None:
        return
    if is_locked(web, caller) and not address.while_locked:
        raise SessionLockedError(f"{address.path}: an unlocked session expected")
    if lacks_second_factor(web, caller) and not address.to_begin:
        raise SecondFactorMissingError(f"{address.path}: role {caller.role} needs a second factor, enrol at /account")


async def admit(request: Request) -> Caller | None:
    """The caller, if the table lets them in and no other site's page sent it."""
    web, address = web_of(request), address_of(request)
    caller = check_admits(address, await find_caller(request), str(request.path_params.get("lane", "")))
    check_state(web, address, caller)
    if address.method not in SAFE_METHODS:
        check_same_origin(request)
        if not address.is_open:
            _check_csrf(request, caller)
            if caller is not None and caller.role is not None and not is_locked(web, caller):
                await web.accounts.acted(caller)
    return caller


def _check_csrf(request: Request, caller: Caller | None) -> None:
    """A cookie is sent by the browser whoever asks, so it alone proves nothing; a bearer token does."""
    if request.headers.get("authorization", "").partition(" ")[2]:  # as `find_caller` reads it: no cookie was asked
        return
    expected = caller.csrf_token if caller is not None else None
    if expected is None or not hmac.compare_digest(expected.encode(), request.headers.get(CSRF_HEADER, "").encode()):
        raise CrossSiteError(f"{CSRF_HEADER}: the csrf_token of GET /api/v1/session expected")


async def admitted(caller: Annotated[Caller | None, Depends(admit)]) -> Caller:
    """The caller, in routes that are not open."""
    assert caller is not None
    return caller


Admitted = Annotated[Caller, Depends(admitted)]
