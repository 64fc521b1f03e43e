"""A demo or drill reaches nothing real: each destination outside this machine is refused by name."""

from pathlib import Path

import pytest

from config.loader import load
from gate_service.domain.errors import ConfigError

EXAMPLE = Path("config/site.example.toml")

LOOPBACK = {
    "https://central.example": "http://127.0.0.1:9",
    "https://authority.example/hooks/gate": "http://127.0.0.1:9/hooks",
    "modbus-tcp://192.0.2.10:502/1": "modbus-tcp://127.0.0.1:5020/1",
    "modbus-tcp://192.0.2.11:502/1": "modbus-tcp://127.0.0.1:5021/1",
}


def problems(tmp_path, **changes):
    text = EXAMPLE.read_text(encoding="utf-8").replace("demo = false", "demo = true")
    for real, local in {**LOOPBACK, **changes}.items():
        text = text.replace(real, local)
    for name in ("central.token", "authority.secret"):
        (tmp_path / name).write_text("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")
    file = tmp_path / "site.toml"
    file.write_text(text, encoding="utf-8")
    try:
        load(file)
    except ConfigError as error:
        return [line for line in error.problems if "demo" in line]
    return []


@pytest.mark.parametrize(
    ("real", "destination", "place"),
    [
        ("https://central.example", "https://central.example", "central.base_url"),
        ("https://central.example", "http://10.0.0.7:8080", "central.base_url"),
        ("https://authority.example/hooks/gate", "https://authority.example/hooks/gate", "authority.url"),
        ('url = ""', 'url = "postgresql://gate@db.example/gate"', "data.url"),
        ("modbus-tcp://192.0.2.10:502/1", "modbus-tcp://192.0.2.10:502/1", "modules.0.url"),
    ],
)
def test_a_destination_outside_this_machine_is_refused(tmp_path, real, destination, place):
    found = problems(tmp_path, **{real: destination})
    assert any(line.startswith(place) for line in found), found


def test_what_stays_on_this_machine_is_not_refused_as_a_way_out(tmp_path):
    found = problems(tmp_path)
    assert not any(line.startswith(("central", "authority", "data", "modules")) for line in found), found
