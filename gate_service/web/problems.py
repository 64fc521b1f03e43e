"""Errors on the wire: `application/problem+json` (RFC 9457) with the stable code. Never a stack trace."""

from __future__ import annotations

import logging
from http import HTTPStatus
from typing import Any, Final
from urllib.parse import quote

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, RedirectResponse, Response
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect

from gate_service.domain import errors
from gate_service.web.context import TEMPLATES, web_of

log = logging.getLogger(__name__)

STATUS: Final[tuple[tuple[type[errors.GateError], HTTPStatus], ...]] = (
    (errors.NotFoundError, HTTPStatus.NOT_FOUND),
    (errors.NotSignedInError, HTTPStatus.UNAUTHORIZED),
    (errors.SignInRefusedError, HTTPStatus.UNAUTHORIZED),
    (errors.OutsideSignInError, HTTPStatus.UNAUTHORIZED),
    (errors.SecondFactorNeededError, HTTPStatus.UNAUTHORIZED),
    (errors.TooManyAttemptsError, HTTPStatus.TOO_MANY_REQUESTS),
    (errors.AccessError, HTTPStatus.FORBIDDEN),
    (errors.NotPermittedError, HTTPStatus.FORBIDDEN),
    (errors.CommandRefusedError, HTTPStatus.CONFLICT),
    (errors.InputError, HTTPStatus.UNPROCESSABLE_ENTITY),
    (errors.DeviceError, HTTPStatus.CONFLICT),  # the command was good, the lane could not follow it
    (errors.GateError, HTTPStatus.SERVICE_UNAVAILABLE),  # record unwritable, centre unreachable: not the caller's fault
)
"""First match wins: the narrow classes stand before the wide ones."""

HTTP_CODES: Final = {
    404: errors.NotFoundError.code,
    405: "method_not_allowed",
    413: "body_too_large",
    415: "media_type_unsupported",
}


def status_of(error: errors.GateError) -> HTTPStatus:
    """Which status an error of ours has."""
    return next(status for kind, status in STATUS if isinstance(error, kind))


def problem(status: int, code: str, detail: str, headers: dict[str, str] | None = None, **more: Any) -> JSONResponse:
    """One problem document."""
    body = {"type": "about:blank", "title": HTTPStatus(status).phrase, "status": status, "code": code, "detail": detail}
    return JSONResponse(body | more, status, headers=headers, media_type="application/problem+json")


def problem_of(error: errors.GateError) -> JSONResponse:
    """The problem document of one of our errors."""
    headers: dict[str, str] = {}
    if isinstance(error, errors.TooManyAttemptsError):
        headers["retry-after"] = str(error.retry_after_s)
    if isinstance(error, errors.NotSignedInError):
        headers["www-authenticate"] = 'Bearer realm="gate"'
    return problem(status_of(error), error.code, str(error), headers)


def install(app: FastAPI) -> None:
    """Answer every error of the application with a problem document."""
    app.add_exception_handler(errors.GateError, _on_gate_error)
    app.add_exception_handler(HTTPException, _on_http_error)
    app.add_exception_handler(RequestValidationError, _on_invalid_request)
    app.add_exception_handler(ClientDisconnect, _on_disconnect)
    app.add_exception_handler(Exception, _on_mistake)


def _wants_page(request: Request) -> bool:
    """Whether a person's browser asked for a page, rather than a program for an answer."""
    return request.method == "GET" and "text/html" in request.headers.get("accept", "")


async def _on_gate_error(request: Request, error: Exception) -> Response:
    assert isinstance(error, errors.GateError)
    if not _wants_page(request):
        return problem_of(error)
    if isinstance(error, errors.NotSignedInError):
        return RedirectResponse(f"/sign-in?next={quote(request.url.path)}", HTTPStatus.SEE_OTHER)
    return _page(request, status_of(error), error.code)


def _page(request: Request, status: int, code: str) -> Response:
    """The same in words, for a person."""
    site = web_of(request).gate.site()
    return TEMPLATES.TemplateResponse(request, "problem.html", {"site": site, "code": code}, status)


async def _on_http_error(request: Request, error: Exception) -> Response:
    """What the framework itself refuses: unknown path, wrong method."""
    assert isinstance(error, HTTPException)
    code = HTTP_CODES.get(error.status_code, "request_refused")
    if _wants_page(request):
        return _page(request, error.status_code, code)
    return problem(error.status_code, code, str(error.detail), dict(error.headers or {}))


async def _on_invalid_request(_request: Request, error: Exception) -> Response:
    """Query parameters; bodies are read in `bodies`."""
    assert isinstance(error, RequestValidationError)
    return problem(HTTPStatus.UNPROCESSABLE_ENTITY, "input_invalid", "; ".join(places(error.errors())))


async def _on_disconnect(_request: Request, _error: Exception) -> Response:
    """Whoever sent half a body went away: nobody's mistake, and nothing to fill the log with. Nobody reads this."""
    return Response(status_code=HTTPStatus.BAD_REQUEST)


async def _on_mistake(request: Request, error: Exception) -> Response:
    """A mistake of ours: the log has it whole, the caller learns only that it happened."""
    log.error("%s %s: %r", request.method, request.url.path, error)
    return problem(HTTPStatus.INTERNAL_SERVER_ERROR, "internal_error", "the service made a mistake; its log says which")


def places(found: Any) -> list[str]:
    """One line per validation error: where and what, without repeating the input."""
    return [f"{'.'.join(str(part) for part in one['loc']) or 'body'}: {one['msg']}" for one in found]
