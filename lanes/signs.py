"""What the driver sees: lights and one line, as functions of where the lane is. Dark never counts as green."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from gate_service.domain.reading import Aspect, BoomPosition, Side
from lanes.guards import Layout
from lanes.states import LaneState

Text = Mapping[str, str]

DRIVER_LINES: Final[Mapping[LaneState, Text]] = {
    LaneState.IDLE: {"zh": "请驶入", "en": "Drive up"},
    LaneState.APPROACH: {"zh": "请出示核放单", "en": "Show your slip"},
    LaneState.ADMITTING: {"zh": "绿灯驶上地磅", "en": "On green, drive on"},
    LaneState.ON_PLATFORM: {"zh": "请整车停稳", "en": "Stop with the whole vehicle on"},
    LaneState.WEIGHING: {"zh": "正在称重，请停稳", "en": "Weighing, stand still"},
    LaneState.DECIDING: {"zh": "请稍候", "en": "Please wait"},
    LaneState.REVIEW: {"zh": "请等候工作人员", "en": "Wait for the officer"},
    LaneState.OPENING: {"zh": "请等绿灯", "en": "Wait for green"},
    LaneState.LEAVING: {"zh": "请通行", "en": "Go"},
    LaneState.CLEARING: {"zh": "请驶离", "en": "Drive clear"},
    LaneState.RETURNING: {"zh": "请倒车退出", "en": "Back out"},
    LaneState.DIVERTING: {"zh": "请驶往指定区域", "en": "Go to the place you are shown"},
    LaneState.DETAINED: {"zh": "请稍候", "en": "Please wait"},
    LaneState.CLOSED: {"zh": "通道关闭", "en": "Lane closed"},
    LaneState.FAULT: {"zh": "设备故障，请等候", "en": "Fault, please wait"},
    LaneState.FIRE: {"zh": "火警，请停车", "en": "Fire alarm, stop"},
}

STATE_TEXTS: Final[Mapping[LaneState, Text]] = {
    LaneState.IDLE: {"zh": "空闲", "en": "Idle"},
    LaneState.APPROACH: {"zh": "车辆到达", "en": "Vehicle waiting"},
    LaneState.ADMITTING: {"zh": "准入", "en": "Admitting"},
    LaneState.ON_PLATFORM: {"zh": "上磅中", "en": "Driving on"},
    LaneState.WEIGHING: {"zh": "称重", "en": "Weighing"},
    LaneState.DECIDING: {"zh": "判定中", "en": "Deciding"},
    LaneState.REVIEW: {"zh": "待人工处理", "en": "Needs a person"},
    LaneState.OPENING: {"zh": "抬杆中", "en": "Opening"},
    LaneState.LEAVING: {"zh": "放行", "en": "Leaving"},
    LaneState.CLEARING: {"zh": "清空通道", "en": "Clearing"},
    LaneState.RETURNING: {"zh": "退回中", "en": "Backing out"},
    LaneState.DIVERTING: {"zh": "转移中", "en": "Diverting"},
    LaneState.DETAINED: {"zh": "扣留", "en": "Detained"},
    LaneState.CLOSED: {"zh": "关闭", "en": "Closed"},
    LaneState.FAULT: {"zh": "故障", "en": "Fault"},
    LaneState.FIRE: {"zh": "火警", "en": "Fire"},
}


def aspects(
    state: LaneState, layout: Layout, booms: Mapping[Side, BoomPosition], *, is_still_in: bool = False
) -> dict[Side, Aspect]:
    """The lights of both sides. Green only where the boom is seen up (or there is none) and the state lets drive.

    `is_still_in`: while the lane clears, the vehicle that was let go has not been seen to cross. It keeps its green
    where the next vehicle cannot take it for its own, that is, where something keeps that one from the exit.
    """

    def is_open(side: Side) -> bool:
        return booms.get(side, BoomPosition.UP) is BoomPosition.UP

    waits_for_vehicle = not layout.has_entry_barrier and state in {LaneState.IDLE, LaneState.APPROACH}
    entry = exit_side = Aspect.RED
    if waits_for_vehicle or (state is LaneState.ADMITTING and is_open(Side.ENTRY)):
        entry = Aspect.GREEN
    elif state is LaneState.RETURNING and is_open(Side.ENTRY):
        entry = Aspect.BACK_OUT
    stands_apart = layout.has_entry_barrier or layout.has_weighbridge
    may_go_on = state is LaneState.CLEARING and is_still_in and stands_apart and layout.has_exit_barrier
    if (may_go_on or state in {LaneState.LEAVING, LaneState.DIVERTING}) and is_open(Side.EXIT):
        exit_side = Aspect.GREEN
    return {Side.ENTRY: entry, Side.EXIT: exit_side}
