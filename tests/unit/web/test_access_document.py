"""docs/access.md is what the code says."""

from pathlib import Path

from gate_service.domain.commands import Command, Role
from gate_service.web.access import ADDRESSES
from gate_service.web.access_document import document

WRITTEN = Path(__file__).parents[3] / "docs" / "access.md"


def test_the_table_of_who_may_what_is_made_from_the_code():
    said = "an address changed: python -m gate_service.web.access_document > docs/access.md"
    assert WRITTEN.read_text(encoding="utf-8") == document(), said


def test_every_address_command_and_role_stands_in_it():
    text = document()
    for address in ADDRESSES:
        assert f"| {address.method} `{address.path}` |" in text
    for command in Command:
        assert f"| `{command.value}` |" in text
    assert all(f" {role.value} |" in text for role in Role)
