"""Where a record lies, and what is said where it lies in PostgreSQL."""

from __future__ import annotations

from pathlib import Path

import pytest
from typer.testing import CliRunner

from gate_service.cli.app import app
from gate_service.cli.data_directory import Place, find_place
from gate_service.domain.errors import InputError, StoreOnServerError


@pytest.mark.parametrize(
    ("words", "tool"),
    [(["backup", "new"], "pg_dump"), (["restore", "old", "--reason", "x"], "pg_restore")],
)
@pytest.mark.parametrize("is_url", [True, False])
def test_a_backup_of_a_record_in_postgresql_names_what_to_use_instead(
    tmp_path: Path, words: list[str], tool: str, *, is_url: bool
) -> None:
    site = tmp_path / "site.toml"
    site.write_text('[data]\ndir = "data"\nurl = "postgresql://h/gate"\n', encoding="utf-8")
    where = ["--data", "postgresql://h/gate"] if is_url else ["--config", str(site)]
    refused = CliRunner().invoke(app, [*words, *where]).exception
    assert isinstance(refused, StoreOnServerError)
    assert (refused.code, tool in str(refused)) == ("store_on_server", True)
    assert not (tmp_path / "data").exists()


def test_a_place_is_a_directory_or_a_site_file_and_a_url_only_where_no_directory_is_needed(tmp_path: Path) -> None:
    assert find_place(tmp_path, None) == Place(tmp_path)
    with pytest.raises(InputError, match="a directory expected"):
        find_place(Path("postgresql://h/gate"), None)
    assert find_place(Path("postgresql://h/gate"), None, takes_url=True).url == "postgresql://h/gate"
