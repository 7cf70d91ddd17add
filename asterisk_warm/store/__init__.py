"""Journal and agents in a database: SQLite by default, PostgreSQL by URL."""

from asterisk_warm.store.agents import SqlAgents
from asterisk_warm.store.database import Database
from asterisk_warm.store.errors import StoreError
from asterisk_warm.store.journal import SqlJournal

__all__ = ["Database", "SqlAgents", "SqlJournal", "StoreError"]
