"""Bringing a database to the tables of this version."""

from __future__ import annotations

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, select

from asterisk_warm.store.errors import StoreError
from asterisk_warm.store.tables import handoffs

VERSION_TABLE = "asterisk_warm_version"
"""Not Alembic's own name, so that a PostgreSQL database can be shared with another program that uses it."""

_ORPHAN = ~handoffs.c.settled & (handoffs.c.node == "")


def upgrade(connection: Connection, place: str, revision: str = "head") -> None:
    """Run the missing migrations within the transaction that `connection` is in: all of them, or none.

    Raises StoreError about `place` for a database that a newer version has changed.
    """
    config = migrations()
    script = ScriptDirectory.from_config(config)
    found = current(connection)
    known = {step.revision for step in script.walk_revisions()}
    if found is not None and found not in known:
        raise StoreError(
            place,
            f"the database is newer than this program: it has revision {found} of our tables, and the latest"
            f" known here is {script.get_current_head()}",
            "install the version that was used last, or restore a backup from before it",
        )
    config.attributes["connection"] = connection
    command.upgrade(config, revision)


def is_ready(connection: Connection) -> bool:
    """Nothing is left for `upgrade` and `adopt` to do."""
    if current(connection) != ScriptDirectory.from_config(migrations()).get_current_head():
        return False
    orphans = select(handoffs.c.id).where(_ORPHAN).limit(1)
    return connection.execute(orphans).first() is None


def adopt(connection: Connection, node: str) -> None:
    """Handoffs from before there were nodes belong to whoever opens the database first."""
    connection.execute(handoffs.update().where(_ORPHAN).values(node=node))


def migrations() -> Config:
    """Alembic's view of the migrations; for use with `alembic.command`, add a connection as `env.py` says."""
    config = Config()
    config.set_main_option("script_location", "asterisk_warm.store:migrations")
    config.set_main_option("path_separator", "os")
    return config


def current(connection: Connection) -> str | None:
    """The revision of the database; None for one without our tables."""
    return MigrationContext.configure(
        connection, opts={"version_table": VERSION_TABLE}
    ).get_current_revision()
