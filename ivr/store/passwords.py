"""Passwords: never kept, only their Argon2 hash. A hash takes about 80 ms and 32 MiB, for us and for whoever guesses."""

from __future__ import annotations

import secrets
import unicodedata
from functools import cache
from typing import Any

from ivr.errors import UsageError

SHORTEST, LONGEST = 10, 200


def check_password(password: str) -> str:
    """The password, where it is long enough. Raises UsageError."""
    if not SHORTEST <= len(password) <= LONGEST:
        raise UsageError(f"a password has {SHORTEST} to {LONGEST} characters; a few words in a row are a good one")
    return password


def new_password() -> str:
    """One that nobody guesses: 96 random bits in 16 characters."""
    return secrets.token_urlsafe(12)


def hash_password(password: str) -> str:
    """What is stored."""
    hashed: str = _hasher().hash(_same(password))
    return hashed


def matches(stored: str | None, password: str) -> bool:
    """Whether this is the password. Where nothing is stored it takes as long: nobody learns which logins exist."""
    from argon2.exceptions import Argon2Error, InvalidHashError

    try:
        _hasher().verify(stored or _of_nobody(), _same(password))
    except (Argon2Error, InvalidHashError):
        return False
    return stored is not None


def is_outdated(stored: str) -> bool:
    """Whether it was hashed with other parameters than today's."""
    return bool(_hasher().check_needs_rehash(stored))


@cache
def _hasher() -> Any:
    # Only who signs in needs it: a voice turn must not wait for this import.
    from argon2 import PasswordHasher

    return PasswordHasher(time_cost=3, memory_cost=32 * 1024, parallelism=1)


@cache
def _of_nobody() -> str:
    return hash_password(new_password())


def _same(password: str) -> str:
    """An ü is an ü, whichever way a keyboard composes it; half a character is none."""
    return unicodedata.normalize("NFKC", password).encode("utf-8", "replace").decode()
