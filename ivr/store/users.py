"""People who work here: the `users` table. What they may do is their role's; whom they serve is in `targets`."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from sqlalchemy import Connection, Row, insert, select, update
from sqlalchemy.exc import IntegrityError

from ivr.errors import UsageError
from ivr.phone import e164
from ivr.store import tables as t
from ivr.store.database import Database

ROLES = ("agent", "designer", "ops", "admin")
PRESENCES = ("available", "away", "busy", "wrap_up")


class User(NamedTuple):
    """One person. `targets`: names of the targets they serve (none: all); `disabled`: since when, UTC seconds."""

    id: str
    login: str
    name: str
    role: str
    phone: str | None
    targets: tuple[str, ...]
    presence: str
    presence_at: float
    disabled: float | None
    at: float

    def may(self, role: str) -> bool:
        """Whether they may do what this role does. An admin may do everything."""
        return self.role in (role, "admin")

    def serves(self, target: str) -> bool:
        """Whether callers of this target are theirs to take."""
        return not self.targets or target in self.targets


COLUMNS = [t.users.c[name] for name in User._fields]
"""What a User is read from: all but the password."""


def user_of(row: Row[Any]) -> User:
    """The user in the first columns of a row that was selected with COLUMNS."""
    given = dict(zip(User._fields, row, strict=False))
    return User(**{**given, "targets": tuple(json.loads(given["targets"]))})


def plain(text: str) -> str:
    """Text from outside, without characters that are not seen: control, direction marks, halves of characters."""
    return "".join(letter for letter in text if letter.isprintable()).strip()


def login_of(text: str) -> str:
    """A login as it is kept and compared: capital letters mean nothing."""
    return plain(text).casefold()[:80]


def phone_of(text: str, region: str | None) -> str | None:
    """Where an agent's phone rings: E.164, `sip:` or `client:`; None for an empty text. Raises UsageError."""
    text = plain(text)
    if not text:
        return None
    if re.fullmatch(r"sip:[^\s@<>\"]+@[^\s@<>\"]+|client:[\w.+@-]+", text) and len(text) <= 80:
        return text
    number = None if text.startswith(("sip:", "client:")) else e164(text, region)
    if number is None:
        raise UsageError(f"'{text[:80]}' is no phone; write +15551234567, sip:ada@example.com or client:ada")
    return number


class Users:
    """The `users` table."""

    def __init__(self, database: Database, new_id: Callable[[], str]) -> None:
        self.database = database
        self.new_id = new_id

    def add(
        self, login: str, name: str, password_hash: str, role: str, phone: str | None, targets: Sequence[str], at: float
    ) -> User:
        """A new user, away until they say otherwise. Raises UsageError."""
        key, name = login_of(login), plain(name)[:80]
        if not key or " " in key or len(plain(login)) > 80:
            raise UsageError("a login has 1 to 80 characters and no spaces, such as 'ada' or 'ada@example.com'")
        made = User(self.new_id(), key, name or key, _role(role), phone, tuple(targets), "away", at, None, at)
        row = {**made._asdict(), "targets": json.dumps(made.targets), "password": password_hash}
        try:
            with self.database.write() as connection:
                connection.execute(insert(t.users).values(row))
        except IntegrityError:
            raise UsageError(f"there is a user '{key}' already; choose another login") from None
        return made

    def by_login(self, login: str) -> User | None:
        """The user with this login, disabled or not."""
        return self._one(t.users.c.login == login_of(login))

    def get(self, id_: str) -> User | None:
        """The user with this id, disabled or not."""
        return self._one(t.users.c.id == id_)

    def _one(self, where: Any) -> User | None:
        with self.database.read() as connection:
            row = connection.execute(select(*COLUMNS).where(where)).first()
        return user_of(row) if row else None

    def every(self) -> list[User]:
        """Everybody, by login."""
        with self.database.read() as connection:
            return [user_of(row) for row in connection.execute(select(*COLUMNS).order_by(t.users.c.login))]

    def password_hash(self, login: str) -> str | None:
        """What is stored of the password of an enabled user."""
        users = t.users.c
        found = select(users.password).where(users.login == login_of(login), users.disabled.is_(None))
        with self.database.read() as connection:
            return connection.execute(found).scalar()

    def set_password(self, id_: str, password_hash: str) -> None:
        """A new password. Sessions stay; whoever sets it decides about them."""
        self._set(id_, password=password_hash)

    def set_role(self, id_: str, role: str, targets: Sequence[str]) -> None:
        """What they may do and whom they serve, from their next click on. Raises UsageError."""
        self._set(id_, role=_role(role), targets=json.dumps(list(targets)))

    def set_name(self, id_: str, name: str) -> None:
        """How they are called. Raises UsageError where nothing is left of it."""
        if not plain(name):
            raise UsageError("a name has at least one letter")
        self._set(id_, name=plain(name)[:80])

    def set_phone(self, id_: str, phone: str | None) -> None:
        """Where their phone rings, as `phone_of` reads it."""
        self._set(id_, phone=phone)

    def disable(self, id_: str, at: float) -> None:
        """Shuts them out at once: no session of theirs is valid any more."""
        self._set(id_, disabled=at, presence="away", presence_at=at)

    def enable(self, id_: str) -> None:
        """Lets them in again."""
        self._set(id_, disabled=None)

    def set_presence(self, id_: str, presence: str, at: float) -> None:
        """What they can do now: available, away, busy or wrap_up."""
        with self.database.write() as connection:
            set_presence_in(connection, id_, presence, at)

    def choose_presence(self, id_: str, presence: str, at: float) -> bool:
        """Their own choice. False while a task rings or is talked to: then the task decides."""
        users = t.users.c
        chosen = update(t.users).where(users.id == id_, users.presence != "busy")
        with self.database.write() as connection:
            return bool(connection.execute(chosen.values(presence=presence, presence_at=at)).rowcount)

    def _set(self, id_: str, **values: Any) -> None:
        with self.database.write() as connection:
            connection.execute(update(t.users).where(t.users.c.id == id_).values(values))


def set_presence_in(connection: Connection, id_: str, presence: str, at: float) -> None:
    """The same in a transaction that changes a task too."""
    connection.execute(update(t.users).where(t.users.c.id == id_).values(presence=presence, presence_at=at))


def _role(role: str) -> str:
    if role not in ROLES:
        raise UsageError(f"'{role[:20]}' is no role; choose one of {', '.join(ROLES)}")
    return role
