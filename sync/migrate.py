"""Brings a database to this version's schema, in one transaction. Alembic is imported only where there is work."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Final

from sqlalchemy import Connection, inspect

from gate_service.domain.errors import RecordError

if TYPE_CHECKING:
    from alembic.config import Config

HEAD: Final = "0008"
"""The newest revision in `migrations/versions` (a test holds the two together)."""

SCRIPTS: Final = Path(__file__).parent / "migrations"


def schema_revision(connection: Connection) -> str | None:
    """The revision the database is at; None for an empty one."""
    if not inspect(connection).has_table("alembic_version"):
        return None
    revision: str | None = connection.exec_driver_sql("SELECT version_num FROM alembic_version").scalar()
    return revision


def migrate(connection: Connection, *, allowed: bool = True) -> None:
    """Bring the database to HEAD and commit. Raises RecordError for one from a newer version, or if not `allowed`."""
    found = schema_revision(connection)
    connection.rollback()
    if found == HEAD:
        return
    if not allowed:
        raise RecordError(f"record schema: revision {HEAD} expected, found {found}; start the service once")
    from alembic import command
    from alembic.script.revision import ResolutionError
    from alembic.util import CommandError

    try:
        with connection.begin():
            command.upgrade(alembic_config(connection), "head")
    except (CommandError, ResolutionError) as error:
        raise RecordError(
            f"record schema: revision up to {HEAD} expected, found {found}: written by a newer version? ({error})"
        ) from error


def alembic_config(connection: Connection) -> Config:
    """Alembic's settings without a file: our scripts, this connection."""
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(SCRIPTS).replace("%", "%%"))
    config.attributes["connection"] = connection
    return config
