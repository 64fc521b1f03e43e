"""Changes judged one by one: applied, or rejected with a reason that a person understands."""

import pytest

from gate_service.domain.errors import CaseError
from sync.change import Change, Rejection, read_change, read_slip_document
from tests.fakes.slips import sound_slip


def slip_change(**changes):
    return {"kind": "slip", "version": 7, "slip": sound_slip(**changes)}


def test_a_sound_slip_is_a_change_with_the_columns_it_is_searched_by():
    change = read_change(slip_change())
    assert isinstance(change, Change)
    assert (change.table, change.key, change.version) == ("slips", "Z3311I261122000000000001", 7)
    assert dict(change.columns) == {"plate": "浙B12345", "direction": "inbound", "status": "approved"}


def test_values_outside_the_lists_and_blank_masses_are_kept_for_the_rules_to_judge():
    change = read_change(slip_change(type="99", bind=None, status="odd", total_kg=None, goods_gross_kg="", goods=None))
    assert isinstance(change, Change)


@pytest.mark.parametrize(
    ("changes", "place"),
    [
        ({"total_kg": "heavy"}, "total_kg: mass"),
        ({"total_kg": -1}, "total_kg: mass"),
        ({"total_kg": 1.2345}, "total_kg: mass"),
        ({"total_kg": True}, "total_kg: mass"),
        ({"total_kg": "NaN"}, "total_kg: mass"),
        ({"goods_gross_kg": 1e300}, "goods_gross_kg: mass"),
        ({"valid_until_at": "tomorrow"}, "valid_until_at: moment"),
        ({"valid_until_at": "2026-12-25T00:00:00"}, "valid_until_at: moment"),
        ({"physical": "yes"}, "physical: flag"),
        ({"vehicle": "浙B12345"}, "vehicle: object"),
        ({"vehicle": {"plate": ["浙"]}}, "vehicle.plate: text"),
        ({"goods": "many"}, "goods: rows"),
        ({"goods": [7]}, "goods: rows"),
        ({"goods": [{"hazmat": {"net_kg": "much"}}]}, "goods[0].hazmat.net_kg: mass"),
        ({"documents": [{"guarantee": 7}]}, "documents[0].guarantee: object"),
        ({"containers": [{"tare_kg": "x"}]}, "containers[0].tare_kg: mass"),
        ({"site_ids": ["K1", 7]}, "site_ids: texts"),
        ({"pass_limit": "two"}, "pass_limit: number"),
    ],
)
def test_a_slip_of_the_wrong_shape_is_rejected_with_place_need_and_finding(changes, place):
    rejection = read_change(slip_change(**changes))
    assert isinstance(rejection, Rejection)
    assert place in rejection.reason
    assert "found" in rejection.reason


def test_a_newer_slip_that_cannot_be_read_makes_the_older_copy_unusable():
    rejection = read_change(slip_change(total_kg="heavy"))
    assert isinstance(rejection, Rejection)
    change = rejection.unreadable_slip
    assert change is not None
    assert (change.key, change.version, change.document, change.is_tombstone) == (
        "Z3311I261122000000000001", 7, None, False,
    )  # fmt: skip


@pytest.mark.parametrize(
    "raw",
    [
        None,
        7,
        [],
        {},
        {"kind": ["slip"]},
        {"kind": "slip"},
        {"kind": "slip", "version": 1, "slip": []},
        {"kind": "slip", "version": 1, "slip": {}},
        {"kind": "slip", "version": True, "slip": sound_slip()},
        {"kind": "slip", "version": -1, "slip": sound_slip()},
        {"kind": "slip", "version": 2**70, "slip": sound_slip()},
        {"kind": "slip", "version": 1, "slip": sound_slip(slip_no="x" * 201)},
        {"kind": "slip", "version": 1, "slip": sound_slip(slip_no="a\0b")},
        {"kind": "slip", "version": 1, "slip": sound_slip(slip_no="\ud800")},
        {"kind": "slip_revoked", "version": 1},
        {"kind": "slip_revoked", "slip_no": "Z1"},
        {"kind": "declaration", "version": 1, "declaration": {"number": None}},
        {"kind": "declaration", "version": 1, "declaration": {"number": "1", "total_gross_kg": "x"}},
        {"kind": "enterprise", "version": None, "enterprise": {"customs_code": "3"}},
        {"kind": "vehicle", "version": 1, "vehicle": {"plate": "浙B1", "valid_until_at": "never"}},
        {"kind": "hold", "version": 1, "hold": {"id": "H", "kind": "police"}},
        {"kind": "hold", "version": 1, "hold": {"id": "H", "target": {"type": "ship", "id": "x"}}},
        {"kind": "hold", "version": 1, "hold": {"id": "H", "target": {"type": "vehicle", "id": " "}}},
    ],
    ids=range(23),
)
def test_what_cannot_be_read_is_a_rejection_with_a_reason_never_an_error(raw):
    rejection = read_change(raw)
    assert isinstance(rejection, Rejection)
    assert rejection.reason
    assert rejection.found.isascii()
    assert len(rejection.found) <= 600


def test_registers_are_keyed_by_what_they_are_looked_up_by():
    vehicle = read_change({"kind": "vehicle", "version": 1, "vehicle": {"plate": "浙B·12345 "}})
    enterprise = read_change({"kind": "enterprise", "version": 1, "enterprise": {"uscc": "U1"}})
    hold = read_change(
        {"kind": "hold", "version": 1, "hold": {"id": "H", "target": {"type": "vehicle", "id": "浙b 12345"}}}
    )
    assert (vehicle.key, enterprise.key, dict(hold.columns)) == (
        "浙B12345", "U1", {"target_type": "vehicle", "target_id": "浙B12345"},
    )  # fmt: skip


def test_a_revocation_and_a_deletion_are_tombstones():
    revoked = read_change({"kind": "slip_revoked", "version": 8, "slip_no": "Z1", "reason": "recalled"})
    lifted = read_change({"kind": "hold", "version": 2, "deleted": True, "hold": {"id": "H"}})
    assert (revoked.table, revoked.is_tombstone, revoked.reason, revoked.document) == ("slips", True, "recalled", None)
    assert (lifted.table, lifted.key, lifted.is_tombstone) == ("holds", "H", True)


def test_the_rules_own_reader_has_the_last_word():
    def refuse(slip):
        raise CaseError("goods[0].name: expected text")

    rejection = read_slip_document(sound_slip(), check=refuse)
    assert isinstance(rejection, Rejection)
    assert "goods[0].name" in rejection.reason
