"""Signing in and out, the first administrator, and the accounts."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request, Response
from fastapi.responses import JSONResponse

from gate_service.domain.errors import AccountError
from gate_service.web import guard
from gate_service.web.access import COMMANDS, home_of, pages_of
from gate_service.web.bodies import FirstAdministrator, NewToken, NewUser, SignIn, described, reader
from gate_service.web.context import Parts, Web
from gate_service.web.guard import Admitted
from sync.accounts import SESSION_LONGEST, Caller

router = APIRouter(prefix="/api/v1", tags=["accounts"], dependencies=[Depends(guard.admit)])


@router.post("/session", openapi_extra=described(SignIn))
async def sign_in(request: Request, web: Parts, body: Annotated[SignIn, Depends(reader(SignIn))]) -> Response:
    """Open a session: sets the cookie, answers the CSRF token that state-changing requests must carry."""
    secret, caller = await web.accounts.sign_in(body.name, body.password, guard.peer_of(request))
    answer = JSONResponse(_session(web, caller))
    has_tls = web.settings.has_tls
    answer.set_cookie(
        guard.cookie_name(guard.SESSION_COOKIE, has_tls=has_tls),
        secret,
        max_age=int(SESSION_LONGEST.total_seconds()),
        secure=has_tls,
        httponly=True,
        samesite="strict",
    )
    return answer


@router.get("/session")
async def session(web: Parts, caller: Admitted) -> dict[str, Any]:
    """Who is signed in."""
    return _session(web, caller)


@router.delete("/session")
async def sign_out(web: Parts, caller: Admitted) -> Response:
    """End the session."""
    await web.accounts.sign_out(caller)
    answer = JSONResponse({"signed_out": caller.actor.name})
    answer.delete_cookie(guard.cookie_name(guard.SESSION_COOKIE, has_tls=web.settings.has_tls))
    return answer


@router.post("/first", openapi_extra=described(FirstAdministrator))
async def first(
    request: Request, web: Parts, body: Annotated[FirstAdministrator, Depends(reader(FirstAdministrator))]
) -> Response:
    """Make the first administrator with the one-time code that the service printed."""
    await web.tokens.first_administrator(body.token, body.name, body.password, guard.peer_of(request))
    return JSONResponse({"name": body.name, "role": "administrator"}, 201)


@router.get("/users")
async def users(web: Parts) -> dict[str, Any]:
    """All accounts."""
    return {"users": await web.accounts.users()}


@router.post("/users", openapi_extra=described(NewUser))
async def add_user(web: Parts, caller: Admitted, body: Annotated[NewUser, Depends(reader(NewUser))]) -> Response:
    """Make an account."""
    await web.accounts.add_user(body.name, body.role, body.password, caller.actor.label)
    return JSONResponse({"name": body.name, "role": body.role.value}, 201)


@router.post("/users/{name}/disable")
async def disable_user(web: Parts, caller: Admitted, name: str) -> dict[str, Any]:
    """Disable an account; its sessions end at once. Not one's own: somebody must be left to keep the accounts."""
    if name == caller.actor.name:
        raise AccountError("disable: an account other than one's own expected")
    await web.accounts.disable_user(name, caller.actor.label)
    return {"name": name, "is_disabled": True}


@router.get("/tokens")
async def tokens(web: Parts) -> dict[str, Any]:
    """All tokens, without their secrets."""
    return {"tokens": await web.tokens.tokens()}


@router.post("/tokens", openapi_extra=described(NewToken))
async def add_token(web: Parts, caller: Admitted, body: Annotated[NewToken, Depends(reader(NewToken))]) -> Response:
    """Make a token; the answer is the only place its secret is ever seen."""
    for lane in body.lanes:
        web.gate.lane(lane)
    secret = await web.tokens.add_token(body.name, body.scopes, body.lanes, caller.actor.label)
    return JSONResponse({"name": body.name, "token": secret}, 201)


@router.post("/tokens/{name}/disable")
async def disable_token(web: Parts, caller: Admitted, name: str) -> dict[str, Any]:
    """Revoke a token, at once and for good."""
    await web.tokens.disable_token(name, caller.actor.label)
    return {"name": name, "is_disabled": True}


def _session(web: Web, caller: Caller) -> dict[str, Any]:
    role = caller.actor.role
    return {
        "name": caller.actor.name,
        "role": role.value,
        "home": home_of(role),
        "pages": pages_of(role),
        "commands": [command.value for command, roles in COMMANDS.items() if role in roles],
        "csrf_token": caller.csrf_token,
        "ends_at": None if caller.ends_at is None else caller.ends_at.isoformat(),
        "site": web.gate.site(),
    }
