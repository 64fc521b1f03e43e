"""What Alembic runs: always online, on the connection (and in the transaction) that `sync.migrate` opened."""

from __future__ import annotations

from alembic import context

from sync.tables import metadata

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    render_as_batch=True,  # SQLite cannot alter most of a table in place
    transactional_ddl=True,  # true of SQLite too once the driver leaves transactions alone
)
context.run_migrations()
