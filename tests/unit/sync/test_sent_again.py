"""A request whose kept connection broke as it was used is sent again, once; whatever else fails is not."""

import asyncio
from contextlib import asynccontextmanager

import pytest

from gate_service.clock import RealClock
from gate_service.domain.errors import CentralUnreachableError
from sync.central.rest import CentralClient
from sync.line import Line
from sync.settings import CentralSettings

UNKNOWN = b"HTTP/1.1 404 Not Found\r\ncontent-length: 2\r\n\r\n{}"
CUT = b"HTTP/1.1 404 Not Found\r\ncontent-length: 200\r\n\r\n{}"


@asynccontextmanager
async def centre(folder, *connections):
    """A server and a client of it. For each connection, in order, its answers; after the last one it closes.

    Gives the client and, for each connection, how many requests came over it.
    """
    asked, serving = [], []

    async def serve(reader, writer):
        serving.append(asyncio.current_task())
        number = len(asked)
        asked.append(0)
        for answer in [*connections[number], b""]:
            try:
                await reader.readuntil(b"\r\n\r\n")
            except asyncio.IncompleteReadError:
                break
            asked[number] += 1
            writer.write(answer)
        writer.close()
        await writer.wait_closed()

    (folder / "token").write_text("placeholder-token")
    clock = RealClock()
    async with await asyncio.start_server(serve, "127.0.0.1", 0) as server:
        host, port = server.sockets[0].getsockname()
        settings = CentralSettings(f"http://{host}:{port}", folder / "token", lookup_timeout_s=30.0)
        async with CentralClient(settings, "K1", clock, Line(clock)) as client:
            yield client, asked
        await asyncio.gather(*serving)


async def test_a_connection_that_was_closed_as_it_was_used_again_costs_no_answer(tmp_path):
    async with centre(tmp_path, [UNKNOWN], [UNKNOWN]) as (client, asked):
        assert await client.slip("Z1") is None
        assert await client.slip("Z2") is None  # the first connection takes the request and closes
        assert (asked, client.line.is_up) == ([2, 1], True)


async def test_a_connection_made_for_the_request_is_not_tried_twice(tmp_path):
    async with centre(tmp_path, [], [UNKNOWN]) as (client, asked):
        with pytest.raises(CentralUnreachableError):
            await client.slip("Z1")
        assert asked == [1]


async def test_a_second_connection_that_breaks_is_the_end(tmp_path):
    async with centre(tmp_path, [UNKNOWN], [], [UNKNOWN]) as (client, asked):
        assert await client.slip("Z1") is None
        with pytest.raises(CentralUnreachableError):
            await client.slip("Z2")
        assert asked == [2, 1]


async def test_an_answer_that_was_begun_is_not_asked_for_again(tmp_path):
    async with centre(tmp_path, [UNKNOWN, CUT], [UNKNOWN]) as (client, asked):
        assert await client.slip("Z1") is None
        with pytest.raises(CentralUnreachableError):
            await client.slip("Z2")
        assert asked == [2]
