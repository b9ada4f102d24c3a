"""API tokens: random, shown once, kept only as a digest."""

from __future__ import annotations

import hashlib
import secrets

from sqlalchemy import insert, select
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
