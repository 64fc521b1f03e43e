"""The diagram in the docs is the table."""

from pathlib import Path

from lanes.diagram import draw


def test_the_diagram_in_docs_is_drawn_from_the_table():
    page = (Path(__file__).parents[2] / "docs" / "lane.md").read_text(encoding="utf-8")
    assert f"```mermaid\n{draw()}\n```" in page, (
        "docs/lane.md: replace the diagram by the output of lanes.diagram.draw()"
    )
