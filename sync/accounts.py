"""Local accounts: people, their sessions, and signing in. Tokens and one-time links: `tokens`.

Secrets are stored as hashes only. Every change that can end somebody's access raises `changes`, so that open
connections look again at once.
"""

from __future__ import annotations

import asyncio
import hashlib
import re
import secrets
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy import Connection, Row, func, insert, select, update

from gate_service.domain.commands import Actor, ActorKind, Role, Scope
from gate_service.domain.errors import (
    AccountError,
    NotFoundError,
    SecondFactorNeededError,
    SignInRefusedError,
    TooManyAttemptsError,
)
from gate_service.domain.ports import Clock
from sync.columns import from_us, to_us
from sync.database import Database
from sync.hashes import hash_of
from sync.passwords import Passwords, check_new
from sync.people_tables import second_factors, sessions, users
from sync.second_factors import Purpose, SecondFactors
from sync.throttle import Throttle, lock_s

NAME: Final = re.compile(r"[a-z0-9][a-z0-9._-]{0,63}")
SESSION_IDLE: Final = timedelta(hours=4)  # site decision: a terminal that only watches at night must go on watching
SESSION_LONGEST: Final = timedelta(hours=12)  # one shift
SEEN_EVERY: Final = timedelta(seconds=60)  # how exactly the last use is kept; each keeping is a commit
ACTED_EVERY: Final = timedelta(seconds=30)  # how exactly the idle lock counts

Record = Callable[[str, str, Mapping[str, Any]], Awaitable[None]]
"""`record(kind, actor, facts)`: puts one fact about accounts into the audit."""


@dataclass(frozen=True, slots=True)
class Caller:
    """Somebody who proved who they are: by a session (`scopes` empty) or by a token (`role` is device).

    `lanes` empty is every lane. `csrf_token` belongs to a session. `proof_hash` names the session or token, never
    opens it.
    """

    actor: Actor
    proof_hash: str
    scopes: frozenset[Scope] = frozenset()
    lanes: frozenset[str] = frozenset()
    csrf_token: str | None = None
    ends_at: datetime | None = None
    acted_at: datetime | None = None  # of a session: when its person last did something; None while it is locked
    has_second_factor: bool = False

    @property
    def role(self) -> Role | None:
        """The role of a person; None for a token, which has scopes instead."""
        return self.actor.role if self.actor.kind is ActorKind.USER else None


def csrf_of(session: str) -> str:
    """The CSRF token of a session: derived, so that it needs no second secret, and useless without the cookie."""
    return hashlib.sha256(b"csrf:" + session.encode()).hexdigest()


