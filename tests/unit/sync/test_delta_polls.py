"""How long the centre is asked to wait before it answers: not at all while nothing is known of the line."""

from random import Random

from gate_service.domain.errors import CentralUnreachableError
from sync.central.wire import ChangesPage
from sync.database import Database, DatabaseSettings
from sync.delta import DeltaSync
from sync.slip_cache import SlipCache
from tests.fakes.moved_clock import MovedClock
from tests.fakes.record_entries import START


class Centre:
    """`CentralClient` as far as changes go."""

    def __init__(self):
        self.waits = []
        self.is_cut = False

    async def changes(self, after, *, wait_s):
        self.waits.append(wait_s)
        if self.is_cut:
            raise CentralUnreachableError("cut")
        return ChangesPage([], cursor="1", more=False, as_of=START)


async def test_the_first_request_after_a_cut_is_no_long_poll(tmp_path):
    clock, centre = MovedClock(), Centre()
    async with Database(DatabaseSettings(tmp_path, reserve_bytes=0)) as database:
        delta = DeltaSync(SlipCache(database, clock), centre, clock, Random(1), poll_wait_s=25.0)
        for is_cut in (False, False, True, False, False):
            centre.is_cut = is_cut
            await delta.sync_once()
    assert centre.waits == [0.0, 3.0, 3.0, 0.0, 3.0]
