"""A time-out in the middle of tidying connections leaves none of them open and forgotten."""

import asyncio
import gc

import pytest

from gate_service.clock import RealClock
from gate_service.domain.errors import CentralUnreachableError
from sync.central.rest import CentralClient
from sync.line import Line
from sync.settings import CentralSettings

ANSWER = b"HTTP/1.1 404 Not Found\r\ncontent-length: 2\r\n\r\n{}"
AT_ONCE = 3


async def test_connections_that_the_centre_closed_are_all_closed_where_the_next_request_has_no_time(tmp_path):
    peers = []

    async def centre(reader, writer):
        peers.append(writer)
        await reader.readuntil(b"\r\n\r\n")
        if len(peers) < AT_ONCE:  # so that each request needs a connection of its own
            await all_there.wait()
        all_there.set()
        writer.write(ANSWER)

    all_there = asyncio.Event()
    (tmp_path / "token").write_text("placeholder-token")
    clock = RealClock()
    async with await asyncio.start_server(centre, "127.0.0.1", 0) as server:
        host, port = server.sockets[0].getsockname()
        settings = CentralSettings(f"http://{host}:{port}", tmp_path / "token", lookup_timeout_s=30.0)
        async with CentralClient(settings, "K1", clock, Line(clock)) as client:
            await asyncio.gather(*(client.slip(f"Z{number}") for number in range(AT_ONCE)))
            for peer in peers:
                peer.close()
                await peer.wait_closed()
            with pytest.raises(CentralUnreachableError):
                await client._ask("GET", "/v1/slips/Z9", 1e-9, fine=(200,))
        gc.collect()  # what was forgotten open is told as an error here
