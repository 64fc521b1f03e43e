"""A lane whose outputs somebody else writes stands in its fault until a person re-arms it; the centre hears of it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from gate_service.domain.commands import Actor, ActorKind, Command, CommandRequest, Role
from gate_service.domain.reading import DeviceHealth, LaneInputs
from lanes.states import LaneState
from tests.fakes.lane_rig import LaneRig

FOUND = "io-1: output 2: off was written and confirmed, on found: something else writes it"


def told(*, tampered: bool, fault: str | None = FOUND) -> DeviceHealth:
    return DeviceHealth("io-1", "io_module", fault, 0.0, is_safe_state_confirmed=True, is_tampered=tampered)


async def through_a_fault(rig: LaneRig, health: DeviceHealth) -> None:
    """The module says what it found, its inputs are no knowledge for two seconds, and then all is well again."""
    good = rig._inputs

    def doubted() -> LaneInputs:
        return replace(good(), unknown_because=FOUND)

    rig.lane.health_changed(replace(health, fault=None, is_tampered=False))
    rig.lane.health_changed(health)
    rig._inputs = doubted  # type: ignore[method-assign]
    await rig.run(2.0)
    assert rig.lane.state is LaneState.FAULT
    rig._inputs = good  # type: ignore[method-assign]
    rig.lane.health_changed(replace(health, fault=None, is_tampered=False))
    await rig.run(5.0)


async def test_after_a_foreign_write_a_person_re_arms_the_lane() -> None:
    async with LaneRig() as rig:
        await rig.run(3.0)
        assert rig.lane.state is LaneState.IDLE
        await through_a_fault(rig, told(tampered=True))
        assert rig.lane.state is LaneState.FAULT
        actor = Actor("olga", Role.OPERATOR, ActorKind.USER)
        request = CommandRequest(Command.CLEAR_FAULT, None, None, "other", "outputs checked")
        await rig.commands.carry_out(request, actor)
        await rig.run(2.0)
        assert rig.lane.state is LaneState.IDLE


async def test_after_any_other_fault_of_a_device_the_lane_comes_back_by_itself() -> None:
    async with LaneRig() as rig:
        await rig.run(3.0)
        await through_a_fault(rig, told(tampered=False))
        assert rig.lane.state is LaneState.IDLE


@pytest.mark.parametrize(("tampered", "expected"), [(True, 1), (False, 0)])
async def test_a_foreign_write_is_an_alarm_and_another_fault_is_none(tampered: bool, expected: int) -> None:
    async with LaneRig() as rig:
        rig.lane.health_changed(told(tampered=tampered, fault=None))
        rig.lane.health_changed(told(tampered=tampered))
        await rig.run(0.2)
        events: list[Any] = [event for entry in rig.journal.entries for event in entry.events]
        alarms = [event for event in events if event.type.value == "security.alarm"]
        assert len(alarms) == expected
        assert sum(event.type.value == "device.fault" for event in events) == 1
        if alarms:
            assert alarms[0].data["what"] == "foreign_write"
            assert alarms[0].data["found"] == FOUND
