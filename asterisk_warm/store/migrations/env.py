"""Run by Alembic for each command: the connection to use is in `config.attributes["connection"]`."""

from __future__ import annotations

from alembic import context

from asterisk_warm.store.migrate import VERSION_TABLE
from asterisk_warm.store.tables import metadata

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    version_table=VERSION_TABLE,
    render_as_batch=True,
)
with context.begin_transaction():
    context.run_migrations()
