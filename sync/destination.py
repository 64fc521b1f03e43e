"""Which outgoing addresses may be called, judged twice: the URL against the list, and every address at connection time.

A destination is exact: `host:port`. Behind a listed host name only public addresses are called; one of this machine,
of a private network, link-local or of a cloud's metadata service is called only if listed itself, as `10.1.2.3:8443`,
so a name that suddenly leads elsewhere (rebinding) leads nowhere. Plain http goes to such listed addresses only.
"""

from __future__ import annotations

import asyncio
import ipaddress
import socket
from collections.abc import Awaitable, Callable, Collection
from typing import Final

import httpx

from gate_service.domain.errors import DestinationRefusedError

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Resolve = Callable[[str, int], Awaitable[list[str]]]

DEFAULT_PORTS: Final = {"http": 80, "https": 443}
METADATA: Final = frozenset(
    map(
        ipaddress.ip_address,
        # Clouds' metadata services that lie outside link-local: Alibaba Cloud, Azure (public by its number), AWS.
        ("100.100.100.200", "168.63.129.16", "fd00:ec2::254"),
    )
)
NAT64: Final = ipaddress.ip_network("64:ff9b::/96")  # RFC 6052
COMPATIBLE: Final = ipaddress.ip_network("::/96")  # RFC 4291 2.5.5.1, long gone, still parsed


def place_of(url: httpx.URL) -> str:
    """`host:port` as the allow list writes it."""
    host, port = url.host.lower(), _port_of(url)
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def _port_of(url: httpx.URL) -> int:
    return DEFAULT_PORTS.get(url.scheme, 0) if url.port is None else url.port


def check_url(text: str, allow: Collection[str]) -> httpx.URL:
    """The URL, read by the very parser that will send it. Raises DestinationRefusedError."""
    if not text.isascii() or any(c.isspace() or not c.isprintable() or c == "\\" for c in text):
        raise DestinationRefusedError(
            f"destination: plain ASCII without spaces or backslashes expected, found {text!r}"
        )
    try:
        url = httpx.URL(text)
        place = place_of(url)
    except (httpx.InvalidURL, ValueError, TypeError) as error:
        raise DestinationRefusedError(f"destination {text!r}: {error}") from error
    if url.scheme not in DEFAULT_PORTS:
        raise DestinationRefusedError(f"destination {text!r}: http or https expected, found {url.scheme!r}")
    if url.userinfo or url.fragment or not url.host:
        raise DestinationRefusedError(f"destination {text!r}: a host without user name and fragment expected")
    if place not in {entry.lower() for entry in allow}:
        raise DestinationRefusedError(f"destination {place}: one of the allow list expected ({', '.join(allow)})")
    return url


def check_address(address: str, port: int, scheme: str, allow: Collection[str]) -> None:
    """Judge one resolved address. Raises DestinationRefusedError."""
    ip = ipaddress.ip_address(address.partition("%")[0])
    listed = f"[{ip}]:{port}" if ip.version == 6 else f"{ip}:{port}"
    if listed in allow:
        return
    if scheme == "http":
        raise DestinationRefusedError(
            f"destination address {listed}: https expected, plain http is for listed addresses"
        )
    for inner in (ip, *_embedded(ip)):
        if not inner.is_global or inner.is_multicast or inner.is_reserved or inner in METADATA:
            raise DestinationRefusedError(
                f"destination address {listed}: a public address expected, or one listed itself"
            )


def _embedded(ip: Address) -> list[Address]:
    """IPv4 addresses that an IPv6 address leads to."""
    if isinstance(ip, ipaddress.IPv4Address):
        return []
    found: list[Address] = [a for a in (ip.ipv4_mapped, ip.sixtofour, *(ip.teredo or ())) if a is not None]
    if ip in NAT64 or ip in COMPATIBLE:
        found.append(ipaddress.IPv4Address(int(ip) & 0xFFFFFFFF))
    return found


async def resolve(host: str, port: int) -> list[str]:
    """Addresses of a host, as the system's resolver gives them."""
    loop = asyncio.get_running_loop()
    found = await loop.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(entry[4][0]) for entry in found))


class GuardedTransport(httpx.AsyncBaseTransport):
    """Resolves once, judges every address found, and connects to the very address it judged."""

    def __init__(self, allow: Collection[str], inner: httpx.AsyncBaseTransport, resolver: Resolve = resolve) -> None:
        self._allow = {entry.lower() for entry in allow}
        self._inner = inner
        self._resolve = resolver

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Send to the judged address; the name stays in `Host` and in the TLS handshake."""
        url = check_url(str(request.url), self._allow)
        port = _port_of(url)
        try:
            addresses = await self._resolve(url.host, port)
        except OSError as error:
            raise httpx.ConnectError(f"destination {url.host}: not resolved ({error})") from error
        if not addresses:
            raise httpx.ConnectError(f"destination {url.host}: no address")
        for address in addresses:
            check_address(address, port, url.scheme, self._allow)
        request.extensions = {**request.extensions, "sni_hostname": url.host}
        request.url = url.copy_with(host=addresses[0])
        return await self._inner.handle_async_request(request)

    async def aclose(self) -> None:
        """Close the transport inside."""
        await self._inner.aclose()
