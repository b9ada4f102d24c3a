"""API tokens: random, shown once, kept only as a digest."""

from __future__ import annotations

import hashlib
import secrets

from sqlalchemy import delete, insert, select
from sqlalchemy.exc import IntegrityError

from ivr.errors import UsageError
from ivr.store import tables as t
from ivr.store.database import Database


def add_token(database: Database, name: str, at: float) -> str:
    """A new token; this is the only time it is seen."""
    token = f"ivr_{secrets.token_urlsafe(32)}"
    try:
        with database.write() as connection:
            connection.execute(insert(t.tokens).values(hash=hashlib.sha256(token.encode()).digest(), name=name, at=at))
    except IntegrityError:
        raise UsageError(f"there is a token called '{name}' already; choose another name") from None
    return token


def is_token(database: Database, digest: bytes) -> bool:
    """Whether a token has this SHA-256 digest. A digest tells nothing by how long its search takes."""
    with database.read() as connection:
        return connection.execute(select(t.tokens.c.name).where(t.tokens.c.hash == digest)).scalar() is not None


def list_tokens(database: Database) -> list[tuple[str, float]]:
    """Every token's name, and when it was made."""
    with database.read() as connection:
        return [(row.name, row.at) for row in connection.execute(select(t.tokens).order_by(t.tokens.c.name))]


def revoke_token(database: Database, name: str) -> bool:
    """Ends a token; False where there is none of this name."""
    with database.write() as connection:
        return bool(connection.execute(delete(t.tokens).where(t.tokens.c.name == name)).rowcount)
