"""Runs the application inside the service's event loop and stops at once, open streams or not."""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import Iterator, Mapping
from types import TracebackType
from typing import Final, Self

import uvicorn
from fastapi import FastAPI

from gate_service.domain.errors import ListenRefusedError
from gate_service.web.context import Web
from gate_service.web.control import ControlSocket, Other
from gate_service.web.http_protocol import LimitedHttp
from gate_service.web.settings import WebSettings

POLL_S: Final = 0.005  # uvicorn tells nobody that it has started
BACKLOG: Final = 128
KEEP_ALIVE_S: Final = 65
"""Longer than many clients keep an idle connection (httpx 5 s, nginx to its upstreams 60 s): who asks should give
it up first, or what is sent in the moment of our closing is lost, and a reader at a lane may not send again."""


class _Server(uvicorn.Server):
    """Signals belong to the service, not to its web server."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


def check_listen(settings: WebSettings, *, has_users: bool) -> None:
    """Raise ListenRefusedError for what must not be reachable from other machines."""
    if settings.is_loopback:
        return
    where = f"listen.host {settings.host!r}"
    found = []
    if not has_users:
        found.append(f"{where}: a loopback address expected while there is no account; make one with `gate user add`")
    if not settings.has_tls and not settings.plain_http_off_loopback:
        found.append(f"{where}: a TLS certificate expected off loopback, or listen.plain_http_off_loopback = true")
    if found:
        raise ListenRefusedError(found)


class WebServer:
    """`async with WebServer(app, settings) as server:` serves until left. Raises ListenRefusedError, OSError."""

    def __init__(self, app: FastAPI, settings: WebSettings, verbs: Mapping[str, Other] | None = None) -> None:
        """`verbs`: what else may be asked over the control socket."""
        self._settings = settings
        self._web: Web = app.state.web
        lanes = [str(lane["id"]) for lane in self._web.gate.lanes()]
        self._control = ControlSocket(self._web.accounts, self._web.tokens, verbs, lanes)
        self._server = _Server(_config(app, settings))
        self._others = contextlib.AsyncExitStack()
        self._task: asyncio.Task[None] | None = None
        self.port = settings.port

    @property
    def url(self) -> str:
        """Where a person on this machine finds the pages."""
        host = f"[{self._settings.host}]" if ":" in self._settings.host else self._settings.host
        return f"{'https' if self._settings.has_tls else 'http'}://{host}:{self.port}"

    async def first_link(self) -> str | None:
        """The one-time link for the first administrator; None once there is an account.

        The code stands behind `#`, which browsers send to nobody.
        """
        code = await self._web.tokens.first_link()
        return None if code is None else f"{self.url}/first#{code}"

    async def __aenter__(self) -> Self:
        check_listen(self._settings, has_users=await self._web.accounts.has_users())
        listener = _bind(self._settings.host, self._settings.port)  # the server closes it
        self.port = listener.getsockname()[1]
        async with contextlib.AsyncExitStack() as stack:
            failed = stack.enter_context(contextlib.ExitStack())
            failed.callback(listener.close)
            await stack.enter_async_context(self._control)
            await stack.enter_async_context(self._web.hub)
            stack.push_async_callback(self._web.exports.end)
            self._task = asyncio.create_task(self._server.serve([listener]))
            while not self._server.started:
                if self._task.done():
                    await self._task
                    raise ListenRefusedError([f"{self.url}: a started server expected, it ended"])
                await asyncio.sleep(POLL_S)
            failed.pop_all()
            self._others = stack.pop_all()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """End the streams first: uvicorn waits for them, and they would wait for it (measured: for ever)."""
        assert self._task is not None
        await self._others.aclose()
        self._server.should_exit = True
        await self._task


def _bind(host: str, port: int) -> socket.socket:
    """Bind before the server starts, so that the port is known and a taken one is an error here."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((host, port))
        listener.listen(BACKLOG)
        listener.setblocking(False)
    except OSError:
        listener.close()
        raise
    return listener


def _config(app: FastAPI, settings: WebSettings) -> uvicorn.Config:
    return uvicorn.Config(
        app,
        http=LimitedHttp,
        ws="websockets-sansio",
        ws_max_size=4096,  # pages send nothing
        ws_ping_interval=5.0,
        ws_ping_timeout=10.0,
        ws_per_message_deflate=False,  # a wire of 1 Gbit/s is cheaper than the processor time
        timeout_keep_alive=KEEP_ALIVE_S,
        lifespan="off",
        log_config=None,
        access_log=False,
        proxy_headers=False,  # nobody in front is known, so nobody is believed
        server_header=False,
        timeout_graceful_shutdown=settings.stop_within_s,
        ssl_certfile=settings.tls_certificate,
        ssl_keyfile=settings.tls_key,
    )
