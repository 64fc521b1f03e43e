"""How the web face listens and how long things last. Plain values; the site file fills them in."""

from __future__ import annotations

from dataclasses import dataclass
from ipaddress import ip_address
from pathlib import Path

from gate_service.domain.commands import Role


@dataclass(frozen=True, slots=True)
class WebSettings:
    """Where to listen. Without a certificate the service speaks plain HTTP, off loopback only when told in words."""

    host: str = "127.0.0.1"
    port: int = 8443  # 0 lets the system choose
    plain_http_off_loopback: bool = False
    tls_certificate: Path | None = None
    tls_key: Path | None = None
    body_limit_bytes: int = 65_536  # a plate read with twenty containers has 2 kB
    stop_within_s: int = 1
    lock_after_s: int = 0  # a session whose person does nothing for so long is locked; 0 never
    requests_per_s: float = 50.0  # of one caller, in the long run; 0 counts nothing
    has_outside_sign_in: bool = False  # an OpenID Connect provider is configured
    second_factor_roles: frozenset[Role] = frozenset()  # who must have one

    @property
    def has_tls(self) -> bool:
        """Whether pages are served over TLS."""
        return self.tls_certificate is not None

    @property
    def is_loopback(self) -> bool:
        """Whether only this machine can reach the address. A name other than localhost counts as off loopback."""
        if self.host == "localhost":
            return True
        try:
            return ip_address(self.host).is_loopback
        except ValueError:
            return False
