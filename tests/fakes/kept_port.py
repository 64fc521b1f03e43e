"""A port for a server that is started, or started again, later: nobody else is given it meanwhile (Linux)."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def kept_port() -> Iterator[int]:
    """A free port, kept until left, whether its server listens there or not.

    Bound and never listening: who binds it by number and with SO_REUSEADDR, as our servers do, gets it.
    """
    with socket.socket() as keeper:
        keeper.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        keeper.bind(("127.0.0.1", 0))
        yield keeper.getsockname()[1]
