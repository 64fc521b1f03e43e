"""`gate message`: one JSON object and status 0, or an error object and status 1."""

from __future__ import annotations

import io
import json
import sys

import pytest

from gate_service.cli import message
from tests.fakes import customs_messages as built


def ran(capsysbinary, source, **options):
    status = message.run(source, **options)
    return status, capsysbinary.readouterr().out


def test_a_file_is_read_and_printed_on_one_line_with_json(tmp_path, capsysbinary):
    file = tmp_path / "frame.bin"
    file.write_bytes(built.frame(built.release().encode("gbk")))
    status, out = ran(capsysbinary, str(file), as_json=True)
    assert status == 0
    assert out.count(b"\n") == 1
    assert json.loads(out)["fields"]["OP_HINT"] == "直接放行"


def test_a_dash_is_standard_input(capsysbinary, monkeypatch):
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(built.receipt().encode())))
    status, out = ran(capsysbinary, "-")
    assert status == 0
    assert json.loads(out)["message"] == "SAS223"


@pytest.mark.parametrize(
    ("raw", "code"),
    [
        (b"", "message_unreadable"),
        (built.frame(b"<a/>")[:-1], "frame_unreadable"),
        (b"<a", "xml_unreadable"),
        (b"<!DOCTYPE a><a/>", "xml_refused"),
        (b"<a/>", "message_unknown"),
    ],
)
def test_what_cannot_be_read_is_an_error_object_and_status_1(tmp_path, capsysbinary, raw, code):
    file = tmp_path / "message"
    file.write_bytes(raw)
    status, out = ran(capsysbinary, str(file))
    assert status == 1
    assert json.loads(out)["error"]["code"] == code
    assert json.loads(out).keys() == {"error"}


def test_a_file_that_is_not_there_is_an_error_object(tmp_path, capsysbinary):
    status, out = ran(capsysbinary, str(tmp_path / "none"), as_json=True)
    assert status == 1
    assert json.loads(out)["error"]["code"] == "input_invalid"
