"""Questions that a polled indicator answers: what to send, how often, how long to wait. Pure; who sends is the driver.

Only questions that read. Letters and words that take tare or clear records are nowhere in this project, so that no
setting can send one by mistake; the one that zeroes goes out only where the site switched it on (`zero`), once a time.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

OFF: Final = "off"
PERIOD_S: Final = 0.25  # XK3190: 1 to 5 questions a second; the Keli C602 loses commands beyond (its manual: 8 buffers)
ANSWER_S: Final = 0.3  # reference rule for XK3190: wait for the answer or 300 ms, then ask again
STABLE_ANSWER_S: Final = 15.0  # MT-SICS `S` answers when the weight is stable, which may take so long


@dataclass(frozen=True, slots=True)
class Poll:
    """One question asked over and over: the next goes out `period_s` after the last, but never before its answer.

    `answer_s` of quiet without an answer counts as none.
    """

    question: bytes
    period_s: float = PERIOD_S
    answer_s: float = ANSWER_S

    @property
    def longest_s(self) -> float:
        """Time between two answers at worst."""
        return max(self.period_s, self.answer_s)
