import json
from pathlib import Path
from typing import Any

import pytest

from gate_service.cli import decode

GOOD = "02 2B 30 30 32 30 30 30 32 31 42 03"


def lines(capsys: pytest.CaptureFixture[str]) -> list[dict[str, Any]]:
    return [json.loads(line) for line in capsys.readouterr().out.splitlines()]


def run(protocol: str, hex_text: str | None = None, source: str | None = None, *options: str) -> int:
    return decode.run(protocol, hex_text=hex_text, source=source, options=list(options), as_json=True)


def test_a_frame_prints_as_the_contract_shows_it(capsys: pytest.CaptureFixture[str]) -> None:
    assert run("xk3190-continuous", GOOD) == 0
    assert lines(capsys) == [
        {
            "kind": "reading",
            "value": "20.00",
            "unit": None,
            "net": None,
            "stable": None,
            "status": "ok",
            "raw": GOOD.lower(),
        }
    ]


def test_only_rejected_bytes_are_found_wanting(capsys: pytest.CaptureFixture[str]) -> None:
    assert run("xk3190-continuous", "022B303030303030303144 03") == 1
    assert lines(capsys) == [{"kind": "rejected", "reason": "checksum", "raw": "02 2b 30 30 30 30 30 30 30 31 44 03"}]


def test_a_file_is_raw_bytes(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    capture = tmp_path / "port.bin"
    capture.write_bytes(bytes.fromhex(GOOD) * 3)
    assert run("xk3190-continuous", None, str(capture)) == 0
    assert [line["value"] for line in lines(capsys)] == ["20.00"] * 3


def test_a_tare_is_told_as_tare(capsys: pytest.CaptureFixture[str]) -> None:
    assert run("csv", b"ST,TR,+0015.00kg\r\n".hex()) == 0
    assert lines(capsys)[0]["tare"] is True


@pytest.mark.parametrize(
    ("given", "word"),
    [
        (("nope", GOOD), "allowed"),
        (("sma", "0"), "hexadecimal"),
        (("sma",), "once"),
        (("sma", GOOD, "-"), "once"),
        (("sma", None, "/does/not/exist"), "exist"),
        (("xk3190-equals", GOOD, None, "form"), "key=value"),
        (("xk3190-equals", GOOD, None, "form=forward", "form=reversed"), "twice"),
    ],
)
def test_wrong_use_says_what_is_wrong_and_prints_nothing(
    capsys: pytest.CaptureFixture[str], given: tuple[Any, ...], word: str
) -> None:
    assert run(*given) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    assert word in captured.err
