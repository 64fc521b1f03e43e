"""What `gate check-config` finds in the wiring of a site, before anything starts."""

from __future__ import annotations

from pathlib import Path

import pytest

from config.loader import LoadedSite, load
from gate_service.bootstrap.lanes import _lane_settings
from gate_service.domain.errors import ConfigError

LANE = {
    "inputs": "approach = 0, exit_loop = 4, exit_up = 7, exit_down = 8, fire = 9, power_ok = 10",
    "outputs": "exit_raise = 2, exit_lower = 3, exit_red = 4, exit_green = 5",
    "barriers": 'closing = "service"',
    "more": "",
    "url": "modbus-tcp://192.0.2.10:502/1",
    "profile": "wago-750",
    "modules": "",
}


def problems(folder: Path, **changes: str) -> list[str]:
    """The mistakes in a file of one lane."""
    try:
        site_of(folder, **changes)
    except ConfigError as error:
        return list(error.problems)
    return []


def site_of(folder: Path, **changes: str) -> LoadedSite:
    """A site of one lane. Raises ConfigError."""
    lane = LANE | changes
    file = folder / "site.toml"
    file.write_text(
        f"""
[site]
id = "K1"
name = {{ zh = "一号卡口", en = "Gate 1" }}
[data]
dir = "data"
[[modules]]
name = "io-1"
url = "{lane["url"]}"
profile = "{lane["profile"]}"
{lane["modules"]}
[[lanes]]
id = "out-1"
name = {{ zh = "出区 1", en = "Outbound 1" }}
kind = "non_declared"
direction = "outbound"
module = "io-1"
{lane["more"]}
inputs = {{ {lane["inputs"]} }}
outputs = {{ {lane["outputs"]} }}
barriers = {{ {lane["barriers"]} }}
""",
        encoding="utf-8",
    )
    return load(file)


@pytest.mark.parametrize(
    ("more", "at_approach"), [("", False), ('readers = "approach"', True), ('readers = "platform"', False)]
)
def test_where_readers_stand_is_what_the_site_says(tmp_path: Path, more: str, at_approach: bool) -> None:
    site = site_of(tmp_path, more=more)
    assert _lane_settings(site.file.lanes[0], site).reads_at_approach is at_approach


def test_a_lane_without_mistakes_has_none(tmp_path: Path) -> None:
    assert problems(tmp_path) == []


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"barriers": 'closing = "controller"'}, "outputs.exit_lower: one closer per barrier"),
        ({"outputs": "exit_raise = 2"}, "outputs.exit_lower: expected, since barriers.closing is service"),
        ({"barriers": 'closing = "both"'}, "closing: Input should be 'service' or 'controller'"),
        ({"more": 'readers = "exit"'}, "readers: Input should be 'approach' or 'platform'"),
        ({"profile": "adam-6060"}, "inputs.exit_up: 0 to 5 expected on adam-6060, found 7"),
        ({"outputs": "exit_raise = 2, exit_lower = 64"}, "outputs.exit_lower: 0 to 63 expected on wago-750, found 64"),
        ({"outputs": "exit_raise = 2, exit_lower = 2"}, "outputs: bit 2 of io-1 is used by"),
        ({"more": "second_contacts = { exit_loop = 8 }"}, "inputs: bit 8 of io-1 is used by"),
        ({"more": "second_contacts = { exit_beam = 12 }"}, "second_contacts.exit_beam: inputs.exit_beam expected too"),
        ({"more": 'normally_closed = ["exit_beam"]'}, "normally_closed: exit_beam has no input of its own"),
        ({"more": 'normally_closed = ["exit_up"]'}, "normally_closed.0: Input should be"),
        ({"inputs": LANE["inputs"].replace(", power_ok = 10", "")}, "inputs.power_ok: expected, or normally_closed"),
        (
            {"modules": '[[modules]]\nname = "io-2"\nurl = "modbus-tcp://192.0.2.10/1"\nprofile = "wago-750"'},
            "unit 1 at 192.0.2.10:502 is given 2 times",
        ),
        (
            {
                "url": "modbus-rtu:///dev/ttyS9/1?baud=9600",
                "modules": '[[modules]]\nname = "io-2"\nurl = "modbus-rtu:///dev/ttyS9/2?baud=19200"\n'
                'profile = "beckhoff-bk9000"',
            },
            "io-1, io-2 share /dev/ttyS9: the same kind and line settings expected",
        ),
    ],
)
def test_a_mistake_in_the_wiring_is_named_with_its_place(
    tmp_path: Path, changes: dict[str, str], expected: str
) -> None:
    found = problems(tmp_path, **changes)
    assert any(expected in problem for problem in found), found


@pytest.mark.parametrize("more", ['normally_closed = ["exit_loop"]', "second_contacts = { exit_loop = 12 }"])
def test_a_lane_whose_wires_fail_safe_needs_no_known_on_input(tmp_path: Path, more: str) -> None:
    assert problems(tmp_path, inputs=LANE["inputs"].replace(", power_ok = 10", ""), more=more) == []


def test_a_lane_that_its_controller_closes_needs_no_known_on_input(tmp_path: Path) -> None:
    found = problems(
        tmp_path,
        inputs=LANE["inputs"].replace(", power_ok = 10", ""),
        outputs="exit_raise = 2",
        barriers='closing = "controller", counts_pulses = true, holds_open = true',
    )
    assert found == []