class Accounts:
    """People and sessions over the database."""

    def __init__(self, database: Database, clock: Clock, record: Record, passwords: Passwords | None = None) -> None:
        self.database = database
        self.clock = clock
        self.record = record
        self.changes = 0
        self._passwords = passwords or Passwords()
        self._throttle = Throttle()
        self.factors = SecondFactors(database, clock, record)

    async def has_users(self) -> bool:
        """Whether anybody could sign in at all: an enabled account exists."""
        return await self.database.read(_count_enabled) > 0

    async def users(self) -> list[dict[str, Any]]:
        """All accounts by name, without their hashes."""
        rows = await self.database.read(lambda c: c.execute(select(users).order_by(users.c.name)).all())
        return [
            {
                "name": row.name,
                "role": row.role,
                "is_disabled": row.is_disabled,
                "created_at": from_us(row.created_at_us).isoformat(),
            }
            for row in rows
        ]

    async def add_user(self, name: str, role: Role, password: str, by: str) -> None:
        """Make an account. Raises AccountError for a name that is taken or malformed, or a weak password."""
        row = await self.new_user_row(name, role, password)
        await self.database.write(lambda connection: insert_user(connection, row))
        await self.record("user_added", by, {"name": name, "role": role.value})

    async def new_user_row(self, name: str, role: Role, password: str) -> dict[str, Any]:
        """Check and hash, away from the database."""
        if NAME.fullmatch(name) is None:
            raise AccountError(f"name: 1 to 64 of a-z 0-9 . _ - expected, a letter or digit first, found {name!r}")
        check_new(name, password)
        now_us = to_us(self.clock.now())
        hashed = await self._passwords.hash(password)
        return {
            "name": name,
            "role": role.value,
            "password_hash": hashed,
            "created_at_us": now_us,
            "password_changed_at_us": now_us,
        }

    async def disable_user(self, name: str, by: str) -> None:
        """Disable an account and end its sessions, at once. Raises NotFoundError."""
        await self._change_user(name, is_disabled=True)
        await self.record("user_disabled", by, {"name": name})

    async def enable_user(self, name: str, by: str) -> None:
        """Enable an account again and forget its failures. Raises NotFoundError."""
        await self._change_user(name, is_disabled=False, failed_sign_ins=0, locked_until_us=None)
        await self.record("user_enabled", by, {"name": name})

    async def change_role(self, name: str, role: Role, by: str) -> None:
        """Change what somebody is; their sessions end. Raises NotFoundError."""
        await self._change_user(name, role=role.value)
        await self.record("user_role_changed", by, {"name": name, "role": role.value})

    async def set_password(self, name: str, password: str, by: str, keep: Caller | None = None) -> None:
        """Set a new password; all sessions but `keep` end. Raises AccountError, NotFoundError."""
        check_new(name, password)
        hashed = await self._passwords.hash(password)
        now_us = to_us(self.clock.now())
        await self._change_user(
            name, keep, password_hash=hashed, password_changed_at_us=now_us, failed_sign_ins=0, locked_until_us=None
        )
        await self.record("password_changed", by, {"name": name})

    async def _change_user(self, name: str, keep: Caller | None = None, **values: Any) -> None:
        """Change an account and end its sessions, at once. Raises NotFoundError."""
        now_us = to_us(self.clock.now())

        def change(connection: Connection) -> None:
            found = connection.execute(update(users).where(users.c.name == name).values(**values))
            if found.rowcount == 0:
                raise NotFoundError(f"user {name!r}: no such account")
            _end_sessions(connection, name, now_us, "" if keep is None else keep.proof_hash)

        await self.database.write(change)
        self.changes += 1

    async def sign_in(
        self, name: str, password: str, address: str, code: str | None = None, *, instead_of: Caller | None = None
    ) -> tuple[str, Caller]:
        """Open a session; returns its secret (for the cookie) and who it is. `instead_of` ends: a quick switch.

        Raises SignInRefusedError, SecondFactorNeededError where a code must come with the password, or
        TooManyAttemptsError while the name or the address is locked.
        """
        name = (await self.prove(name, password, address, code)).name
        if instead_of is not None:
            await self.sign_out(instead_of)
        return await self.open_session(name, address)

    async def open_session(self, name: str, address: str, how: str = "password") -> tuple[str, Caller]:
        """A session of somebody who has been proved. Raises SignInRefusedError for a disabled account."""
        secret = secrets.token_urlsafe(32)
        await self.database.write(lambda connection: _open_session(connection, name, secret, to_us(self.clock.now())))
        await self.record("sign_in", f"user:{name}", {"address": address, "how": how})
        caller = await self.session(secret)
        if caller is None:  # disabled between the two transactions
            raise SignInRefusedError("sign-in: an enabled account expected")
        return secret, caller

    async def prove(self, name: str, password: str, address: str, code: str | None = None) -> Actor:
        """Say whose name and password these are, without a session: the second person at somebody else's terminal.

        Raises as `sign_in`; failures count alike.
        """
        name, row = await self._unlocked(name, address)
        fits = await self._passwords.verify(password, None if row is None else row.password_hash)
        if row is None or not fits or row.is_disabled:
            await self._failed(row, name, address)
            raise SignInRefusedError("sign-in: name and password that belong together expected")
        if await self.factors.has(name, Purpose.SIGN_IN):
            if code is None:
                raise SecondFactorNeededError("sign-in: the code of this person's device expected too")
            if not await self.factors.spend(name, Purpose.SIGN_IN, code):
                await self._failed(row, name, address)
                raise SignInRefusedError("sign-in: the device's present code, or an unused recovery code, expected")
        return Actor(row.name, Role(row.role), ActorKind.USER)

    async def prove_by_code(self, name: str, code: str, number: str, address: str) -> Actor:
        """Say who gave this approval code, by time or made for request `number`. Raises as `prove`."""
        name, row = await self._unlocked(name, address)
        fits = await self.factors.spend(name, Purpose.APPROVAL, code, number)
        if row is None or not fits or row.is_disabled:
            await self._failed(row, name, address)
            raise SignInRefusedError("approval: an unused code of this person's approval key expected")
        return Actor(row.name, Role(row.role), ActorKind.USER)

    async def _unlocked(self, name: str, address: str) -> tuple[str, Row[Any] | None]:
        name = name.strip().casefold()
        row = await self.database.read(lambda c: c.execute(select(users).where(users.c.name == name)).one_or_none())
        self._refuse_locked(row, name, address, self.clock.now())
        return name, row

    async def session(self, secret: str) -> Caller | None:
        """Who holds this session secret; None when it is unknown, ended, too old, or its account disabled."""
        id_hash = hash_of(secret)
        row = await self.database.read(lambda connection: _find_session(connection, id_hash))
        now = self.clock.now()
        if row is None or now >= (ends_at := _ends_at(row)):
            return None
        if now - from_us(row.last_seen_at_us) >= SEEN_EVERY:
            await self.database.write(lambda connection: _touch(connection, id_hash, to_us(now)))
        actor = Actor(row.name, Role(row.role), ActorKind.USER)
        acted_at = None if row.locked_at_us is not None else from_us(row.acted_at_us or row.created_at_us)
        return Caller(
            actor,
            id_hash,
            csrf_token=csrf_of(secret),
            ends_at=ends_at,
            acted_at=acted_at,
            has_second_factor=row.second_factor_us is not None,
        )

    async def is_session_open(self, caller: Caller) -> bool:
        """Whether a session found before still stands; does not count as its use."""
        row = await self.database.read(lambda connection: _find_session(connection, caller.proof_hash))
        return row is not None and self.clock.now() < _ends_at(row)

    async def acted(self, caller: Caller) -> None:
        """Its person did something: the idle lock counts from now. Kept about every half minute."""
        now = self.clock.now()
        if caller.acted_at is None or now - caller.acted_at >= ACTED_EVERY:
            await self._set_session(caller, acted_at_us=to_us(now))

    async def lock(self, caller: Caller) -> None:
        """Lock a session: it goes on watching and does nothing until its person proves themselves again."""
        await self._set_session(caller, locked_at_us=to_us(self.clock.now()))
        await self.record("session_locked", caller.actor.label, {})

    async def unlock(self, caller: Caller, password: str, code: str | None, address: str) -> None:
        """Its own person takes it up again. Raises as `prove`."""
        await self.prove(caller.actor.name, password, address, code)
        await self._set_session(caller, acted_at_us=to_us(self.clock.now()), locked_at_us=None)
        await self.record("session_unlocked", caller.actor.label, {"address": address})

    async def _set_session(self, caller: Caller, **values: Any) -> None:
        change = update(sessions).where(sessions.c.id_hash == caller.proof_hash).values(**values)
        await self.database.write(lambda connection: connection.execute(change).close())

    async def sign_out(self, caller: Caller) -> None:
        """End one session."""
        now_us = to_us(self.clock.now())
        ended = update(sessions).where(sessions.c.id_hash == caller.proof_hash).values(ended_at_us=now_us)
        await self.database.write(lambda connection: connection.execute(ended).close())
        self.changes += 1
        await self.record("sign_out", caller.actor.label, {})

    def refuse_guessing(self, address: str) -> None:
        """Raise TooManyAttemptsError where an address failed too often; for secrets that are not passwords."""
        self._refuse_locked(None, "", address, self.clock.now())

    def guessed_wrong(self, address: str) -> None:
        """Count a failure of an address."""
        self._throttle.failed(address, None, self.clock.now())

    def _refuse_locked(self, row: Row[Any] | None, name: str, address: str, now: datetime) -> None:
        wait_s = self._throttle.wait_s(address, name, now)
        if row is not None and row.locked_until_us is not None:
            wait_s = max(wait_s, int((from_us(row.locked_until_us) - now).total_seconds() + 0.999))
        if wait_s > 0:
            raise TooManyAttemptsError(f"sign-in: locked after failures, try again in {wait_s} s", wait_s)

    async def _failed(self, row: Row[Any] | None, name: str, address: str) -> None:
        """Count and record a failure; the record keeps unknown names out (people type passwords there)."""
        now = self.clock.now()
        self._throttle.failed(address, name if row is None else None, now)
        if row is not None:
            await self.database.write(lambda connection: _count_failure(connection, name, now))
        facts = {"name": None if row is None else name, "address": address}
        await self.record("sign_in_failed", "service", facts)


