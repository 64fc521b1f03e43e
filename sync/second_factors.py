"""Second factors of people: codes at sign-in with recovery codes, and the key for approvals without a line.

No code counts twice: the newest time step is kept, and a code made for a request ends with the request.
"""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime
from enum import StrEnum
from typing import Any, Final

from sqlalchemy import Connection

from gate_service.domain.errors import AccountError
from gate_service.domain.ports import Clock
from sync import one_time_codes
from sync.columns import to_us
from sync.database import Database
from sync.hashes import hash_of
from sync.sealing import Sealing
from sync.statements import run, run_many, scalar

RECOVERY_CODES: Final = 8  # site decision: a set fits on a card
RECOVERY_ALPHABET: Final = "23456789abcdefghjkmnpqrstvwxyz"  # without what is mistaken for something else
RECOVERY_LENGTH: Final = 12  # 58 bits: behind the same lock-out as passwords

KEEP: Final = (
    'INSERT INTO second_factors ("user", purpose, sealed, created_at_us, last_step) VALUES (?, ?, ?, ?, 0)'
    ' ON CONFLICT ("user", purpose) DO UPDATE SET sealed = excluded.sealed, created_at_us = excluded.created_at_us,'
    " last_step = 0 WHERE second_factors.confirmed_at_us IS NULL"
)
FIND: Final = 'SELECT sealed, confirmed_at_us, last_step FROM second_factors WHERE "user" = ? AND purpose = ?'
SPEND: Final = 'UPDATE second_factors SET last_step = ? WHERE "user" = ? AND purpose = ? AND last_step < ?'
CONFIRM: Final = (
    'UPDATE second_factors SET confirmed_at_us = ?, last_step = ? WHERE "user" = ? AND purpose = ?'
    " AND confirmed_at_us IS NULL"
)
SPEND_RECOVERY: Final = 'UPDATE recovery_codes SET used_at_us = ? WHERE hash = ? AND "user" = ? AND used_at_us IS NULL'

Record = Callable[[str, str, Mapping[str, Any]], Awaitable[None]]


class Purpose(StrEnum):
    """What a factor is for. They are kept apart: an approval code read out over the phone opens no session."""

    SIGN_IN = "sign_in"
    APPROVAL = "approval"


