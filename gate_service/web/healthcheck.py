"""`python -m gate_service.web.healthcheck SITE.toml` asks the service's `/healthz`, for images. Exit 0 or 1."""

from __future__ import annotations

import http.client
import ssl
import sys
import tomllib
from pathlib import Path
from typing import Any, Final

WITHIN_S: Final = 2.0


def is_healthy(listen: dict[str, Any]) -> bool:
    """Whether the service of this `[listen]` table answers 200. A certificate is not judged: it is our own address."""
    host, port = str(listen.get("host", "127.0.0.1")), int(listen.get("port", 8443))
    host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)  # noqa: S104 - any address means this machine too
    connection: http.client.HTTPConnection
    if listen.get("tls_certificate_file"):
        context = ssl.create_default_context()
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        connection = http.client.HTTPSConnection(host, port, timeout=WITHIN_S, context=context)
    else:
        connection = http.client.HTTPConnection(host, port, timeout=WITHIN_S)
    try:
        connection.request("GET", "/healthz")
        return connection.getresponse().status == http.HTTPStatus.OK
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()


if __name__ == "__main__":
    site = tomllib.loads(Path(sys.argv[1]).read_text(encoding="utf-8"))
    sys.exit(0 if is_healthy(site.get("listen", {})) else 1)
