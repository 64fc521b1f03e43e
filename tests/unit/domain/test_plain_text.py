"""What no text may hold: characters that cannot be seen, or that turn around what is read."""

from __future__ import annotations

import pytest

from gate_service.domain.plain_text import hidden_in


@pytest.mark.parametrize(
    "number", [0x00, 0x1B, 0x7F, 0x85, 0x9B, 0x200F, *range(0x202A, 0x202F), *range(0x2066, 0x206A)]
)
def test_a_control_or_direction_character_is_named_with_its_place(number: int) -> None:
    assert hidden_in(f"ab{chr(number)}c") == f"U+{number:04X} at 3"


def test_a_text_may_have_lines_and_a_line_may_not() -> None:
    assert hidden_in("one\n\ttwo") is None
    assert hidden_in("one\ttwo", is_one_line=True) == "U+0009 at 4"


@pytest.mark.parametrize("text", ["", "浙B12345", "粤Z·1234港", "queue 3, seal “A” – ok", "ئۇيغۇر", "👍🏽"])
def test_what_people_write_is_no_such_text(text: str) -> None:
    assert hidden_in(text, is_one_line=True) is None
