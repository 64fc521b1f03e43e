"""Seeds of the whole site: nothing that must never happen happens, a seed replays, and each protection is missed."""

from gate_service.simulation.run import simulate

HALF_A_MINUTE_H = 0.008  # of traffic in three lanes, and then what it takes to empty them


def test_a_seed_plays_to_its_end_with_every_vehicle_out_and_replays_byte_for_byte():
    traces = [[], []]
    reports = [simulate(4, HALF_A_MINUTE_H, None, trace.append) for trace in traces]
    assert traces[0] == traces[1]
    assert reports[0].to_json() == reports[1].to_json()
    assert reports[0].violations == []
    assert reports[0].crossings > 0
    assert reports[0].steps > 1000


def test_a_protection_taken_away_is_missed():
    """One of them here; all of them in `tests/soak/test_simulation.py`."""
    kinds = {violation["kind"] for violation in simulate(4, HALF_A_MINUTE_H, "forget-record").violations}
    assert "raise_without_record" in kinds
