"""Lines printed as they come, to a reader who may leave (`gate read … | head`)."""

from __future__ import annotations

import os
import sys


def say(line: str) -> bool:
    """Print one line at once; False when nobody reads any more."""
    try:
        print(line, flush=True)
    except BrokenPipeError:
        # what is still buffered goes nowhere, or the interpreter would complain while it ends
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return False
    return True


def as_text(data: bytes) -> str:
    """Bytes for the eye: what is no printable character is a dot."""
    return "".join(chr(byte) if 0x20 <= byte < 0x7F else "." for byte in data)
