"""Headers on every answer: nothing is loaded from outside, framed, sniffed or kept."""

from __future__ import annotations

from typing import Final

from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

CONTENT_POLICY: Final = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; font-src 'self'; "
    "base-uri 'none'; form-action 'self'; frame-ancestors 'none'; require-trusted-types-for 'script'"
)
HEADERS: Final = {
    "content-security-policy": CONTENT_POLICY,
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "referrer-policy": "no-referrer",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "permissions-policy": "camera=(), microphone=(), geolocation=(), payment=(), usb=(), serial=()",
}
HSTS: Final = "max-age=31536000"  # one year; only over TLS
STATIC_PREFIX: Final = "/static/"


class SecurityHeaders:
    """Pure ASGI middleware: it wraps nothing and buffers nothing."""

    def __init__(self, app: ASGIApp, has_tls: bool) -> None:
        self.app = app
        self.fixed = HEADERS | ({"strict-transport-security": HSTS} if has_tls else {})

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Add the headers to the first message of each HTTP answer."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        # Pages and answers are never kept; programs and texts are asked for again each time (ETag answers 304).
        caching = "no-cache" if scope["path"].startswith(STATIC_PREFIX) else "no-store"

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in self.fixed.items():
                    headers[name] = value
                headers.setdefault("cache-control", caching)
            await send(message)

        await self.app(scope, receive, send_with_headers)
