"""The sites of the benches: inbound declared lanes with weighbridge and two booms, written as a site file like any."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from config.loader import LoadedSite, load
from gate_service.bench.slips import SITE

LANE: Final = "in-1"
APPROACH, ENTRY_LOOP, ENTRY_BEAM, EXIT_BEAM, EXIT_LOOP = range(5)
POLICY: Final = {
    "version": "bench",
    # Hours pass in jumps within one run, and no centre refreshes the copy: its age is not what is measured.
    "offline": {"slip_max_age_h": 8784, "hazmat_max_age_h": 0, "hold_max_age_h": 8784},
}
_HEAD: Final = """
[site]
id = "{site}"
name = {{ zh = "台架", en = "Bench" }}
demo = true
[data]
dir = "data"
[central]
base_url = "{centre}"
token_file = "central.token"
[policy]
file = "policy.json"
"""
_LANE: Final = """
[[modules]]
name = "io-{lane}"
url = "{module}"
profile = "wago-750"
[[lanes]]
id = "{lane}"
name = {{ zh = "台架通道", en = "Bench lane" }}
kind = "declared"
direction = "inbound"
module = "io-{lane}"
timing = {{ escalate_after_s = 3600 }}
[lanes.inputs]
approach = 0
entry_loop = 1
entry_beam = 2
exit_beam = 3
exit_loop = 4
entry_up = 5
entry_down = 6
exit_up = 7
exit_down = 8
fire = 9
power_ok = 10
[lanes.outputs]
entry_raise = 0
entry_lower = 1
exit_raise = 2
exit_lower = 3
entry_red = 4
entry_green = 5
exit_red = 6
exit_green = 7
[lanes.weighbridge]
protocol = "{protocol}"
port = "{port}"
interval_kg = 20
max_capacity_kg = 80000
"""


@dataclass(frozen=True, slots=True)
class LaneLinks:
    """Where the devices of one lane are reached."""

    module_url: str
    weighbridge_port: str
    protocol: str = "csv"
    lane: str = LANE


def load_site(folder: Path, lanes: Sequence[LaneLinks], *, centre_url: str) -> LoadedSite:
    """Write the site file and its policy into the folder and load them as `gate run` would."""
    (folder / "central.token").write_text("placeholder\n", encoding="ascii")
    (folder / "policy.json").write_text(json.dumps(POLICY), encoding="utf-8")
    file = folder / "site.toml"
    parts = [_HEAD.format(site=SITE, centre=centre_url)]
    for links in lanes:
        where = {"module": links.module_url, "port": links.weighbridge_port, "protocol": links.protocol}
        parts.append(_LANE.format(lane=links.lane, **where))
    file.write_text("".join(parts), encoding="utf-8")
    return load(file)


@contextmanager
def disk_folder() -> Iterator[Path]:
    """Lend a folder on a real disk: /tmp may be memory, /var/tmp survives a reboot (FHS 3.0, 5.15)."""
    kept = Path("/var/tmp")  # noqa: S108 - a fresh folder of its own is made in it
    with tempfile.TemporaryDirectory(prefix="gate-bench-", dir=kept if kept.is_dir() else None) as name:
        yield Path(name)
