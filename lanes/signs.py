"""What the driver sees: lights and one line, as functions of where the lane is. Dark never counts as green."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from gate_service.domain.passage import Disposition
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

WAY_LINES: Final[Mapping[str, Text]] = {
    Disposition.TURN_BACK: {"zh": "出闸后请掉头返回", "en": "Drive out and turn round"},
    Disposition.DIVERT: {"zh": "请驶往指定区域", "en": "Go to the place you are shown"},
    Disposition.ESCORT: {"zh": "请跟随引导人员", "en": "Follow the officer"},
    Disposition.YARD_INSIDE: {"zh": "请驶往区内查验场", "en": "Go to the inspection yard"},
    Disposition.AT_PREMISES: {"zh": "请驶往企业，等候查验", "en": "Go to the premises, wait for inspection"},
    Disposition.YARD_BEFORE: {"zh": "请驶往卡口前查验场", "en": "Go to the yard before the gate"},
}
"""Where a vehicle goes that is not released; said while its boom is up for it."""

BACK_TO_YARD: Final[Text] = {"zh": "请倒车退出，驶往卡口前查验场", "en": "Back out, go to the yard before the gate"}


def driver_line(state: LaneState, disposition: str | None) -> Text:
    """The one line of the driver's display."""
    if state is LaneState.RETURNING and disposition == Disposition.YARD_BEFORE:
        return BACK_TO_YARD
    if state in {LaneState.DIVERTING, LaneState.CLEARING} and disposition is not None:
        return WAY_LINES.get(disposition, DRIVER_LINES[state])
    return DRIVER_LINES[state]


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


ATTENTION_TEXTS: Final[Mapping[str, Text]] = {
    "followed_in": {"zh": "后车跟入，一次判定两辆车", "en": "A second vehicle came in behind"},
    "tailgated": {"zh": "后车尾随出闸", "en": "A vehicle follows close behind under the boom"},
    "crossed": {"zh": "未放行而驶过", "en": "Went through without a release"},
    "crossed_unknown": {"zh": "无记录车辆驶过", "en": "A vehicle that no passage knows went through"},
    "second_vehicle": {"zh": "地磅上有第二辆车", "en": "A second vehicle is on the platform"},
    "wrong_way": {"zh": "有车从出口方向进入", "en": "Something came in from the exit"},
    "light_load": {"zh": "地磅上有人或摩托车", "en": "A person or a motorcycle is on the platform"},
    "longer_than_deck": {"zh": "车长超过秤台", "en": "The vehicle is longer than the platform"},
    "sudden_load": {"zh": "未见驶入，重量突现", "en": "A weight without anything driving on"},
    "weight_moved": {"zh": "停车期间重量改变", "en": "The standing vehicle's weight has changed"},
    "way_blocked": {"zh": "后方来车，不能倒车", "en": "Somebody stands behind: do not back out"},
    "unexplained_motion": {"zh": "无指令动作", "en": "Motion that nobody commanded"},
    "emergency_raised": {"zh": "应急抬杆", "en": "Raised for an emergency vehicle"},
    "boom_failed": {"zh": "栏杆未到位", "en": "A boom did not arrive"},
    "mains_failed": {"zh": "市电中断，电池供电", "en": "Mains failed, running on battery"},
    "entry_boom_not_down": {"zh": "等待入口栏杆落下", "en": "Waits for the entry boom to be down"},
    "exit_boom_not_down": {"zh": "等待出口栏杆落下", "en": "Waits for the exit boom to be down"},
    "zero_off": {"zh": "空秤不归零", "en": "The empty platform shows no zero"},
    "zero_creep": {"zh": "空秤零点漂移", "en": "The zero creeps"},
    "no_return_to_zero": {"zh": "车辆离开后未归零", "en": "No return to zero after the vehicle"},
    "something_on_platform": {"zh": "秤台上有物", "en": "Something is on the platform"},
    "overload": {"zh": "超出秤量", "en": "Overload"},
    "underload": {"zh": "欠载", "en": "Underload"},
    "out_of_range": {"zh": "超出显示范围", "en": "Out of range"},
    "error": {"zh": "仪表故障", "en": "Indicator error"},
    "indicator_error": {"zh": "仪表故障", "en": "Indicator error"},
    "read_unassigned": {
        "zh": "读到车牌或单证，不知属于哪辆车",
        "en": "Something was read, of which vehicle is not known",
    },
    "same_vehicle": {
        "zh": "故障期间看不到车辆：请确认是否仍是同一辆车",
        "en": "Out of sight during the fault: is it still the same vehicle?",
    },
    "restart": {"zh": "重启前已在通道内", "en": "In the lane since before a restart"},
    "inputs_stale": {"zh": "输入信号过期", "en": "Inputs are stale"},
    "inputs_never_read": {"zh": "尚未读到输入信号", "en": "Inputs were never read"},
    "weighbridge_no_data": {"zh": "称重仪表无数据", "en": "No data from the weighbridge"},
    "weighbridge_stale": {"zh": "称重数据过期", "en": "The weighbridge's data is stale"},
    "record_lost": {"zh": "记录无法写入", "en": "The record cannot be written"},
    "entry_lost": {"zh": "记录写入失败", "en": "An entry could not be written"},
}
"""What needs attention, in words; a code without its own is said by the lane's state."""


def attention_text(code: str, state: LaneState) -> Text:
    """Why somebody should look."""
    return ATTENTION_TEXTS.get(code, STATE_TEXTS[state])
