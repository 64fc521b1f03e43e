"""Every sample message with its meaning and source: whole, with bytes behind, cut, with each byte damaged.

`messages.json` holds messages made from the published layouts with placeholders; where a sample keeps the figures of a
real receipt, its source says so. What a message must read as was written down from its source.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from gate_service.domain.errors import MessageError
from sync.central.message import read_message

SAMPLES: list[dict[str, Any]] = json.loads((Path(__file__).parent / "messages.json").read_text(encoding="utf-8"))
IDS = [sample["id"] for sample in SAMPLES]
FRAMED = [sample for sample in SAMPLES if sample["frame"]]


def at(fields: Any, path: str) -> Any:
    for step in path.split("."):
        fields = fields[int(step)] if isinstance(fields, list) else fields[step]
    return fields


@pytest.mark.parametrize("sample", SAMPLES, ids=IDS)
def test_a_message_reads_as_its_source_says(sample):
    answer = read_message(bytes.fromhex(sample["hex"]))
    assert answer["message"] == sample["message"]
    assert {path: at(answer["fields"], path) for path in sample["fields"]} == sample["fields"]
    assert [text.partition(":")[0] for text in answer["warnings"]] == sample["warnings"]
    frame = answer["frame"]
    assert (frame and {key: frame[key] for key in sample["frame"]}) == sample["frame"]


@pytest.mark.parametrize("sample", FRAMED, ids=[sample["id"] for sample in FRAMED])
def test_a_frame_glued_to_the_next_reads_the_same_and_says_so(sample):
    raw = bytes.fromhex(sample["hex"])
    alone, glued = read_message(raw), read_message(raw + raw)
    assert glued["fields"] == alone["fields"]
    assert [text for text in glued["warnings"] if text.startswith("trailing_bytes")]


@pytest.mark.parametrize("sample", FRAMED, ids=[sample["id"] for sample in FRAMED])
def test_a_frame_cut_anywhere_or_behind_garbage_is_refused(sample):
    raw = bytes.fromhex(sample["hex"])
    for length in range(0, len(raw), 7):
        with pytest.raises(MessageError):
            read_message(raw[:length])
    with pytest.raises(MessageError):
        read_message(b"\x00\xff" + raw)


@pytest.mark.parametrize("sample", FRAMED, ids=[sample["id"] for sample in FRAMED])
def test_a_damaged_mark_length_or_tail_is_never_read(sample):
    raw = bytes.fromhex(sample["hex"])
    header = 37 + sample["frame"]["code_length"]
    for place in [*range(8), *range(header - 4, header), len(raw) - 2, len(raw) - 1]:
        damaged = raw[:place] + bytes([raw[place] ^ 0x15]) + raw[place + 1 :]
        with pytest.raises(MessageError):
            read_message(damaged)


@pytest.mark.parametrize("sample", SAMPLES, ids=IDS)
def test_each_damaged_byte_ends_in_an_answer_or_in_an_error_of_ours(sample):
    raw = bytes.fromhex(sample["hex"])
    for place in range(len(raw)):
        try:
            answer = read_message(raw[:place] + bytes([raw[place] ^ 0x15]) + raw[place + 1 :])
        except MessageError:
            continue
        assert isinstance(answer["fields"], dict)
