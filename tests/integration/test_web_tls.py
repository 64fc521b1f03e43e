"""The service over real TLS: what browsers are told, which cookies they keep, and what is refused."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

import httpx
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from websockets.asyncio.client import connect

from gate_service.domain.commands import Role
from gate_service.domain.errors import ListenRefusedError
from gate_service.web.server import check_listen
from gate_service.web.settings import WebSettings
from tests.fakes.web_site import PASSWORD, Site, serve


def make_certificate(directory: Path) -> tuple[Path, Path]:
    """A certificate for 127.0.0.1 that is its own authority."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "gate")])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - timedelta(minutes=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    certificate, private = directory / "gate.crt", directory / "gate.key"
    certificate.write_bytes(made.public_bytes(serialization.Encoding.PEM))
    private.write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    return certificate, private


@pytest.fixture
async def secure(tmp_path: Path) -> AsyncIterator[tuple[Site, ssl.SSLContext]]:
    certificate, key = make_certificate(tmp_path)
    trusting = ssl.create_default_context(cafile=str(certificate))
    async with serve(tmp_path / "data", tls_certificate=certificate, tls_key=key) as site:
        yield site, trusting


async def test_over_tls_the_session_cookie_is_bound_to_this_host_and_browsers_come_back_by_tls(
    secure: tuple[Site, ssl.SSLContext],
) -> None:
    site, trusting = secure
    assert site.url.startswith("https://")
    await site.accounts.add_user("op", Role.OPERATOR, PASSWORD, "service")
    async with httpx.AsyncClient(base_url=site.url, verify=trusting) as client:
        answer = await client.post("/api/v1/session", json={"name": "op", "password": PASSWORD})
        assert answer.status_code == 200
        cookie = answer.headers["set-cookie"]
        assert cookie.startswith("__Host-gate_session=")
        assert {"secure", "httponly", "path=/"} <= {part.strip().lower() for part in cookie.split(";")}
        assert "samesite=strict" in cookie.lower()
        assert int(answer.headers["strict-transport-security"].removeprefix("max-age=")) >= 31_536_000
        assert (await client.get("/api/v1/session")).json()["name"] == "op"
        session = dict(client.cookies)["__Host-gate_session"]
    headers = {"cookie": f"__Host-gate_session={session}"}
    async with connect(
        f"wss://127.0.0.1:{site.server.port}/api/v1/live", ssl=trusting, additional_headers=headers
    ) as socket:
        assert '"hello"' in str(await asyncio.wait_for(socket.recv(), 30))


async def test_a_stranger_to_the_certificate_and_an_old_protocol_are_refused(
    secure: tuple[Site, ssl.SSLContext],
) -> None:
    site, trusting = secure
    async with httpx.AsyncClient(base_url=site.url, verify=ssl.create_default_context()) as client:
        with pytest.raises(httpx.ConnectError):
            await client.get("/healthz")
    old = trusting
    old.minimum_version = ssl.TLSVersion.MINIMUM_SUPPORTED
    with pytest.warns(DeprecationWarning, match="TLSv1_1"):
        old.maximum_version = ssl.TLSVersion.TLSv1_1
    async with httpx.AsyncClient(base_url=site.url, verify=old) as client:
        with pytest.raises(httpx.ConnectError):
            await client.get("/healthz")


async def test_plain_http_is_not_answered_on_the_tls_port(secure: tuple[Site, ssl.SSLContext]) -> None:
    site, _ = secure
    async with httpx.AsyncClient(base_url=site.url.replace("https", "http")) as client:
        with pytest.raises(httpx.HTTPError):
            await client.get("/healthz")


@pytest.mark.parametrize(
    ("host", "has_tls", "in_words", "has_users", "is_good"),
    [
        ("127.0.0.1", False, False, False, True),
        ("::1", False, False, False, True),
        ("192.0.2.1", True, False, True, True),
        ("192.0.2.1", False, True, True, True),
        ("192.0.2.1", False, False, True, False),
        ("192.0.2.1", True, False, False, False),
        ("gate.example", True, False, False, False),
    ],
)
def test_where_the_service_may_listen(
    tmp_path: Path, host: str, *, has_tls: bool, in_words: bool, has_users: bool, is_good: bool
) -> None:
    certificate = tmp_path / "gate.crt" if has_tls else None
    settings = WebSettings(host=host, tls_certificate=certificate, plain_http_off_loopback=in_words)
    if is_good:
        check_listen(settings, has_users=has_users)
    else:
        with pytest.raises(ListenRefusedError):
            check_listen(settings, has_users=has_users)
