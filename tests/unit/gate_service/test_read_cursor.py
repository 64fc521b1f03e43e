"""Cursors of the passages page, as anybody may type them."""

from __future__ import annotations

import pytest

from gate_service.domain.errors import InputError
from gate_service.service import read_cursor


def test_a_cursor_is_a_records_number() -> None:
    assert read_cursor(None) is None
    assert read_cursor("41") == 41


@pytest.mark.parametrize("before", ["", "x", "-1", "1_0", "٣", "9223372036854775808", "9" * 128])
def test_what_is_none_is_refused_and_asks_no_database(before: str) -> None:
    with pytest.raises(InputError, match="before"):
        read_cursor(before)
