"""Keeps the slip copy up with the centre: long poll after long poll, a full resync where the cursor is unknown."""

from __future__ import annotations

import logging
from random import Random
from typing import Any, Final

from gate_service.domain.errors import CentralBusyError, CentralError, CursorUnknownError
from gate_service.domain.ports import Clock
from sync.backoff import full_jitter_s
from sync.central.rest import CentralClient
from sync.slip_cache import SlipCache

log = logging.getLogger(__name__)

LONGEST_SILENCE_S: Final = 3.0
"""A long poll is asked for in pieces of this length: with the time-out it stays below the 10 s in which a line that
swallows bytes must be noticed. The centre answers a piece at once when there is something to tell."""
RETRY_CAP_S: Final = 1.5  # the copy's age decides verdicts, and a live event is to pass 2 s after the line is back


class DeltaSync:
    """One page after the other."""

    def __init__(self, cache: SlipCache, client: CentralClient, clock: Clock, rng: Random, poll_wait_s: float) -> None:
        self._cache = cache
        self._client = client
        self._clock = clock
        self._rng = rng
        self._wait_s = min(poll_wait_s, LONGEST_SILENCE_S)
        self._failures = 0
        self._is_caught_up = False
        self._may_have_old = True
        self.applied = 0
        self.rejected = 0
        self.resyncs = 0

    async def sync_once(self) -> float:
        """Fetch and apply one page. Seconds to wait before the next."""
        state = await self._cache.state()
        try:
            page = await self._client.changes(
                state.next_cursor, wait_s=self._wait_s if self._is_caught_up and state.next_cursor else 0.0
            )
        except CursorUnknownError:
            log.warning("changes: the centre does not know our cursor; everything is fetched anew")
            await self._cache.begin_resync()
            self._is_caught_up, self._may_have_old = False, True
            self.resyncs += 1
            return self._pause() if self.resyncs > 1 else 0.0
        except CentralError as error:
            self._is_caught_up = False  # the next is answered at once: a long poll would hide the line's return
            wish_s = error.retry_after_s if isinstance(error, CentralBusyError) else None
            if type(error) is CentralError:
                self._client.line.failed(str(error))  # it answered, but with nothing of use
            return max(self._pause(), wish_s or 0.0)
        result = await self._cache.apply_page(page)
        self.applied += result.applied
        self.rejected += result.rejected
        if result.rejected:
            log.warning("changes: %d could not be read and are kept with their reasons", result.rejected)
        self._failures = 0
        self._is_caught_up = not page.more
        if self._is_caught_up and self._may_have_old:
            self._may_have_old = not await self._cache.remove_old_copies()
            if self._may_have_old:
                return 0.0
        is_stuck = page.more and page.cursor == state.next_cursor
        return 0.2 if is_stuck or (self._is_caught_up and not page.changes and self._wait_s == 0) else 0.0

    async def status(self) -> dict[str, Any]:
        """For `/api/v1/sync`."""
        state = await self._cache.state()
        age_s = None if state.as_of is None else (self._clock.now() - state.as_of).total_seconds()
        return {
            "cursor": state.cursor,
            "as_of": None if state.as_of is None else state.as_of.isoformat(),
            "as_of_age_s": None if age_s is None else round(age_s, 1),
            "is_resyncing": state.building_generation is not None,
            "applied": self.applied,
            "rejected": await self._cache.rejected_count(),
        }

    def _pause(self) -> float:
        self._failures += 1
        return full_jitter_s(self._failures, self._rng, cap_s=RETRY_CAP_S)
