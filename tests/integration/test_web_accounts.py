"""Accounts over a real database, and the two verbs: beside a running service and alone."""

from __future__ import annotations

import asyncio
import json
import os
import stat
import sys
from datetime import timedelta
from pathlib import Path

import pytest

from gate_service.cli.token import run as add_token
from gate_service.domain.commands import Role, Scope
from gate_service.domain.errors import AccountError, NotFoundError, TooManyAttemptsError
from gate_service.web.control import EARLIER_NAME, SOCKET_NAME
from sync.accounts import SESSION_LONGEST, Accounts, no_record
from sync.database import Database, DatabaseSettings
from sync.journal import SqlJournal
from sync.passwords import Passwords
from sync.tokens import Tokens
from tests.fakes.web_gate import FakeClock
from tests.fakes.web_site import PASSWORD, QUICK, serve

EXAMPLE = Path("config/site.example.toml")


async def gate(*words: str, given: str = "") -> tuple[int, str, str]:
    """Run the real command; status, output, errors."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "gate_service", *words,
        stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
    )  # fmt: skip
    output, errors = await asyncio.wait_for(process.communicate(given.encode()), 60)
    assert process.returncode is not None
    return process.returncode, output.decode(), errors.decode()


async def test_the_verbs_ask_the_running_service_and_its_record_names_who(tmp_path: Path) -> None:
    async with serve(tmp_path) as site:
        data = ("--data", str(tmp_path))
        done = await gate("user", "add", "ann", "--role", "operator", *data, "--password-stdin", given=PASSWORD + "\n")
        assert done == (0, "ann: operator\n", "")
        status, token, _ = await gate("token", "add", "scanner", "--scope", "scan", "--lane", "in-d1", *data)
        assert status == 0
        async with site.client() as client:
            answer = await client.post("/api/v1/session", json={"name": "ann", "password": PASSWORD})
            assert answer.status_code == 200
            headers = {"authorization": f"Bearer {token.strip()}"}
            scanned = await client.post("/api/v1/lanes/in-d1/scan", json={"code": "Z1"}, headers=headers)
            assert scanned.status_code == 200
        assert site.recorded[0] == ("user_added", f"system:uid-{os.getuid()}", {"name": "ann", "role": "operator"})
        again = await gate("user", "add", "ann", "--role", "operator", *data, "--password-stdin", given=PASSWORD)
        assert again[0] == 2
        assert "taken" in again[2]


async def test_a_token_is_bound_to_lanes_that_there_are(tmp_path: Path) -> None:
    words = ("token", "add", "scanner", "--scope", "scan", "--lane")
    async with serve(tmp_path):
        status, _, said = await gate(*words, "in-d9", "--data", str(tmp_path))
        assert (status, "in-d1" in said, "'in-d9'" in said) == (2, True, True)
    with pytest.raises(AccountError, match=r"one of .* expected, found 'in-d9'"):
        add_token(tmp_path, name="scanner", scope="scan", lanes=["in-d9"], config=EXAMPLE)
    with pytest.raises(AccountError, match="letters, digits, _ and - expected"):
        await asyncio.to_thread(add_token, tmp_path, name="scanner", scope="scan", lanes=["no lane"])


async def test_only_the_owner_of_the_data_can_open_the_control_socket(tmp_path: Path) -> None:
    async with serve(tmp_path):
        mode = stat.S_IMODE((tmp_path / SOCKET_NAME).stat().st_mode)
        assert mode == 0o600
    assert not (tmp_path / SOCKET_NAME).exists()


async def test_the_control_socket_answers_nonsense_with_an_error(tmp_path: Path) -> None:
    path = f"{os.path.relpath(tmp_path)}/{SOCKET_NAME}"  # noqa: ASYNC240 - no file is touched
    async with serve(tmp_path):
        for line in (b"\n", b"[]\n", b"{}\n", b"\xff\n", b'{"do":"add_user","name":1}\n', b"x" * 10_000):
            reader, writer = await asyncio.open_unix_connection(path)
            writer.write(line)
            writer.write_eof()
            answer = await reader.read()
            assert answer == b"" or "error" in json.loads(answer), line
            writer.close()
            await writer.wait_closed()


async def test_accounts_made_before_the_first_start_are_recorded_at_it(tmp_path: Path) -> None:
    arguments = ("user", "add", "ann", "--role", "administrator", "--data", str(tmp_path), "--password-stdin")
    assert (await gate(*arguments, given=PASSWORD + "\n"))[0] == 0
    async with serve(tmp_path) as site:
        assert [kind for kind, _, _ in site.recorded] == ["user_added"]
        assert await site.server.first_link() is None
    assert not (tmp_path / EARLIER_NAME).exists()


async def test_accounts_made_while_the_service_rests_go_into_its_record(tmp_path: Path) -> None:
    async with Database(DatabaseSettings(tmp_path, reserve_bytes=0)) as database, SqlJournal(database, "K1"):
        pass
    assert (await gate("token", "add", "reader", "--scope", "read", "--data", str(tmp_path)))[0] == 0
    async with (
        Database(DatabaseSettings(tmp_path, reserve_bytes=0)) as database,
        SqlJournal(database, "K1") as journal,
    ):
        [record] = await journal.records()
        assert (record.kind, record.actor) == ("token_added", f"system:uid-{os.getuid()}")


@pytest.mark.parametrize(
    ("name", "role", "password"),
    [
        ("Ann Smith", "operator", PASSWORD),
        ("ann", "king", PASSWORD),
        ("ann", "operator", "short"),
        ("ann", "operator", ""),
    ],
)
async def test_an_account_that_is_not_acceptable_is_wrong_use(
    tmp_path: Path, name: str, role: str, password: str
) -> None:
    arguments = ("user", "add", name, "--role", role, "--data", str(tmp_path), "--password-stdin")
    status, _, errors = await gate(*arguments, given=password)
    assert status == 2
    assert "expected" in errors
    assert "Traceback" not in errors


async def test_a_session_ends_with_its_shift_and_a_lock_with_its_time(tmp_path: Path) -> None:
    clock = FakeClock()
    async with Database(DatabaseSettings(tmp_path, reserve_bytes=0)) as database:
        accounts = Accounts(database, clock, no_record, Passwords(QUICK))
        await accounts.add_user("ann", Role.OPERATOR, PASSWORD, "service")
        secret, caller = await accounts.sign_in(" Ann ", PASSWORD, "here")
        assert caller.actor.role is Role.OPERATOR
        for _ in range(11):
            clock.offset += timedelta(hours=1)
            assert await accounts.session(secret) is not None
        clock.offset += SESSION_LONGEST - timedelta(hours=11)
        assert await accounts.session(secret) is None

        for _ in range(5):
            with pytest.raises(Exception, match="belong together"):
                await accounts.sign_in("ann", "wrong", "here")
        with pytest.raises(TooManyAttemptsError) as locked:
            await accounts.sign_in("ann", PASSWORD, "here")
        clock.offset += timedelta(seconds=locked.value.retry_after_s)
        await accounts.sign_in("ann", PASSWORD, "here")


async def test_names_that_do_not_exist_lock_like_those_that_do(tmp_path: Path) -> None:
    async with Database(DatabaseSettings(tmp_path, reserve_bytes=0)) as database:
        accounts = Accounts(database, FakeClock(), no_record, Passwords(QUICK))
        await accounts.add_user("ann", Role.OPERATOR, PASSWORD, "service")
        found = []
        for name in ("ann", "nobody"):
            for _ in range(6):
                try:
                    await accounts.sign_in(name, "wrong", "here")
                except Exception as error:  # noqa: BLE001 - its kind is what is compared
                    found.append(type(error).__name__)
        assert found[:6] == found[6:]


async def test_secrets_are_nowhere_in_the_database(tmp_path: Path) -> None:
    async with Database(DatabaseSettings(tmp_path, reserve_bytes=0)) as database:
        accounts = Accounts(database, FakeClock(), no_record, Passwords(QUICK))
        tokens = Tokens(accounts)
        link = await tokens.first_link()
        await accounts.add_user("ann", Role.OPERATOR, PASSWORD, "service")
        session, caller = await accounts.sign_in("ann", PASSWORD, "here")
        token = await tokens.add_token("reader", [Scope.READ], [], "service")
        with pytest.raises(AccountError, match="exists"):
            await tokens.add_token("reader", [Scope.READ], [], "service")
        with pytest.raises(NotFoundError):
            await tokens.disable_token("none", "service")
    stored = b"".join(path.read_bytes() for path in tmp_path.iterdir() if path.is_file())  # noqa: ASYNC240
    for secret in (link, PASSWORD, session, token, caller.csrf_token):
        assert secret is not None
        assert secret.encode() not in stored
