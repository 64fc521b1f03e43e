"""Texts of site files and messages in which every character is seen: types for pydantic models."""

from __future__ import annotations

from functools import partial
from typing import Annotated

from pydantic import AfterValidator, Field
from pydantic_core import PydanticCustomError

from gate_service.domain.plain_text import HIDDEN, HIDDEN_IN_LINE, hidden_in


def _visible(text: str, *, is_one_line: bool) -> str:
    """Control and direction characters have no place in a name, a number or a reason: they end up in logs and on
    screens, where they hide or turn around what is read.
    """
    found = hidden_in(text, is_one_line=is_one_line)
    if found is not None:
        expected = "no control or direction characters expected, found {found}"
        raise PydanticCustomError("hidden_character", expected, {"found": found})
    return text


VisibleLine = Annotated[
    str,
    AfterValidator(partial(_visible, is_one_line=True)),
    Field(json_schema_extra={"pattern": f"^[^{HIDDEN_IN_LINE}]*$"}),
]
VisibleText = Annotated[
    str,
    AfterValidator(partial(_visible, is_one_line=False)),
    Field(json_schema_extra={"pattern": f"^[^{HIDDEN}]*$"}),
]
