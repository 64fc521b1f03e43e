"""Sends the newest checkpoint of the record to the central system, so that a record cut shorter shows there.

`POST {base}/v1/checkpoints`, an address of its own: a centre that does not have it (404, 405, 501) is left alone for an
hour and nothing else suffers. Only the newest is sent; one that was missed is covered by the next.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from random import Random
from typing import Any, Final

from gate_service.domain.errors import CentralBusyError, CentralError, CentralRefusedError
from gate_service.domain.ports import Clock
from sync.backoff import full_jitter_s
from sync.central.rest import CentralClient
from sync.checkpoint import Checkpoint

log = logging.getLogger(__name__)

ASK_AGAIN_S: Final = 3600.0  # a centre without the address may be given it one day
LONGEST_WAIT_S: Final = 60.0

Newest = Callable[[], Checkpoint | None]


class Checkpoints:
    """Tells the centre of the newest checkpoint, once each."""

    def __init__(self, newest: Newest, client: CentralClient, clock: Clock, rng: Random) -> None:
        self._newest = newest
        self._client = client
        self._clock = clock
        self._rng = rng
        self._failures = 0
        self._hold_until_s = 0.0
        self._done_with: Checkpoint | None = None
        self._taken: Checkpoint | None = None
        self._taken_at: str | None = None
        self._state = "not sent yet"
        self._reason: str | None = None

    async def send_once(self) -> float | None:
        """Send the newest, if it is new. Seconds to wait before the next look; None for nothing to do."""
        hold_s = self._hold_until_s - self._clock.monotonic_s()
        checkpoint = self._newest()
        if hold_s > 0 or checkpoint is None or checkpoint == self._done_with:
            return hold_s if hold_s > 0 else None
        try:
            is_taken = await self._client.post_checkpoint(checkpoint.document())
        except CentralRefusedError as error:
            # Not sent again: the centre will say the same. The next one is, and people see the reason meanwhile.
            log.warning("checkpoint of record %d refused by the centre: %s", checkpoint.records, error)
            self._done_with, self._state, self._reason = checkpoint, "refused", str(error)
            return None
        except CentralError as error:
            self._failures += 1
            wish_s = error.retry_after_s if isinstance(error, CentralBusyError) else None
            wait_s = max(full_jitter_s(self._failures, self._rng, cap_s=LONGEST_WAIT_S), wish_s or 0.0)
            self._hold_until_s = self._clock.monotonic_s() + wait_s
            self._state, self._reason = "waiting", str(error)
            return wait_s
        self._failures = 0
        if not is_taken:
            self._hold_until_s = self._clock.monotonic_s() + ASK_AGAIN_S
            self._state, self._reason = "absent", "the central system has no address for checkpoints"
            return ASK_AGAIN_S
        self._done_with = self._taken = checkpoint
        self._taken_at = self._clock.now().isoformat()
        self._state, self._reason = "taken", None
        return None

    def status(self) -> dict[str, Any]:
        """For `/api/v1/sync`: what the centre holds, and the public key to hold it against."""
        newest = self._newest()
        return {
            "state": self._state,
            "reason": self._reason,
            "records": None if newest is None else newest.records,
            "key": None if newest is None else newest.key,
            "taken_records": None if self._taken is None else self._taken.records,
            "taken_at": self._taken_at,
            "alarm": self._state == "refused",
        }
