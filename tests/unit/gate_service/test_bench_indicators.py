"""The bench of the decoders measures what it says: every frame of every protocol read, none given away."""

from __future__ import annotations

import pytest

from devices.weighbridge import protocols
from devices.weighbridge.frame import Rejected
from gate_service.bench.indicators import STREAMS, stream


def test_every_protocol_is_measured() -> None:
    assert list(STREAMS) == list(protocols.PROTOCOLS)


@pytest.mark.parametrize("name", STREAMS)
def test_the_stream_of_the_bench_is_read_whole(name: str) -> None:
    decoder = protocols.create(name, STREAMS[name][1])
    decoded = [frame for chunk in stream(name, 50) for frame in decoder.feed(chunk)] + decoder.flush()
    assert sum(not isinstance(frame, Rejected) for frame in decoded) == 50
