"""What README and docs call a verb of `gate` is one, and README names them all."""

from __future__ import annotations

import re
from pathlib import Path

import typer

from gate_service.cli.app import app

ROOT = Path(__file__).resolve().parents[2]
SHOWN = re.compile(r"(?:`|^)gate ([a-z][a-z-]*)", re.MULTILINE)


def verbs() -> set[str]:
    command = typer.main.get_command(app)
    return set(command.commands)  # type: ignore[attr-defined]


def test_every_verb_in_the_docs_is_one() -> None:
    pages = [ROOT / "README.md", *(ROOT / "docs").rglob("*.md")]
    shown = {verb: page.name for page in pages for verb in SHOWN.findall(page.read_text(encoding="utf-8"))}
    assert shown
    assert {verb: page for verb, page in shown.items() if verb not in verbs()} == {}


def test_the_readme_names_every_verb() -> None:
    named = set(SHOWN.findall((ROOT / "README.md").read_text(encoding="utf-8")))
    assert verbs() - named == set()
