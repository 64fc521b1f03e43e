"""The public list of warning codes: each is explained on a page, and each can be had from some message."""

from __future__ import annotations

from pathlib import Path

import pytest

from sync.central.warnings import WarningCode, shown

PAGES = Path(__file__).parents[4] / "docs" / "protocols"


@pytest.mark.parametrize("code", WarningCode)
def test_every_code_is_explained_on_a_page(code):
    pages = [(PAGES / name).read_text(encoding="utf-8") for name in ("jgst14.md", "single-window.md")]
    rows = [line.split("|")[1] for page in pages for line in page.splitlines() if line.startswith("| `")]
    assert sum(f"`{code}`" in row for row in rows) == 1


def test_a_long_value_is_cut_where_it_is_quoted():
    assert len(shown("x" * 10_000)) < 70
    assert shown("a\nb") == "'a\\nb'"
