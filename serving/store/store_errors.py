"""What is raised when the store does not answer; imported only where that is caught, since psycopg loads slowly."""

import sqlite3
from contextlib import suppress

from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError


def _store_errors() -> tuple[type[Exception], ...]:
    errors: list[type[Exception]] = [DBAPIError, sqlite3.Error, PoolTimeoutError]
    with suppress(ModuleNotFoundError):
        import psycopg  # noqa: PLC0415 - only where a store may be on PostgreSQL

        errors.append(psycopg.Error)
    return tuple(errors)


STORE_ERRORS = _store_errors()
"""What is raised when the store does not answer, whichever way it was queried."""


def name_of(error: BaseException) -> str:
    """
    Return what a database calls an error, which names no data: SQLite's name, PostgreSQL's SQLSTATE, or the class.

    >>> name_of(ValueError("of a lead"))
    'ValueError'
    """
    cause = getattr(error, "orig", None) or error
    return str(getattr(cause, "sqlite_errorname", None) or getattr(cause, "sqlstate", None) or type(cause).__name__)
