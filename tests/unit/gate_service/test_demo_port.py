"""The demo begins on a port of its own or not at all."""

from __future__ import annotations

import socket

import pytest

from gate_service.cli.demo_children import ChildError
from gate_service.cli.demo_run import free_port


def test_a_port_where_somebody_answers_is_refused() -> None:
    with socket.create_server(("127.0.0.1", 0)) as other, pytest.raises(ChildError, match="in use"):
        free_port(other.getsockname()[1])
    assert free_port(0) > 0
