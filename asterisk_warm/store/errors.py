"""What can go wrong with a database, told by place, problem and remedy."""

from __future__ import annotations

import errno
import os
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import URL
from sqlalchemy.exc import DBAPIError, SQLAlchemyError

from asterisk_warm.engine.ports.journal import JournalError


class StoreError(JournalError):
    """The journal cannot be opened, read or written.

    `place` is the database (file, or URL without its password), `problem` what is wrong with it, `remedy`
    what to do about it ("" if nothing is known to help).
    """

    def __init__(self, place: str, problem: str, remedy: str = "") -> None:
        self.place = place
        self.problem = problem
        self.remedy = remedy
        super().__init__(f"{place}: {problem}" + (f"; {remedy}" if remedy else ""))


_SQLITE = {
    "SQLITE_NOTADB": ("the file is not an SQLite database", "give the path of another file in `database`"),
    "SQLITE_CORRUPT": ("the database is damaged", "restore the latest backup"),
    "SQLITE_READONLY": ("the database cannot be written", "make file and folder writable for this user"),
    "SQLITE_CANTOPEN": ("the database cannot be opened", "make file and folder writable for this user"),
    "SQLITE_PERM": ("the database cannot be opened", "make file and folder writable for this user"),
    "SQLITE_FULL": ("the disk is full", "free some space"),
    "SQLITE_IOERR": ("the disk reports an error", "look at the kernel's log for the disk's faults"),
    "SQLITE_BUSY": ("another program is writing to the database", "end it; only our daemons may write here"),
    "SQLITE_LOCKED": (
        "another program is writing to the database",
        "end it; only our daemons may write here",
    ),
}

_POSTGRES = {
    "42501": ("a permission is missing", "make this user the owner of the database"),
    "25006": ("the server is read-only", "give the address of the primary server in `database`"),
    "53100": ("the server's disk is full", "free some space"),
    "55P03": ("another daemon keeps the database locked", "see that it is not stopped in the middle"),
}

_UNREACHABLE = ("the server does not answer", "see that it runs, and the address in `database`")
_REFUSED = (
    "the server refuses the connection",
    "see the login in `database`; createdb makes a missing database",
)


@contextmanager
def store_errors(place: str) -> Iterator[None]:
    """Turn the driver's, SQLAlchemy's and the system's errors into a StoreError about `place`."""
    try:
        yield
    except DBAPIError as error:
        raise driver_error(place, error.orig or error) from error
    except sqlite3.Error as error:
        raise driver_error(place, error) from error
    except SQLAlchemyError as error:
        raise StoreError(place, _first_line(error)) from error
    except OSError as error:
        raise _from_system(place, error) from error


def place_of(url: URL) -> str:
    """The file of an SQLite URL, or any other URL without its password."""
    if url.get_backend_name() == "sqlite":
        return url.database or "(no file)"
    plain = url.set(drivername=url.get_backend_name()).difference_update_query(["password"])
    return plain.render_as_string(hide_password=True)


def driver_error(place: str, error: BaseException) -> StoreError:
    """An error of `sqlite3` or `psycopg` in our words."""
    if isinstance(error, sqlite3.Error):
        name = getattr(error, "sqlite_errorname", "")
        known = next((words for code, words in _SQLITE.items() if name.startswith(code)), None)
    else:
        code = getattr(error, "sqlstate", None)
        known = next((words for start, words in _POSTGRES.items() if code and code.startswith(start)), None)
        # The client library gives no code when there was no connection, or none yet.
        if code is None or code.startswith(("08", "57P")):
            known = _REFUSED if "FATAL:" in str(error) else _UNREACHABLE
    if known is None:
        return StoreError(place, _first_line(error))
    problem, remedy = known
    return StoreError(place, f"{problem} ({_first_line(error)})", remedy)


def _from_system(place: str, error: OSError) -> StoreError:
    where = os.fsdecode(error.filename) if error.filename else "the database"
    if isinstance(error, (FileExistsError, NotADirectoryError, IsADirectoryError)):
        return StoreError(place, f"{where}: a file where a folder is needed, or a folder where a file is")
    forbidden = error.errno in (errno.EACCES, errno.EPERM, errno.EROFS)
    remedy = "make file and folder writable for this user" if forbidden else ""
    return StoreError(place, f"{where}: {(error.strerror or str(error)).lower()}", remedy)


def _first_line(error: BaseException) -> str:
    return str(error).strip().partition("\n")[0] or type(error).__name__
