"""People whom an OpenID Connect provider proves: their accounts, which no password opens."""

from __future__ import annotations

import re
from typing import Final

from sqlalchemy import Connection, insert, select

from gate_service.domain.errors import OutsideSignInError
from sync.accounts import NAME, Accounts, insert_user
from sync.columns import to_us
from sync.oidc import Identity
from sync.people_tables import outside_identities, users

NO_PASSWORD: Final = "!"  # noqa: S105 - the mark of an account that no password opens
BY: Final = "provider"


async def account_of(accounts: Accounts, identity: Identity) -> str:
    """The name of the account of somebody whom the provider proved, made or brought up to date.

    An account that exists with the same name and another origin is never taken over: OutsideSignInError, as for a
    disabled one.
    """
    found = await accounts.database.read(lambda connection: _linked(connection, identity))
    if found is None:
        return await _make(accounts, identity)
    name, role, is_disabled = found
    if is_disabled:
        raise OutsideSignInError(f"account {name!r}: an enabled one expected")
    if role != identity.role.value:
        await accounts.change_role(name, identity.role, BY)
    return name


async def _make(accounts: Accounts, identity: Identity) -> str:
    name = re.sub(r"[^a-z0-9._-]", "-", identity.name.split("@")[0].casefold()).lstrip("._-")[:64]
    if NAME.fullmatch(name) is None:
        raise OutsideSignInError(f"provider: a name of letters and digits expected, found {identity.name!r}"[:200])
    now_us = to_us(accounts.clock.now())
    account = {
        "name": name,
        "role": identity.role.value,
        "password_hash": NO_PASSWORD,
        "created_at_us": now_us,
        "password_changed_at_us": now_us,
    }
    link = {"issuer": identity.issuer, "subject": identity.subject, "user": name, "linked_at_us": now_us}

    def make(connection: Connection) -> None:
        if connection.execute(select(users.c.name).where(users.c.name == name)).first() is not None:
            raise OutsideSignInError(f"account {name!r}: exists already and is not this person's; ask an administrator")
        insert_user(connection, account)
        connection.execute(insert(outside_identities).values(**link)).close()

    await accounts.database.write(make)
    await accounts.record("user_added", BY, {"name": name, "role": account["role"], "issuer": identity.issuer})
    return name


def _linked(connection: Connection, identity: Identity) -> tuple[str, str, bool] | None:
    is_theirs = (outside_identities.c.issuer == identity.issuer) & (outside_identities.c.subject == identity.subject)
    row = connection.execute(
        select(users.c.name, users.c.role, users.c.is_disabled)
        .join(outside_identities, outside_identities.c.user == users.c.name)
        .where(is_theirs)
    ).one_or_none()
    return None if row is None else (row.name, row.role, bool(row.is_disabled))
