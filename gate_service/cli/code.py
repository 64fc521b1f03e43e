"""`gate code`: the one-time code of a second person for one request, made on their own machine and without a line."""

from __future__ import annotations

import getpass
import re
import sys
from typing import Final

from gate_service.domain.errors import InputError
from sync.one_time_codes import code_of_request, secret_of

NUMBER: Final = re.compile(r"[0-9]{8}")


def run(number: str, *, from_stdin: bool) -> int:
    """Print the code for a request number; the approval key is asked for, never given on the command line."""
    if NUMBER.fullmatch(number) is None:
        raise InputError(f"request: the eight digits that the terminal shows expected, found {number!r}")
    text = sys.stdin.readline() if from_stdin else getpass.getpass("approval key: ")
    try:
        secret = secret_of(text.strip())
    except ValueError:
        raise InputError("approval key: the letters and digits shown at enrolling expected") from None
    if not secret:
        raise InputError("approval key: one expected, found nothing")
    sys.stdout.write(f"{code_of_request(secret, number)}\n")
    return 0
