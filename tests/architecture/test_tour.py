"""The tour's excerpts are the code."""

import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
EXCERPT = re.compile(r"`(?P<file>[\w/]+\.py)`[^\n]*\n\n```python\n(?P<code>.*?)```", re.DOTALL)


def test_every_excerpt_of_the_tour_stands_in_its_file_as_shown():
    excerpts = list(EXCERPT.finditer((ROOT / "docs" / "tour.md").read_text(encoding="utf-8")))
    assert len(excerpts) >= 7
    for excerpt in excerpts:
        code = (ROOT / excerpt["file"]).read_text(encoding="utf-8")
        for piece in excerpt["code"].split("...\n"):
            lines = [line.rstrip() for line in piece.strip("\n").splitlines()]
            assert "\n".join(lines) in code, f"{excerpt['file']}: the tour shows\n{piece}"
