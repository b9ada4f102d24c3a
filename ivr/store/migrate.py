"""Migrations, for SQLite and PostgreSQL alike: `ivr db upgrade`, and whether a database is up to date."""

from __future__ import annotations

from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import text

from ivr.errors import StoreGone, UsageError
from ivr.store.database import Database

WAITS = 10
"""How often a SQLite file that another server is migrating is waited for, as long each time as any writer waits."""


def _config() -> Config:
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
    return config


def head() -> str:
    """The newest migration this code knows."""
    return ScriptDirectory.from_config(_config()).get_current_head() or ""


def current(database: Database) -> str | None:
    """The migration the database is at; None for an empty one."""
    with database.read() as connection:
        return MigrationContext.configure(connection).get_current_revision()


def upgrade(database: Database) -> str:
    """Brings the database to the newest migration and returns it; two servers that start at once wait for each other."""
    for left in reversed(range(WAITS)):
        try:
            _upgrade(database)
            break
        except Exception as error:
            if left and database.is_sqlite and "database is locked" in str(error):
                continue
            raise UsageError(f"the database cannot be migrated: {str(error).splitlines()[0]}") from error
    return head()


def _upgrade(database: Database) -> None:
    with database.writer.begin() as connection:
        if not database.is_sqlite:
            connection.execute(text("SELECT pg_advisory_xact_lock(4987)"))
        config = _config()
        config.attributes["connection"] = connection
        command.upgrade(config, "head")


def require_current(database: Database) -> None:
    """Raises UsageError, with what to do, where the database is missing or not up to date."""
    try:
        at = current(database)
    except StoreGone as error:
        raise UsageError(
            f"the database cannot be reached ({error}); is DATABASE_URL right and the server running?"
        ) from None
    if at != head():
        state = "is empty" if at is None else f"is at migration {at}, this version needs {head()}"
        raise UsageError(f"the database {state}; run 'ivr db upgrade'")