class SecondFactors:
    """Over the accounts' database. Who asks and how often is the business of `accounts`."""

    def __init__(self, database: Database, clock: Clock, record: Record) -> None:
        self._database = database
        self._clock = clock
        self._record = record
        self._sealing = Sealing(database.settings.directory)

    async def status(self, name: str) -> dict[str, Any]:
        """Which factors somebody has, and how many recovery codes are left."""

        def read(connection: Connection) -> dict[str, Any]:
            sql = 'SELECT purpose FROM second_factors WHERE "user" = ? AND confirmed_at_us IS NOT NULL'
            kept = {row[0] for row in run(connection, sql, (name,))}
            left = 'SELECT count(*) FROM recovery_codes WHERE "user" = ? AND used_at_us IS NULL'
            counts = {purpose.value: purpose.value in kept for purpose in Purpose}
            return {**counts, "recovery_left": int(scalar(connection, left, (name,)))}

        return await self._database.read(read)

    async def begin(self, name: str, purpose: Purpose, issuer: str) -> dict[str, str]:
        """A new secret to put into a device; it counts once its first code was right. Raises AccountError."""
        secret = secrets.token_bytes(one_time_codes.SECRET_BYTES)
        sealed = await asyncio.to_thread(self._sealing.seal, secret, f"{name}/{purpose}")
        now_us = to_us(self._clock.now())

        def keep(connection: Connection) -> None:
            if run(connection, KEEP, (name, purpose.value, sealed, now_us)).rowcount == 0:
                raise AccountError(f"{purpose} factor of {name!r}: none expected, remove the present one first")

        await self._database.write(keep)
        label = f"{issuer} {purpose.value}" if purpose is Purpose.APPROVAL else issuer
        return {"secret": one_time_codes.spelled(secret), "uri": one_time_codes.address(secret, label, name)}

    async def confirm(self, name: str, purpose: Purpose, code: str) -> list[str]:
        """The first code of a new device; answers the recovery codes, once (none for approvals). AccountError."""
        secret, is_confirmed, _ = await self._find(name, purpose)
        if secret is None or is_confirmed:
            raise AccountError("code: a factor that was begun and not confirmed expected")
        now = self._clock.now()
        step = one_time_codes.matching_step(secret, code, now, 0)
        if step is None:
            raise AccountError("code: the one that the device shows now expected; is its clock right?")
        made = [_recovery_code() for _ in range(RECOVERY_CODES)] if purpose is Purpose.SIGN_IN else []

        def keep(connection: Connection) -> None:
            if run(connection, CONFIRM, (to_us(now), step, name, purpose.value)).rowcount == 0:
                raise AccountError("code: a factor that is not confirmed yet expected")
            _replace_recovery(connection, name, made, to_us(now))

        await self._database.write(keep)
        await self._record("second_factor_added", f"user:{name}", {"name": name, "purpose": purpose.value})
        return made

    async def remove(self, name: str, by: str, purpose: Purpose | None = None) -> None:
        """Forget one factor, or all of them: a lost device."""
        purposes = [purpose.value] if purpose else [one.value for one in Purpose]

        def forget(connection: Connection) -> None:
            for one in purposes:
                run(connection, 'DELETE FROM second_factors WHERE "user" = ? AND purpose = ?', (name, one))
            if Purpose.SIGN_IN in purposes:
                run(connection, 'DELETE FROM recovery_codes WHERE "user" = ?', (name,))

        await self._database.write(forget)
        await self._record("second_factor_removed", by, {"name": name, "purposes": purposes})

    async def has(self, name: str, purpose: Purpose) -> bool:
        """Whether a confirmed factor is there."""
        _, is_confirmed, _ = await self._find(name, purpose)
        return is_confirmed

    async def spend(self, name: str, purpose: Purpose, code: str, number: str | None = None) -> bool:
        """Whether the code is right, and from now on used: by time, a recovery code, or made for request `number`."""
        secret, is_confirmed, last_step = await self._find(name, purpose)
        if secret is None or not is_confirmed:
            return False
        if number is not None and len(code) == one_time_codes.BOUND_DIGITS:
            return secrets.compare_digest(one_time_codes.code_of_request(secret, number), code)
        now = self._clock.now()
        step = one_time_codes.matching_step(secret, code, now, last_step) if code.isdecimal() else None
        if step is not None:
            values = (step, name, purpose.value, step)
            return await self._database.write(lambda connection: run(connection, SPEND, values).rowcount == 1)
        return purpose is Purpose.SIGN_IN and await self._spend_recovery(name, code, now)

    async def _spend_recovery(self, name: str, code: str, now: datetime) -> bool:
        values = (to_us(now), hash_of(_bare(code)), name)
        is_good = await self._database.write(lambda c: run(c, SPEND_RECOVERY, values).rowcount == 1)
        if is_good:
            await self._record("recovery_code_used", f"user:{name}", {"name": name})
        return is_good

    async def _find(self, name: str, purpose: Purpose) -> tuple[bytes | None, bool, int]:
        row = await self._database.read(lambda c: run(c, FIND, (name, purpose.value)).fetchone())
        if row is None:
            return None, False, 0
        secret = await asyncio.to_thread(self._sealing.open, bytes(row[0]), f"{name}/{purpose}")
        return secret, row[1] is not None, int(row[2])


def _recovery_code() -> str:
    text = "".join(secrets.choice(RECOVERY_ALPHABET) for _ in range(RECOVERY_LENGTH))
    return "-".join(text[place : place + 4] for place in range(0, RECOVERY_LENGTH, 4))


def _bare(code: str) -> str:
    return "".join(code.split()).replace("-", "").lower()


def _replace_recovery(connection: Connection, name: str, made: list[str], now_us: int) -> None:
    if made:
        run(connection, 'DELETE FROM recovery_codes WHERE "user" = ?', (name,))
        rows = [(hash_of(_bare(code)), name, now_us) for code in made]
        run_many(connection, 'INSERT INTO recovery_codes (hash, "user", created_at_us) VALUES (?, ?, ?)', rows)
