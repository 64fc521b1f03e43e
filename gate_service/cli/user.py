"""`gate user add NAME --role ROLE`: the password is asked for twice on the terminal, or is one line of stdin."""

from __future__ import annotations

import getpass
import sys
from pathlib import Path

from gate_service.domain.errors import AccountError


def run(directory: Path, *, name: str, role: str, password_stdin: bool, url: str = "") -> int:
    """Make the account. 0 when done; refusals are AccountError."""
    password = _password(from_stdin=password_stdin)
    from gate_service.cli.account_request import request

    made = request(directory, {"do": "add_user", "name": name, "role": role, "password": password}, url)
    sys.stdout.write(f"{made['name']}: {made['role']}\n")
    return 0


def _password(*, from_stdin: bool) -> str:
    if from_stdin:
        return sys.stdin.readline().rstrip("\r\n")
    if not sys.stdin.isatty():
        raise AccountError("password: a terminal or --password-stdin expected")
    first = getpass.getpass("password: ")
    if getpass.getpass("again: ") != first:
        raise AccountError("password: the same twice expected")
    return first
