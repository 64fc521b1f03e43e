"""What the command line asks of the running service: one request over a socket in the data directory.

Only the service may write its database, so `gate user add` and `gate erase` ask it. Whoever may open the socket (mode
0600) is the owner of the data already; nothing else can be asked here.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import re
import socket
import struct
from collections.abc import Awaitable, Callable, Collection, Iterator, Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Self

from pydantic import TypeAdapter, ValidationError

from config.schema import IDENTIFIER
from gate_service.domain.commands import Role, Scope
from gate_service.domain.errors import AccountError, GateError, RecordError
from sync.accounts import Accounts
from sync.tokens import Tokens

SOCKET_NAME: Final = "control.sock"
EARLIER_NAME: Final = "accounts-to-record.jsonl"
LONGEST_LINE: Final = 4096
ANSWER_WITHIN_S: Final = 10.0
PEER: Final = struct.Struct("3i")  # struct ucred of unix(7): pid, uid, gid
ROLE: Final = TypeAdapter(Role)
SCOPES: Final = TypeAdapter(list[Scope])
LANE: Final = re.compile(IDENTIFIER)


Other = Callable[[dict[str, Any], str], Awaitable[dict[str, Any]]]
"""Carries out one request of another verb for who asks; raises GateError."""


async def carry_out(
    accounts: Accounts,
    tokens: Tokens,
    request: dict[str, Any],
    by: str,
    others: Mapping[str, Other] | None = None,
    *,
    site_lanes: Collection[str] | None = None,
) -> dict[str, Any]:
    """Do one request: `{"do": "add_user"|"add_token"|…, ...}`. Raises AccountError, and what the others raise.

    `site_lanes`: the lanes that there are, None where nobody here knows them.
    """
    match request:
        case {"do": "add_user", "name": str(name), "role": str(role), "password": str(password)}:
            await accounts.add_user(name, _one_of(ROLE, role, "role", Role), password, by)
            return {"name": name, "role": role}
        case {"do": "add_token", "name": str(name), "scopes": list(scopes), "lanes": list(lanes)}:
            wanted = _one_of(SCOPES, scopes, "scope", Scope)
            bound = [str(lane) for lane in lanes]
            check_lanes(bound, site_lanes)
            return {"name": name, "token": await tokens.add_token(name, wanted, bound, by)}
        case {"do": str(verb)} if others is not None and verb in others:
            return await others[verb](request, by)
    raise AccountError("control: add_user or add_token with its fields expected")


def check_lanes(lanes: Collection[str], site_lanes: Collection[str] | None) -> None:
    """Raise AccountError for lanes that the site has not; where its lanes are not known, for what can be no lane."""
    for lane in lanes:
        if site_lanes is not None and lane not in site_lanes:
            raise AccountError(f"lane: one of {', '.join(sorted(site_lanes))} expected, found {lane!r}"[:300])
        if LANE.fullmatch(lane) is None:
            raise AccountError(f"lane: 1 to 32 letters, digits, _ and - expected, found {lane!r}"[:300])


def _one_of(adapter: TypeAdapter[Any], value: object, what: str, allowed: type[Role | Scope]) -> Any:
    try:
        return adapter.validate_python(value)
    except ValidationError:
        raise AccountError(f"{what}: one of {', '.join(allowed)} expected, found {value!r}") from None


@contextlib.contextmanager
def _short_path(directory: Path) -> Iterator[str]:
    """The socket's path through an open directory: the kernel takes at most 107 bytes, data directories are longer."""
    opened = os.open(directory, os.O_PATH | os.O_DIRECTORY)
    try:
        yield f"/proc/self/fd/{opened}/{SOCKET_NAME}"
    finally:
        os.close(opened)


class ControlSocket:
    """Listens as long as it is entered. The service holds the directory's lock, so an old socket is nobody's."""

    def __init__(
        self,
        accounts: Accounts,
        tokens: Tokens,
        others: Mapping[str, Other] | None = None,
        site_lanes: Collection[str] | None = None,
    ) -> None:
        self._site_lanes = site_lanes
        self._accounts = accounts
        self._others = others
        self._tokens = tokens
        self._directory = accounts.database.settings.directory
        self._server: asyncio.Server | None = None

    async def __aenter__(self) -> Self:
        await self._record_earlier()
        (self._directory / SOCKET_NAME).unlink(missing_ok=True)
        listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        before = os.umask(0o177)  # from its first moment only the owner can open it
        try:
            with _short_path(self._directory) as path:
                listener.bind(path)
        finally:
            os.umask(before)
        self._server = await asyncio.start_unix_server(self._serve, sock=listener, limit=LONGEST_LINE)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        assert self._server is not None
        self._server.close()
        (self._directory / SOCKET_NAME).unlink(missing_ok=True)

    async def _record_earlier(self) -> None:
        """Put accounts that were made before the record began into it."""
        path = self._directory / EARLIER_NAME
        if not path.exists():
            return
        for line in path.read_text(encoding="utf-8").splitlines():
            earlier = json.loads(line)
            await self._accounts.record(earlier["kind"], earlier["actor"], earlier["facts"])
        path.unlink()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Answer one line."""
        try:
            line = await asyncio.wait_for(reader.readline(), ANSWER_WITHIN_S)
            answer = await self._answer(line, _peer_of(writer))
            writer.write(json.dumps(answer).encode() + b"\n")
            await writer.drain()
        except (TimeoutError, ConnectionError, ValueError):  # ValueError: a line above the limit
            return
        finally:
            writer.close()

    async def _answer(self, line: bytes, by: str) -> dict[str, Any]:
        try:
            request = json.loads(line)
            if not isinstance(request, dict):
                raise AccountError("control: a JSON object expected")
            return await carry_out(self._accounts, self._tokens, request, by, self._others, site_lanes=self._site_lanes)
        except json.JSONDecodeError:
            return {"error": {"code": AccountError.code, "message": "control: a JSON object expected"}}
        except GateError as error:
            return {"error": {"code": error.code, "message": str(error)}}


def _peer_of(writer: asyncio.StreamWriter) -> str:
    """Who asks, as the kernel knows them."""
    opened: socket.socket = writer.get_extra_info("socket")
    _, uid, _ = PEER.unpack(opened.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, PEER.size))
    return f"system:uid-{uid}"


def ask(directory: Path, request: dict[str, Any]) -> dict[str, Any]:
    """Send one request to the service that runs on a data directory.

    Raises RecordError when it does not answer, AccountError with its reason when it refuses.
    """
    try:
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as asking, _short_path(directory) as path:
            asking.settimeout(ANSWER_WITHIN_S)
            asking.connect(path)
            asking.sendall(json.dumps(request).encode() + b"\n")
            with asking.makefile("rb") as answers:
                answer: dict[str, Any] = json.loads(answers.readline())
    except (OSError, ValueError) as error:
        raise RecordError(f"{directory}: another program holds the record and does not answer: {error}") from error
    if "error" in answer:
        raise AccountError(answer["error"]["message"])
    return answer


def keep_for_record(directory: Path) -> Callable[[str, str, Any], Any]:
    """A `record` for accounts made before the record began: kept beside it until the service starts."""

    async def record(kind: str, actor: str, facts: Any) -> None:
        line = json.dumps({"kind": kind, "actor": actor, "facts": dict(facts)}, ensure_ascii=False)
        with (directory / EARLIER_NAME).open("a", encoding="utf-8") as kept:
            kept.write(line + "\n")

    return record
