"""Signing in with an OpenID Connect provider: away to it, and back from it."""

from __future__ import annotations

from typing import Final

from fastapi import APIRouter, Depends, Request, Response
from fastapi.responses import RedirectResponse

from gate_service.domain.errors import NotFoundError
from gate_service.web import guard
from gate_service.web.access import home_of
from gate_service.web.context import TEMPLATES, Parts, Web
from gate_service.web.routes.accounts import set_session_cookie
from sync.oidc import PENDING_S, OpenIdConnect
from sync.outside_people import account_of

router = APIRouter(include_in_schema=False, dependencies=[Depends(guard.admit)])

STATE_COOKIE: Final = "gate_outside"
BACK: Final = "/sign-in/outside/back"


def _provider(web: Web) -> OpenIdConnect:
    if web.provider is None:
        raise NotFoundError("sign-in: no OpenID Connect provider is configured at this site")
    return web.provider


@router.get("/sign-in/outside")
async def away(request: Request, web: Parts) -> Response:
    """Send the browser to the provider. The state goes with it and stays in a cookie, so that only it can come back."""
    provider = _provider(web)
    web.accounts.refuse_guessing(guard.peer_of(request))
    address, state = await provider.begin(f"{str(request.base_url).rstrip('/')}{BACK}")
    answer = RedirectResponse(address, 303)
    has_tls = web.settings.has_tls
    answer.set_cookie(
        guard.cookie_name(STATE_COOKIE, has_tls=has_tls),
        state,
        max_age=int(PENDING_S),
        secure=has_tls,
        httponly=True,
        samesite="lax",  # the provider's page leads back here: a strict cookie would not come along
    )
    return answer


@router.get(BACK)
async def back(request: Request, web: Parts) -> Response:
    """The provider sent the browser back: open a session for whom it proved, and go on by a page of our own.

    A redirect from here would still be the provider's navigation, without our strict cookie.
    """
    provider = _provider(web)
    name = guard.cookie_name(STATE_COOKIE, has_tls=web.settings.has_tls)
    identity = await provider.finish(dict(request.query_params), request.cookies.get(name))
    account = await account_of(web.accounts, identity)
    secret, caller = await web.accounts.open_session(account, guard.peer_of(request), "provider")
    home = home_of(caller.actor.role)
    answer = TEMPLATES.TemplateResponse(request, "outside.html", {"site": web.gate.site(), "home": home})
    set_session_cookie(web, answer, secret)
    answer.delete_cookie(name)
    return answer
