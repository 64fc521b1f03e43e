"""Last bytes and captures."""

from pathlib import Path

import pytest

from devices.links.recorder import Capture, Chunk, LastBytes, about, replay
from gate_service.domain.errors import InputError


def test_only_the_newest_bytes_stay() -> None:
    last = LastBytes(4)
    last.add(b"\x01\x02\x03")
    last.add(b"\x04\x05")
    assert last.hex() == "02 03 04 05"
    last.add(bytes(range(16)))
    assert last.hex() == "0c 0d 0e 0f"


def test_a_capture_replays_as_it_came(tmp_path: Path) -> None:
    with Capture(tmp_path / "capture.jsonl") as capture:
        capture.add(b"\x02+", 1.25)
        capture.add(b"000", 1.5)
    assert list(replay(tmp_path / "capture.jsonl")) == [Chunk(1.25, b"\x02+"), Chunk(1.5, b"000")]


def test_a_full_capture_stops(tmp_path: Path) -> None:
    with Capture(tmp_path / "capture.jsonl", largest_bytes=40) as capture:
        for _ in range(10):
            capture.add(b"\x02", 1.0)
    assert len(list(replay(tmp_path / "capture.jsonl"))) == 1


def test_a_line_that_is_none_is_named(tmp_path: Path) -> None:
    (tmp_path / "capture.jsonl").write_text('{"at_s": 1, "hex": "02"}\n{"hex": "zz"}\n')
    with pytest.raises(InputError, match="line 2"):
        list(replay(tmp_path / "capture.jsonl"))
    (tmp_path / "capture.jsonl").write_text("[" * 100_000)
    with pytest.raises(InputError, match="line 1"):
        list(replay(tmp_path / "capture.jsonl"))
    with pytest.raises(InputError, match="line 1"):
        about(tmp_path / "capture.jsonl")


def test_a_capture_says_what_it_is_of_and_what_was_sent(tmp_path: Path) -> None:
    path = tmp_path / "capture.jsonl"
    with Capture(path, {"protocol": "sma"}) as capture:
        capture.add(b"\nW\r", 1.0, is_sent=True)
        capture.add(b"\n ", 1.1)
    assert about(path) == {"protocol": "sma"}
    assert list(replay(path)) == [Chunk(1.0, b"\nW\r", is_sent=True), Chunk(1.1, b"\n ")]


def test_a_capture_of_an_unknown_link_says_nothing_of_it(tmp_path: Path) -> None:
    path = tmp_path / "capture.jsonl"
    with Capture(path) as capture:
        capture.add(b"\x02", 1.0)
    assert about(path) == {}
    path.write_text("no capture")
    with pytest.raises(InputError, match="line 1"):
        about(path)


def test_a_capture_is_never_written_over(tmp_path: Path) -> None:
    path = tmp_path / "capture.jsonl"
    with Capture(path):
        pass
    with pytest.raises(FileExistsError), Capture(path):
        pass