def insert_user(connection: Connection, row: Mapping[str, Any]) -> None:
    """Put an account in. Raises AccountError where the name is taken."""
    if connection.execute(select(users.c.name).where(users.c.name == row["name"])).first() is not None:
        raise AccountError(f"name: one that is free expected, {row['name']!r} is taken")
    connection.execute(insert(users).values(**row)).close()


def _count_enabled(connection: Connection) -> int:
    return connection.execute(select(func.count()).select_from(users).where(~users.c.is_disabled)).scalar_one()


def _open_session(connection: Connection, name: str, secret: str, now_us: int) -> None:
    connection.execute(
        insert(sessions).values(
            id_hash=hash_of(secret),
            user=name,
            csrf_hash=hash_of(csrf_of(secret)),
            created_at_us=now_us,
            last_seen_at_us=now_us,
        )
    ).close()
    cleared = update(users).where(users.c.name == name).values(failed_sign_ins=0, locked_until_us=None)
    connection.execute(cleared).close()


def _find_session(connection: Connection, id_hash: str) -> Any:
    """The open session of an enabled account."""
    factor = (second_factors.c.user == users.c.name) & (second_factors.c.purpose == Purpose.SIGN_IN.value)
    return connection.execute(
        select(
            sessions.c.created_at_us,
            sessions.c.last_seen_at_us,
            sessions.c.acted_at_us,
            sessions.c.locked_at_us,
            users.c.name,
            users.c.role,
            second_factors.c.confirmed_at_us.label("second_factor_us"),
        )
        .join(users, users.c.name == sessions.c.user)
        .outerjoin(second_factors, factor)
        .where(sessions.c.id_hash == id_hash, sessions.c.ended_at_us.is_(None), ~users.c.is_disabled)
    ).one_or_none()


