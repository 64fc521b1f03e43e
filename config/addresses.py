"""Addresses of other systems in a site file: wrong ones show before anything starts, not when the line stays silent."""

from __future__ import annotations

import re
import ssl
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from config.schema import SiteFile
from gate_service.domain.errors import ConfigError, DestinationRefusedError
from sync.authority import read_secrets
from sync.destination import check_url

LONGEST_HOST: Final = 253  # RFC 1035, 2.3.4: 255 octets on the wire
HOST: Final = re.compile(
    r"(?:[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?\.)*(?=[^.]*[A-Za-z])[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?"
)


def address_problems(file: SiteFile, folder: Path) -> list[str]:
    """What is no address of a central system, a zone authority's receiver that would never be called or whose secret
    is none, and a certificate that no browser would be shown.
    """
    problems = []
    if file.central is not None and not _is_http(file.central.base_url):
        found = file.central.base_url
        problems.append(f"central.base_url: http:// or https:// with a host expected, found {found!r}")
    if file.authority is not None:
        try:
            check_url(file.authority.url, file.authority.allow)
        except DestinationRefusedError as error:
            problems.append(f"authority.url, authority.allow: {error}")
        if (folder / file.authority.secret_file).is_file():  # one that is not there is named already
            try:
                read_secrets(folder / file.authority.secret_file)
            except ConfigError as error:
                problems += [f"authority.secret_file: {problem}" for problem in error.problems]
    return problems + _certificate_problems(file, folder)


def _certificate_problems(file: SiteFile, folder: Path) -> list[str]:
    certificate, key = file.listen.tls_certificate_file, file.listen.tls_key_file
    if certificate is None or key is None:
        return []
    try:
        # No password is asked for: nobody is there to type one when the machine starts by itself.
        ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(folder / certificate, folder / key, lambda: "")
    except (OSError, ValueError) as error:  # ssl's own are OSErrors; ValueError: a name with a zero byte
        files = f"{str(folder / certificate)!r} and {str(folder / key)!r}"
        return [f"listen: a PEM certificate and its key without a password expected in {files}, found: {error}"]
    return []


def is_host_name(text: str) -> bool:
    """Whether a text can be the name of a host (RFC 1123, 2.1); what ends in a number would be an address."""
    return len(text) <= LONGEST_HOST and HOST.fullmatch(text) is not None


def _is_http(url: str) -> bool:
    if not url.isascii() or not url.isprintable() or " " in url:
        return False
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:  # a port that is none, an IPv6 address without its end
        return False
    return parts.scheme in {"http", "https"} and bool(parts.hostname) and port != 0
