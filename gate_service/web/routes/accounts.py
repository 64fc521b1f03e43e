"""Signing in and out, the first administrator, and the accounts."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request, Response
from fastapi.responses import JSONResponse

from gate_service.domain.errors import AccountError
from gate_service.web import guard
from gate_service.web.access import COMMANDS, home_of, pages_of
from gate_service.web.bodies import (
    FactorCode,
    FirstAdministrator,
    NewPassword,
    NewRole,
    NewToken,
    NewUser,
    Reset,
    SignIn,
    Unlock,
    described,
    reader,
)
from gate_service.web.context import Parts, Web
from gate_service.web.guard import Admitted
from gate_service.web.qr import qr_path
from lanes.approvals import APPROVERS
from sync.accounts import SESSION_LONGEST, Caller
from sync.second_factors import Purpose

router = APIRouter(prefix="/api/v1", tags=["accounts"], dependencies=[Depends(guard.admit)])


@router.post("/session", openapi_extra=described(SignIn))
async def sign_in(request: Request, web: Parts, body: Annotated[SignIn, Depends(reader(SignIn))]) -> Response:
    """Open a session: sets the cookie, answers the CSRF token that state-changing requests must carry.

    A session that this browser had before ends: the next person takes the terminal over.
    """
    before = await guard.find_caller(request)
    secret, caller = await web.accounts.sign_in(
        body.name,
        body.password,
        guard.peer_of(request),
        body.code,
        instead_of=before if before is not None and before.role is not None else None,
    )
    answer = JSONResponse(_session(web, caller))
    set_session_cookie(web, answer, secret)
    return answer


def set_session_cookie(web: Web, answer: Response, secret: str) -> None:
    """The cookie of a new session."""
    has_tls = web.settings.has_tls
    answer.set_cookie(
        guard.cookie_name(guard.SESSION_COOKIE, has_tls=has_tls),
        secret,
        max_age=int(SESSION_LONGEST.total_seconds()),
        secure=has_tls,
        httponly=True,
        samesite="strict",
    )


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


@router.post("/session/activity")
async def activity(web: Parts, caller: Admitted) -> dict[str, Any]:
    """The person at the terminal moved or typed: the idle lock counts from now."""
    return {"name": caller.actor.name, "lock_after_s": web.settings.lock_after_s}


@router.post("/session/lock")
async def lock(web: Parts, caller: Admitted) -> dict[str, Any]:
    """Lock this terminal: it goes on watching and does nothing."""
    await web.accounts.lock(caller)
    return {"locked": True}


@router.post("/session/unlock", openapi_extra=described(Unlock))
async def unlock(
    request: Request, web: Parts, caller: Admitted, body: Annotated[Unlock, Depends(reader(Unlock))]
) -> dict[str, Any]:
    """The session's own person comes back."""
    await web.accounts.unlock(caller, body.password, body.code, guard.peer_of(request))
    return {"locked": False}


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


@router.post("/users/{name}/enable")
async def enable_user(web: Parts, caller: Admitted, name: str) -> dict[str, Any]:
    """Enable an account again; its failures are forgotten."""
    await web.accounts.enable_user(name, caller.actor.label)
    return {"name": name, "is_disabled": False}


@router.post("/users/{name}/role", openapi_extra=described(NewRole))
async def change_role(
    web: Parts, caller: Admitted, name: str, body: Annotated[NewRole, Depends(reader(NewRole))]
) -> dict[str, Any]:
    """Change what somebody is; their sessions end. Not one's own: somebody must be left to keep the accounts."""
    if name == caller.actor.name:
        raise AccountError("role: an account other than one's own expected")
    await web.accounts.change_role(name, body.role, caller.actor.label)
    return {"name": name, "role": body.role.value}


@router.post("/users/{name}/reset", openapi_extra=described(Reset))
async def reset(
    web: Parts, caller: Admitted, name: str, body: Annotated[Reset, Depends(reader(Reset))]
) -> dict[str, Any]:
    """A new password and no devices for somebody who lost theirs; their sessions end."""
    await web.accounts.set_password(name, body.password, caller.actor.label)
    await web.accounts.factors.remove(name, caller.actor.label)
    return {"name": name}


@router.get("/account")
async def account(web: Parts, caller: Admitted) -> dict[str, Any]:
    """One's own account: which devices are enrolled, and whether one must be."""
    factors = await web.accounts.factors.status(caller.actor.name)
    role = caller.actor.role
    return {
        "name": caller.actor.name,
        "role": role.value,
        "factors": factors,
        "must_enrol": guard.lacks_second_factor(web, caller),
        "may_approve": role in APPROVERS,
    }


@router.post("/account/password", openapi_extra=described(NewPassword))
async def change_password(
    request: Request, web: Parts, caller: Admitted, body: Annotated[NewPassword, Depends(reader(NewPassword))]
) -> dict[str, Any]:
    """Change one's own password; all sessions but this one end."""
    await web.accounts.prove(caller.actor.name, body.password, guard.peer_of(request), body.code)
    await web.accounts.set_password(caller.actor.name, body.new, caller.actor.label, keep=caller)
    return {"name": caller.actor.name}


@router.post("/account/factors/{purpose}", openapi_extra=described(Unlock))
async def begin_factor(
    request: Request,
    web: Parts,
    caller: Admitted,
    *,
    purpose: Purpose,
    body: Annotated[Unlock, Depends(reader(Unlock))],
) -> dict[str, Any]:
    """Begin to enrol a device: its secret, seen once, as text and as a QR code, to be confirmed by its first code."""
    await web.accounts.prove(caller.actor.name, body.password, guard.peer_of(request), body.code)
    begun = await web.accounts.factors.begin(caller.actor.name, purpose, f"Gate {web.gate.site()['id']}")
    return {**begun, "qr": qr_path(begun["uri"])}


@router.post("/account/factors/{purpose}/confirm", openapi_extra=described(FactorCode))
async def confirm_factor(
    web: Parts, caller: Admitted, purpose: Purpose, body: Annotated[FactorCode, Depends(reader(FactorCode))]
) -> dict[str, Any]:
    """The device's first code; answers the recovery codes, the only time they are seen."""
    made = await web.accounts.factors.confirm(caller.actor.name, purpose, body.code)
    return {"purpose": purpose.value, "recovery_codes": made}


@router.post("/account/factors/{purpose}/remove", openapi_extra=described(Unlock))
async def remove_factor(
    request: Request,
    web: Parts,
    caller: Admitted,
    *,
    purpose: Purpose,
    body: Annotated[Unlock, Depends(reader(Unlock))],
) -> dict[str, Any]:
    """Forget a device of one's own."""
    await web.accounts.prove(caller.actor.name, body.password, guard.peer_of(request), body.code)
    await web.accounts.factors.remove(caller.actor.name, caller.actor.label, purpose)
    return {"purpose": purpose.value}


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
        "locked": guard.is_locked(web, caller),
        "lock_after_s": web.settings.lock_after_s,
        "must_enrol": guard.lacks_second_factor(web, caller),
    }
