"""Site files that a hurried, or a hostile, hand wrote: every mistake is told, none is a crash."""

from __future__ import annotations

import base64
from pathlib import Path

import pytest

from config.loader import load
from gate_service.domain.errors import ConfigError

EXAMPLE = Path("config/site.example.toml")
SECRET = "whsec_" + base64.b64encode(bytes(24)).decode()


def problems(folder: Path, *changes: tuple[str, str]) -> list[str]:
    """The mistakes in the commented example with some of its lines changed."""
    text = EXAMPLE.read_text(encoding="utf-8")
    for old, new in changes:
        assert old in text, old
        text = text.replace(old, new, 1)
    return problems_of(folder, text)


def problems_of(folder: Path, text: str) -> list[str]:
    (folder / "central.token").write_text("placeholder", encoding="ascii")
    if not (folder / "authority.secret").exists():
        (folder / "authority.secret").write_text(SECRET, encoding="ascii")
    file = folder / "site.toml"
    file.write_text(text, encoding="utf-8")
    try:
        load(file)
    except ConfigError as error:
        return list(error.problems)
    return []


def test_the_commented_example_has_no_mistakes(tmp_path: Path) -> None:
    assert problems(tmp_path) == []


@pytest.mark.parametrize("text", ["a = " + "[" * 5000 + "]" * 5000, "a = " + "9" * 5000, "a = ", "a = 1\na = 2"])
def test_what_is_no_toml_is_said(tmp_path: Path, text: str) -> None:
    assert "TOML" in problems_of(tmp_path, text)[0]


@pytest.mark.parametrize(
    ("old", "new", "place"),
    [
        ('token_file = "central.token"', 'token_file = "\\u0000"', "central.token_file"),
        ('token_file = "central.token"', 'token_file = "."', "central.token_file"),
        ('# file = "policy.toml"', 'file = "\\u0000"', "policy.file"),
        ("modbus-tcp://192.0.2.10:502/1", "modbus-tcp://[::1/1", "modules.0"),
        ("/dev/ttyUSB0?baud=9600", "socket://h:99999", "weighbridge: serial port"),
        ("zero_band_kg = 40", "zero_band_kg = 30000", "zero_band_kg"),
        ("zero_band_kg = 40", "zero_band_kg = -40", "zero_band_kg"),
        ('host = "127.0.0.1"', 'host = "not a host"', "listen.host: an IP address"),
        ('host = "127.0.0.1"', 'host = ""', "listen.host: an IP address"),
        ('host = "127.0.0.1"', 'host = "192.0.2.999"', "listen.host: an IP address"),
        ('en = "Gate 1"', 'en = "Gate \\u202E1"', "site.name.en: no control or direction characters"),
        ("fire = 9 ", "fire = true ", "lanes.0.inputs.fire"),
        ("travel_s = 8.0 ", "travel_s = true ", "travel_s"),
        ("https://central.example", "central.example", "central.base_url"),
        ("https://central.example", "https://[", "central.base_url"),
        ("https://central.example", "https://central.example:x", "central.base_url"),
        ('allow = ["authority.example:443"]', "allow = []", "authority.allow"),
        ("https://authority.example/hooks/gate", "ftp://authority.example", "authority.url"),
    ],
)
def test_a_mistake_is_told_with_its_place(tmp_path: Path, old: str, new: str, place: str) -> None:
    found = problems(tmp_path, (old, new))
    assert len(found) == 1, found
    assert place in found[0]


def test_a_broken_address_of_a_demo_device_is_told(tmp_path: Path) -> None:
    found = problems(
        tmp_path, ("demo = false", "demo = true"), ("modbus-tcp://192.0.2.10:502/1", "modbus-tcp://[::1/1")
    )
    assert any("modules.0.url: a demo site takes only loopback" in one for one in found)


def test_a_secret_that_would_sign_nothing_is_told(tmp_path: Path) -> None:
    (tmp_path / "authority.secret").write_text("hunter2", encoding="ascii")
    found = problems(tmp_path)
    assert [one.partition(":")[0] for one in found] == ["authority.secret_file"]
    assert "hunter2" not in found[0]


def test_a_certificate_that_is_none_is_told_before_the_start(tmp_path: Path) -> None:
    (tmp_path / "gate.crt").write_text("none", encoding="ascii")
    changes = [(f'# tls_{name}_file = "gate.', f'tls_{name}_file = "gate.') for name in ("certificate", "key")]
    assert "gate.crt" in problems(tmp_path, *changes)[0]
