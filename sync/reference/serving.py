"""Runs a reference server as a process: one JSON line with its address when ready, clean end on a signal."""

from __future__ import annotations

import asyncio
import json
import socket
import sys
from argparse import ArgumentParser, Namespace
from typing import Any

import uvicorn
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp, Receive, Scope, Send

from sync.reference.faults import Fault, FaultInjector

LOOPBACK = {"127.0.0.1", "::1"}


class JsonMistake(Exception):  # noqa: N818 - it never leaves this package
    """A request that is not what the interface asks for."""


def common_options(description: str) -> ArgumentParser:
    """The options that both servers have."""
    parser = ArgumentParser(description=description)
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=0, help="0 takes a free one")
    parser.add_argument("--state-file", default="", help="SQLite file that survives a restart; without it, memory")
    parser.add_argument("--json", action="store_true", help="accepted for scripts: the ready line is JSON anyway")
    parser.add_argument("--with-stdin", action="store_true", help="end when standard input is closed")
    return parser


async def read_json(request: Request) -> Any:
    """The body as JSON; raises JsonMistake."""
    try:
        return json.loads(await request.body())
    except ValueError as error:
        raise JsonMistake(f"body: JSON expected ({error})") from error


async def mistake(_request: Request, error: Exception) -> Response:
    """Problem details (RFC 9457) for a bad request."""
    return JSONResponse({"code": "input_invalid", "detail": str(error)}, 400, media_type="application/problem+json")


def fault_routes(injector: FaultInjector) -> list[Route]:
    """`/control/faults`: POST plays one more fault, DELETE clears all, GET lists."""

    async def faults(request: Request) -> Response:
        if request.method == "POST":
            try:
                injector.faults.append(Fault.from_json(await read_json(request)))
            except ValueError as error:
                raise JsonMistake(str(error)) from error
        elif request.method == "DELETE":
            injector.clear()
        return JSONResponse({"waiting": len(injector.faults), "played": injector.played})

    return [Route("/control/faults", faults, methods=["GET", "POST", "DELETE"])]


class LoopbackControl:
    """Refuses `/control/` to everyone but this machine."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass on, or answer 403."""
        client = scope.get("client") or ("", 0)
        if scope["type"] == "http" and scope["path"].startswith("/control/") and client[0] not in LOOPBACK:
            await JSONResponse({"code": "not_permitted"}, 403)(scope, receive, send)
            return
        await self.app(scope, receive, send)


def run(app: ASGIApp, options: Namespace, **told: Any) -> None:
    """Serve until a signal (or the end of standard input) says stop."""
    family = socket.AF_INET6 if ":" in options.host else socket.AF_INET
    # The protocol is named: asyncio turns Nagle's algorithm off only where it sees TCP, and 40 ms an answer are lost.
    listener = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.bind((options.host, options.port))
    config = uvicorn.Config(
        LoopbackControl(app), log_level="critical", access_log=False, lifespan="off", timeout_graceful_shutdown=1
    )
    asyncio.run(_serve(uvicorn.Server(config), listener, options, told))


async def _serve(server: uvicorn.Server, listener: socket.socket, options: Namespace, told: dict[str, Any]) -> None:
    serving = asyncio.create_task(server.serve(sockets=[listener]))
    while not server.started and not serving.done():  # noqa: ASYNC110 - uvicorn offers a flag only
        await asyncio.sleep(0.005)
    host, port = listener.getsockname()[:2]
    print(json.dumps({"url": f"http://{f'[{host}]' if ':' in host else host}:{port}", **told}), flush=True)
    if options.with_stdin:
        await _end_of_stdin(serving)
        server.should_exit = True
    await serving


async def _end_of_stdin(serving: asyncio.Task[None]) -> None:
    reader = asyncio.StreamReader()
    await asyncio.get_running_loop().connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
    ended = asyncio.create_task(reader.read())
    await asyncio.wait({ended, serving}, return_when=asyncio.FIRST_COMPLETED)
    ended.cancel()
