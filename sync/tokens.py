"""Tokens of devices and programs, and the one-time link that makes the first administrator. Hashes only are stored."""

from __future__ import annotations

import json
import secrets
from collections.abc import Sequence
from datetime import timedelta
from typing import Any, Final

from sqlalchemy import Connection, insert, select, update

from gate_service.domain.commands import Actor, ActorKind, Role, Scope
from gate_service.domain.errors import AccountError, NotFoundError, SignInRefusedError
from sync.accounts import NAME, Accounts, Caller, insert_user
from sync.columns import from_us, to_us
from sync.hashes import hash_of
from sync.people_tables import one_time_links, tokens, users

PREFIX: Final = "gate_"  # so that a leaked token is recognised by those who scan for them
FIRST_LINK_LASTS: Final = timedelta(hours=24)
FIRST_LINK: Final = "first_administrator"


class Tokens:
    """Scoped secrets over the accounts' database."""

    def __init__(self, accounts: Accounts) -> None:
        self._accounts = accounts
        self._database = accounts.database
        self._clock = accounts.clock

    async def add_token(self, name: str, scopes: Sequence[Scope], lanes: Sequence[str], by: str) -> str:
        """Make a token and return it: the only time it is seen. `lanes` empty is every lane. Raises AccountError."""
        if NAME.fullmatch(name) is None:
            raise AccountError(f"name: 1 to 64 of a-z 0-9 . _ - expected, a letter or digit first, found {name!r}")
        if not scopes:
            raise AccountError(f"scope: at least one of {', '.join(Scope)} expected, found none")
        secret = PREFIX + secrets.token_urlsafe(32)
        row = {
            "name": name,
            "scope": ",".join(sorted({scope.value for scope in scopes})),
            "hash": hash_of(secret),
            "lanes": json.dumps(sorted(set(lanes))).encode() if lanes else None,
            "created_at_us": to_us(self._clock.now()),
        }

        def add(connection: Connection) -> None:
            if connection.execute(select(tokens.c.name).where(tokens.c.name == name)).first() is not None:
                raise AccountError(f"name: one that is free expected, token {name!r} exists (revoked ones keep theirs)")
            connection.execute(insert(tokens).values(**row)).close()

        await self._database.write(add)
        facts = {"name": name, "scope": row["scope"], "lanes": sorted(set(lanes))}
        await self._accounts.record("token_added", by, facts)
        return secret

    async def token(self, secret: str) -> Caller | None:
        """Who holds this token; None when it is unknown or revoked."""
        row = await self._find(hash_of(secret))
        if row is None:
            return None
        scopes = frozenset(Scope(scope) for scope in row.scope.split(","))
        lanes = frozenset(json.loads(row.lanes)) if row.lanes is not None else frozenset()
        return Caller(Actor(row.name, Role.DEVICE, ActorKind.TOKEN), row.hash, scopes, lanes)

    async def is_token_open(self, caller: Caller) -> bool:
        """Whether a token found before is not revoked since."""
        return await self._find(caller.proof_hash) is not None

    async def _find(self, token_hash: str) -> Any:
        wanted = (tokens.c.hash == token_hash) & tokens.c.revoked_at_us.is_(None)
        return await self._database.read(lambda c: c.execute(select(tokens).where(wanted)).one_or_none())

    async def tokens(self) -> list[dict[str, Any]]:
        """All tokens by name, without their hashes."""
        rows = await self._database.read(lambda c: c.execute(select(tokens).order_by(tokens.c.name)).all())
        return [
            {
                "name": row.name,
                "scopes": row.scope.split(","),
                "lanes": json.loads(row.lanes) if row.lanes is not None else [],
                "is_disabled": row.revoked_at_us is not None,
                "created_at": from_us(row.created_at_us).isoformat(),
            }
            for row in rows
        ]

    async def disable_token(self, name: str, by: str) -> None:
        """Revoke a token, at once and for good. Raises NotFoundError."""
        now_us = to_us(self._clock.now())

        def revoke(connection: Connection) -> None:
            found = connection.execute(update(tokens).where(tokens.c.name == name).values(revoked_at_us=now_us))
            if found.rowcount == 0:
                raise NotFoundError(f"token {name!r}: no such token")

        await self._database.write(revoke)
        self._accounts.changes += 1
        await self._accounts.record("token_revoked", by, {"name": name})

    async def first_link(self) -> str | None:
        """A new code for the first administrator, in place of any older one; None once there is an account."""
        secret = secrets.token_urlsafe(32)
        now = self._clock.now()

        def make(connection: Connection) -> bool:
            if connection.execute(select(users.c.name)).first() is not None:
                return False
            is_open = (one_time_links.c.purpose == FIRST_LINK) & one_time_links.c.used_at_us.is_(None)
            connection.execute(update(one_time_links).where(is_open).values(expires_at_us=to_us(now))).close()
            row = {
                "hash": hash_of(secret),
                "purpose": FIRST_LINK,
                "created_at_us": to_us(now),
                "expires_at_us": to_us(now + FIRST_LINK_LASTS),
            }
            connection.execute(insert(one_time_links).values(**row)).close()
            return True

        return secret if await self._database.write(make) else None

    async def first_administrator(self, code: str, name: str, password: str, address: str) -> None:
        """Turn the one-time code into the first administrator. Raises SignInRefusedError, TooManyAttemptsError."""
        self._accounts.refuse_guessing(address)
        row = await self._accounts.new_user_row(name, Role.ADMINISTRATOR, password)
        now_us = to_us(self._clock.now())
        wanted = (
            (one_time_links.c.hash == hash_of(code))
            & (one_time_links.c.purpose == FIRST_LINK)
            & one_time_links.c.used_at_us.is_(None)
            & (one_time_links.c.expires_at_us > now_us)
        )

        def make(connection: Connection) -> bool:
            if connection.execute(select(users.c.name)).first() is not None:
                return False
            used = connection.execute(update(one_time_links).where(wanted).values(used_at_us=now_us, user=name))
            if used.rowcount != 1:
                return False
            insert_user(connection, row)
            return True

        if not await self._database.write(make):
            self._accounts.guessed_wrong(address)
            raise SignInRefusedError("one-time link: the newest one of a site without accounts expected")
        await self._accounts.record("user_added", "service", {"name": name, "role": row["role"], "by": "one-time link"})
