"""A port that stays the test's own from the moment it is chosen, also while nobody listens on it."""

from __future__ import annotations

import socket
from typing import Self


class HeldPort:
    """A port of loopback, bound for as long as this lives and never listened on.

    The kernel gives it to nobody who asks for any free one, and connecting to it is refused. Whoever is told its number
    may listen on it, again and again: every server here sets SO_REUSEADDR.
    """

    def __init__(self) -> None:
        self._socket = socket.socket()
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self._socket.bind(("127.0.0.1", 0))
        self.number = int(self._socket.getsockname()[1])

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Anybody may have it now."""
        self._socket.close()
