"""What the links to the outside are told at start. Plain values: reading files and checking them is `config`'s."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

# Standard Webhooks, "deliverability": delays between attempts, 75 h 35 min 5 s in all.
STANDARD_DELAYS_S = (0.0, 5.0, 300.0, 1800.0, 7200.0, 18000.0, 36000.0, 50400.0, 72000.0, 86400.0)


@dataclass(frozen=True, slots=True)
class CentralSettings:
    """The central system (CONTRACT 3)."""

    base_url: str
    token_file: Path
    poll_wait_s: float = 20.0
    """Longest wish for a long poll; asked in pieces short enough to notice a half-open line (`sync.delta`)."""
    page_limit: int = 500
    lookup_timeout_s: float = 0.8  # site decision: our share of a passage's 5 s
    claim_timeout_s: float = 1.5  # site decision
    request_timeout_s: float = 5.0  # below the 10 s within which a half-open line is to be noticed
    batch_limit: int = 500


@dataclass(frozen=True, slots=True)
class AuthoritySettings:
    """The zone authority's receiver (CONTRACT 5). `allow` holds exact `host:port` destinations."""

    url: str
    secret_file: Path
    """One `whsec_…` secret per line; several while a secret is rotated: every one signs."""
    allow: tuple[str, ...] = ()
    timeout_s: float = 15.0  # Standard Webhooks: 15 to 30 s
    delays_s: tuple[float, ...] = STANDARD_DELAYS_S


@dataclass(frozen=True, slots=True)
class SyncSettings:
    """Both parties; None is a site without."""

    site_id: str
    central: CentralSettings | None = None
    authority: AuthoritySettings | None = None
    keeps_vehicles_inside: bool = False
    """Whether every gate of the zone tells this ledger: only then is a vehicle not in it known to be outside."""
    slip_keys_file: Path | None = None
    """JSON Web Key Set that slip signatures are verified with; read again when it changes (`sync.pinned_keys`)."""
    is_second_gate: bool = False
    """Whether this is the second gate (二卡) of a dual-gate site: slips come with the first gate passed."""
