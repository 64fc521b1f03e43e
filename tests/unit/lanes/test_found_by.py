"""How a case says its slips were found: a registered vehicle without a slip did not fail to find one."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from gate_service.domain.passage import Passage
from gate_service.domain.ports import SlipAnswer, Source
from lanes.case_document import CaseFacts, case_document
from lanes.guards import Layout
from lanes.settings import LaneSettings

NOW = datetime(2026, 11, 22, 8, 0, tzinfo=UTC)
LANE = LaneSettings(
    id="in-s1", site_id="K1", name={"zh": "一", "en": "1"}, kind="non_declared", direction="inbound",
    allows_hazmat=False, layout=Layout(has_weighbridge=False), deck=None, verified_until_at=None,
)  # fmt: skip


@pytest.mark.parametrize(
    ("scanned", "slips", "registered", "expected"),
    [
        (("Z1",), [], [], "scan"),
        ((), [{"slip_no": "Z1"}], [], "plate"),
        ((), [], [], "plate"),
        ((), [], [{"plate": "浙b·00001"}], "scan"),
        ((), [], [{"plate": "浙B00002"}], "plate"),
        ((), [{"slip_no": "Z1"}], [{"plate": "浙B00001"}], "plate"),
    ],
)
def test_only_a_search_by_plate_that_was_needed_counts_as_one(scanned, slips, registered, expected):
    passage = Passage(
        id="p", lane="in-s1", direction="inbound", opened_at=NOW, state="approach", plate="浙B00001", scanned=scanned
    )
    answer = SlipAnswer(slips, Source.CENTRAL, NOW, NOW, {"vehicles": registered})
    facts = CaseFacts.of(passage, answer, None, LANE, are_devices_safe=True, clock_error_s=0)
    case = case_document(facts, NOW)
    assert case["found_by"] == expected
