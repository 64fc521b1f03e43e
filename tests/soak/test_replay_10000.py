"""Ten thousand generated passages, stored and decided anew in another process: identical, byte for byte."""

from __future__ import annotations

import pytest

from tests.fakes.replayed import decided_in_another_process, decisions, reasons_in

pytestmark = pytest.mark.soak

PASSAGES = 10_000


def test_ten_thousand_passages_replay_byte_for_byte_in_another_process():
    first = decisions(range(PASSAGES))
    assert decided_in_another_process(0, PASSAGES, hash_seed="1") == first
    assert decided_in_another_process(0, PASSAGES, hash_seed="4711") == first
    assert len(reasons_in(first)) > 50
