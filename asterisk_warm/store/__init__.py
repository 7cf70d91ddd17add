"""What is kept, in a database: SQLite by default, PostgreSQL by URL."""

from asterisk_warm.store.agents import SqlAgents
from asterisk_warm.store.database import Database
from asterisk_warm.store.deliveries import SqlDeliveries
from asterisk_warm.store.errors import StoreError
from asterisk_warm.store.journal import SqlJournal
from asterisk_warm.store.leads import SqlLeads
from asterisk_warm.store.qualifications import SqlQualifications
from asterisk_warm.store.scripts import SqlScripts
from asterisk_warm.store.tokens import SqlTokens

__all__ = [
    "Database",
    "SqlAgents",
    "SqlDeliveries",
    "SqlJournal",
    "SqlLeads",
    "SqlQualifications",
    "SqlScripts",
    "SqlTokens",
    "StoreError",
]
