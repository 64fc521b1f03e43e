"""Texts that come in and are shown to people: every field of every body refuses what hides or turns around."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

import pytest
from pydantic import ValidationError

from gate_service.web.bodies import Body, LaneCommand, PaperLine, Plate, schemas
from gate_service.web.problems import places
from gate_service.web.register_bodies import GateForm

UNSEEN = {"password", "new", "token"}  # secrets: never shown
MASSES = {"gross_kg", "change_kg"}  # read as numbers


def texts(name: str, schema: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    """Every string of a schema, with the name of its field."""
    for one in (schema, *schema.get("anyOf", ())):
        if one.get("type") == "string":
            yield name, one
        elif one.get("type") == "array":
            yield from texts(name, one["items"])
        for field, inner in one.get("properties", {}).items():
            yield from texts(field, inner)


def test_every_text_of_every_body_refuses_direction_characters() -> None:
    found = [one for name, schema in schemas().items() for one in texts(name, schema)]
    assert len(found) > 50
    for name, schema in found:
        if name in UNSEEN | MASSES or {"enum", "const", "format"} & schema.keys():
            continue
        assert re.search(schema["pattern"], "a\u202eb") is None, (name, schema)
        assert "maxLength" in schema or re.search(schema["pattern"], "a" * 5000) is None, (name, schema)


PAPER = {
    "lane": "in-1", "crossed_at": "2026-11-22T02:00:00Z", "plate": "浙B12345", "released_by": "olga", "reason": "fog",
    "paper_no": "7",
}  # fmt: skip
FORM = {
    "direction": "inbound", "plate": "浙B1", "category": "office", "customs_code": "", "enterprise": "", "goods": [],
}  # fmt: skip


@pytest.mark.parametrize(
    ("model", "body", "field"),
    [
        (PaperLine, PAPER, "reason"),
        (PaperLine, PAPER, "released_by"),
        (PaperLine, PAPER, "plate"),
        (LaneCommand, {"command": "release"}, "reason"),
        (Plate, {"plate": None}, "trailer_plate"),
        (GateForm, FORM, "driver"),
    ],
)
def test_the_place_and_the_character_are_told(model: type[Body], body: dict[str, Any], field: str) -> None:
    assert model.model_validate_json(json.dumps(body))
    with pytest.raises(ValidationError) as refused:
        model.model_validate_json(json.dumps(body | {field: "ok\u202egnp.exe"}))
    [place] = places(refused.value.errors())
    assert place == f"{field}: no control or direction characters expected, found U+202E at 3"
