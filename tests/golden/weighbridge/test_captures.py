"""Recorded streams as tests: `gate replay CAPTURE --golden tests/golden/weighbridge/captures --source …` makes one."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from devices.weighbridge import protocols
from devices.weighbridge.frame_object import frame_object

FILES = sorted((Path(__file__).parent / "captures").glob("*.json"))


def read(capture: dict[str, Any], chunks: list[bytes]) -> list[dict[str, Any]]:
    decoder = protocols.create(capture["protocol"], capture["options"])
    return [frame_object(one) for one in [*(f for c in chunks for f in decoder.feed(c)), *decoder.flush()]]


@pytest.mark.parametrize("file", FILES, ids=[file.stem for file in FILES])
def test_a_capture_reads_as_on_the_day_it_was_taken(file: Path) -> None:
    capture = json.loads(file.read_text(encoding="utf-8"))
    assert capture["source"]
    chunks = [bytes.fromhex(chunk) for chunk in capture["chunks"]]
    whole = b"".join(chunks)
    assert read(capture, chunks) == capture["expect"]
    assert read(capture, [whole]) == capture["expect"]
    assert read(capture, [whole[at : at + 1] for at in range(len(whole))]) == capture["expect"]


def test_there_are_captures() -> None:
    assert FILES
