"""Every I/O module profile can be read, has its sources, and keeps its addresses apart."""

import pytest

from devices.registry import check_module, check_weighbridge
from devices.signals.profile import Area, PulseKind, load_profile, profile_names
from gate_service.domain.errors import InputError


@pytest.mark.parametrize("name", profile_names())
def test_a_profile_is_whole(name: str) -> None:
    profile = load_profile(name)
    assert profile.sources
    assert profile.notes
    assert profile.inputs_count > 0
    assert profile.on_value != profile.off_value
    assert profile.outputs_area in {Area.COIL, Area.HOLDING}
    if profile.inputs_area is profile.outputs_area:
        inputs = range(profile.inputs_base, profile.inputs_base + profile.inputs_count)
        assert profile.outputs_base not in inputs
    if profile.pulse.kind is not PulseKind.HOST_TIMED:
        assert profile.pulse.longest_units > 0


def test_the_coupler_of_the_demo_is_read_as_its_manual_says() -> None:
    profile = load_profile("wago-750")
    assert (profile.inputs_area, profile.inputs_base) == (Area.DISCRETE, 0)
    assert (profile.outputs_base, profile.readback_base) == (0, 512)
    assert [check.address for check in profile.safe_state_checks] == [0x1000, 0x1001, 0x1006]


def test_an_unknown_profile_names_those_there_are() -> None:
    with pytest.raises(InputError, match="adam-6060"):
        load_profile("no-such")
    with pytest.raises(InputError):
        load_profile("../profile")


def test_settings_are_checked_without_opening_anything() -> None:
    check_module("modbus-tcp://192.0.2.1:502/1", "wago-750")
    check_weighbridge("xk3190-continuous", "/dev/ttyS99", {})
    with pytest.raises(InputError):
        check_module("modbus-tcp://192.0.2.1:502/1", "wago")
    with pytest.raises(InputError):
        check_weighbridge("xk3190-continuous", "/dev/ttyS99?speed=1", {})
    with pytest.raises(InputError):
        check_weighbridge("no-such", "/dev/ttyS99", {})
