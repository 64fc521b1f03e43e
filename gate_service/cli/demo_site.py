"""The demo's site file and the secrets of one run, written into its data directory."""

from __future__ import annotations

import base64
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from string import Template
from typing import Any, Final
from urllib.parse import urlsplit

import config
from devices.simulator.demo.draws import secret_for

TEMPLATE: Final = Path(config.__file__).parent / "demo.toml"
VERIFIED_FOR: Final = timedelta(days=365)  # yearly verification of a road weighbridge, as OIML R 76 countries ask
BOOM_TRAVEL_S: Final = 8.0  # the simulated booms take less; beyond this a boom counts as not confirmed
SCAN_WAIT_S: Final = 10.0  # how long a driver without a slip is waited for, at speed 1
ESCALATE_AFTER_S: Final = 60.0


class SiteTemplate(Template):
    """`${...}` with the characters of lane ids and dots in its names."""

    idpattern = r"(?a:[a-z][a-z0-9_.-]*)"


@dataclass(frozen=True, slots=True)
class DemoFolder:
    """Where one demo keeps everything: the record, its site file, its secrets, the logs of its processes."""

    path: Path

    @property
    def own(self) -> Path:
        """What the demo itself keeps, beside the record."""
        return self.path / "demo"

    @property
    def site_file(self) -> Path:
        """The site file that `gate run` is started with."""
        return self.own / "site.toml"

    @property
    def logs(self) -> Path:
        """Standard error of the processes."""
        return self.own / "logs"

    def prepare(self, seed: int) -> None:
        """Make the folders and the secrets; what is there already is kept, so that a record can be continued."""
        self.logs.mkdir(parents=True, exist_ok=True)
        self.keep("central.token", secrets.token_urlsafe(32))
        # Standard Webhooks: whsec_ and base64 of 24 to 64 random bytes
        self.keep("authority.secret", "whsec_" + base64.b64encode(secrets.token_bytes(32)).decode())
        self.write("draws.secret", secret_for(seed))

    def read(self, name: str) -> str:
        """One of the small files."""
        return (self.own / name).read_text().strip()

    def write_site_file(self, values: Mapping[str, Any]) -> None:
        """Fill the template in. Raises KeyError for a placeholder without a value."""
        text = SiteTemplate(TEMPLATE.read_text(encoding="utf-8")).substitute(values)
        self.site_file.write_text(text, encoding="utf-8")

    def keep(self, name: str, text: str) -> str:
        """Write a small file where there is none yet; what it holds."""
        if not (self.own / name).exists():
            self.write(name, text)
        return self.read(name)

    def write(self, name: str, text: str) -> None:
        """Write a small file that only its owner reads."""
        file = self.own / name
        file.touch(mode=0o600)
        file.write_text(text + "\n")


def site_values(
    folder: DemoFolder,
    *,
    port: int,
    central_url: str,
    authority_url: str,
    lanes: Mapping[str, Mapping[str, Any]],
    speed: float,
    inject: str | None,
) -> dict[str, Any]:
    """What stands for the template's placeholders. `lanes` is the first line of the yard process."""
    values: dict[str, Any] = {
        "port": port,
        "data": folder.path,
        "central": central_url,
        "authority": authority_url,
        "authority_place": urlsplit(authority_url).netloc,
        "inject": f'inject = "{inject}"' if inject else "# nothing",
        "travel_s": max(BOOM_TRAVEL_S, BOOM_TRAVEL_S / speed),
        "scan_wait_s": round(max(1.0, SCAN_WAIT_S / speed), 2),
        "escalate_after_s": round(max(5.0, ESCALATE_AFTER_S / speed), 2),
        "verified_until_at": (datetime.now(UTC) + VERIFIED_FOR).isoformat(timespec="seconds"),
    }
    for lane_id, found in lanes.items():
        values[f"{lane_id}.module"] = found["module_url"]
        values[f"{lane_id}.weighbridge"] = found["weighbridge_port"]
    return values
