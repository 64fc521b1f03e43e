"""The pages: thin shells; what they show comes over the API like everybody else's."""

from __future__ import annotations

from typing import Annotated, Any, Final

from fastapi import APIRouter, Depends, Query, Request, Response
from fastapi.responses import JSONResponse, RedirectResponse

from gate_service.domain.errors import NotFoundError
from gate_service.web import guard
from gate_service.web.access import ADDRESSES, WATCH, home_of
from gate_service.web.context import TEMPLATES, Parts
from gate_service.web.guard import Admitted

router = APIRouter(include_in_schema=False, dependencies=[Depends(guard.admit)])

DISPLAY_LASTS_S: Final = 400 * 24 * 3600  # the longest a browser keeps a cookie; revoking the token ends it before


def _page(request: Request, web: Parts, name: str, **more: Any) -> Response:
    return TEMPLATES.TemplateResponse(request, f"{name}.html", {"site": web.gate.site(), **more})


@router.get("/")
async def terminal(request: Request, web: Parts) -> Response:
    """The operator terminal."""
    return _page(request, web, "terminal")


@router.get("/devices")
async def devices(request: Request, web: Parts) -> Response:
    """Every device as its driver sees it: faults, ages, last bytes, what was thrown away and why."""
    return _page(request, web, "devices")


@router.get("/admin")
async def administration(request: Request, web: Parts) -> Response:
    """Accounts and tokens."""
    return _page(request, web, "admin")


@router.get("/policy")
async def policy(request: Request, web: Parts) -> Response:
    """The policy workbench."""
    return _page(request, web, "policy")


@router.get("/account")
async def account(request: Request, web: Parts) -> Response:
    """One's own password and devices."""
    return _page(request, web, "account")


@router.get("/shift")
async def shift(request: Request, web: Parts) -> Response:
    """The shift: what is open, hand-over, log."""
    return _page(request, web, "shift")


@router.get("/regime")
async def regime(request: Request, web: Parts) -> Response:
    """The emergency regime: opening, countdown, paper entries, reconciliation."""
    return _page(request, web, "regime")


@router.get("/authority")
async def authority(request: Request, web: Parts) -> Response:
    """The zone authority's page: hazardous goods and nothing else."""
    return _page(request, web, "authority")


@router.get("/sync")
async def lines(request: Request, web: Parts) -> Response:
    """The lines outside, for engineers."""
    return _page(request, web, "sync")


@router.get("/sign-in")
async def sign_in(request: Request, web: Parts) -> Response:
    """Name and password; somebody already signed in goes to where they belong."""
    caller = await guard.find_caller(request)
    if caller is not None and caller.role is not None:
        return RedirectResponse(home_of(caller.role), 303)
    return _page(request, web, "sign_in", has_outside=web.settings.has_outside_sign_in)


@router.get("/first")
async def first(request: Request, web: Parts) -> Response:
    """Where the one-time link leads, as long as there is no account."""
    if await web.accounts.has_users():
        raise NotFoundError("/first: a site without accounts expected")
    return _page(request, web, "first")


@router.get("/registers")
async def registers(request: Request, web: Parts) -> Response:
    """What the site keeps: vehicles, goods, declarations, inspections and the rest, as lists."""
    return _page(request, web, "registers")


@router.get("/reports")
async def reports(request: Request, web: Parts) -> Response:
    """What is counted over a period."""
    return _page(request, web, "reports")


@router.get("/driver/{lane}")
async def driver(
    request: Request, web: Parts, lane: str, token: Annotated[str | None, Query(max_length=128)] = None
) -> Response:
    """The driver display of one lane. `?token=` (the guard believed it) becomes a cookie and leaves the address."""
    snapshot = web.gate.lane(lane)
    return _page(request, web, "driver", lane=snapshot) if token is None else _with_cookie(request, web, token)


@router.get("/point/{point}")
async def point_display(
    request: Request, web: Parts, point: str, token: Annotated[str | None, Query(max_length=128)] = None
) -> Response:
    """The display of a place before the lanes."""
    found = web.gate.point(point)
    return _page(request, web, "point", point=found) if token is None else _with_cookie(request, web, token)


def _with_cookie(request: Request, web: Parts, token: str) -> Response:
    answer = RedirectResponse(request.url.path, 303)
    has_tls = web.settings.has_tls
    answer.set_cookie(
        guard.cookie_name(guard.DISPLAY_COOKIE, has_tls=has_tls),
        token,
        max_age=DISPLAY_LASTS_S,
        secure=has_tls,
        httponly=True,
        samesite="strict",
    )
    return answer


@router.get("/api/openapi.json")
async def openapi(request: Request) -> Response:
    """The API description."""
    return JSONResponse(request.app.openapi())


@router.get("/api/docs")
async def docs(request: Request, web: Parts, caller: Admitted) -> Response:
    """Every address, what it does and who may; drawn from the description and the access table."""
    description = request.app.openapi()
    operations = []
    for address in ADDRESSES:
        found = description["paths"].get(address.path, {}).get(address.method.lower())
        if found is not None:
            operations.append({"address": address, "summary": found.get("description") or found.get("summary", "")})
    return _page(request, web, "docs", operations=operations, caller=caller.actor, may_watch=caller.role in WATCH)