def _ends_at(row: Row[Any]) -> datetime:
    return min(from_us(row.last_seen_at_us) + SESSION_IDLE, from_us(row.created_at_us) + SESSION_LONGEST)


def _touch(connection: Connection, id_hash: str, now_us: int) -> None:
    seen = update(sessions).where(sessions.c.id_hash == id_hash).values(last_seen_at_us=now_us)
    connection.execute(seen).close()


def _end_sessions(connection: Connection, name: str, now_us: int, but: str) -> None:
    is_open = (sessions.c.user == name) & sessions.c.ended_at_us.is_(None) & (sessions.c.id_hash != but)
    connection.execute(update(sessions).where(is_open).values(ended_at_us=now_us)).close()


def _count_failure(connection: Connection, name: str, now: datetime) -> None:
    failures = connection.execute(select(users.c.failed_sign_ins).where(users.c.name == name)).scalar_one() + 1
    wait_s = lock_s(failures)
    locked = to_us(now + timedelta(seconds=wait_s)) if wait_s else None
    values = {"failed_sign_ins": failures, "locked_until_us": locked}
    connection.execute(update(users).where(users.c.name == name).values(**values)).close()


async def no_record(kind: str, actor: str, facts: Mapping[str, Any]) -> None:  # noqa: ARG001
    """For tests that look at something else."""
    await asyncio.sleep(0)
