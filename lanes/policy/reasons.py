"""Every reason code of RULES.md, in the order of its sections, with its texts in Chinese and English.

The texts are what people read; the codes are what programs rely on. `driver` is one short line for the display at the
lane and gives nothing away that the driver need not know; `meaning` is for the operator.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class Reason:
    """One reason code and its texts."""

    code: str
    meaning_zh: str
    meaning_en: str
    driver_zh: str
    driver_en: str

    def meaning(self, language: str) -> str:
        """What it means, for the operator."""
        return self.meaning_zh if language == "zh" else self.meaning_en

    def driver(self, language: str) -> str:
        """What the driver reads."""
        return self.driver_zh if language == "zh" else self.driver_en


_WAIT: Final = ("请等待工作人员", "Please wait for staff")
_YARD: Final = ("请前往查验区", "Please go to the inspection yard")
_GO: Final = ("请通行", "Please proceed")

_ROWS: Final = (
    # 1. lanes
    ("wrong_lane_class", "通道类别不符", "wrong class of lane", "请改走其他通道", "Please use another lane"),
    (
        "wrong_direction",
        "进出方向不符",
        "wrong direction",
        "方向错误，请改道",
        "Wrong way, please turn round",
    ),
    # 2. identity and the slip
    ("slip_unknown", "查无此核放单", "the slip is not known", "未找到核放单，请稍候", "Slip not found, please wait"),
    (
        "slip_ambiguous",
        "按车牌查到多份核放单",
        "several open slips fit the plate",
        "请扫描核放单",
        "Please scan your slip",
    ),
    ("slip_signature_invalid", "核放单签名无效", "the signature of the slip is not valid", *_YARD),
    ("slip_revoked", "核放单已撤销", "the slip has been revoked", "核放单已撤销", "Slip revoked"),
    ("slip_not_approved", "核放单未审批通过", "the slip is not approved", "核放单未审批", "Slip not approved"),
    ("slip_expired", "核放单已过期", "the slip has expired", "核放单已过期", "Slip expired"),
    ("slip_not_yet_valid", "核放单尚未生效", "the slip is not valid yet", "核放单尚未生效", "Slip not valid yet"),
    ("slip_used", "核放单已使用", "the slip has been used", "核放单已使用", "Slip already used"),
    (
        "slip_other_site",
        "核放单不适用于本卡口",
        "the slip is for another gate",
        "请走指定卡口",
        "Slip is for another gate",
    ),
    (
        "slip_book_only",
        "仅记账，不过卡",
        "book-only movement without a passage",
        "该单无需过卡",
        "This slip needs no passage",
    ),
    ("slip_inconsistent", "核放单内容自相矛盾或缺项", "the slip contradicts itself or lacks something", *_WAIT),
    ("plate_unread", "未识别到车牌", "no plate was read", "未识别车牌，请稍候", "Plate not read, please wait"),
    ("plate_mismatch", "车牌与核放单不符", "the plate differs from the slip", *_WAIT),
    ("trailer_mismatch", "挂车与核放单不符", "the trailer differs from the slip", *_WAIT),
    ("container_mismatch", "箱号与核放单不符", "the containers differ from the slip", *_WAIT),
    ("container_number_invalid", "箱号校验位错误", "a container number has a wrong check digit", *_WAIT),
    ("seal_mismatch", "封志与核放单不符", "the seals differ from the slip", *_YARD),
    ("not_looked_at", "本通道未能核对", "this lane could not look", *_GO),
    ("total_weight_sum", "总重与各项之和不符", "the total differs from the sum of its parts", *_GO),
    ("gate_field_missing", "卡口登记货物缺少必填项", "gate-registered goods lack a needed field", *_WAIT),
    (
        "not_registered",
        "车辆未备案或备案已过期",
        "the vehicle is not on the register",
        "车辆未备案",
        "Vehicle not registered",
    ),
    ("already_inside", "台账显示车辆已在区内", "the ledger has the vehicle inside already", *_WAIT),
    ("not_inside", "台账无此车进区记录", "the ledger never saw the vehicle come in", *_WAIT),
    ("overstay", "在区停留超时", "the vehicle stayed longer than allowed", *_GO),
    # 3. documents
    (
        "document_not_released",
        "单证未放行",
        "a document is not released",
        "单证未放行，请稍候",
        "Documents pending, please wait",
    ),
    ("guarantee_insufficient", "担保不足", "the guarantee is not sufficient", *_WAIT),
    ("guarantee_exempt", "高级认证企业免担保", "guarantee waived for an advanced enterprise", *_GO),
    ("licence_not_verified", "许可证件未验核", "a licence was not verified", *_YARD),
    ("inspection_due", "查验未完成", "an inspection is due", *_YARD),
    ("hold", "布控命中", "a hold applies", *_YARD),
    ("spot_check", "抽中查验", "drawn for a spot check", *_YARD),
    ("declaration_exceeded", "超出申报总量", "the declaration's total is exceeded", *_WAIT),
    ("declaration_short", "末车后总量不足", "the declaration falls short with its last truck", *_WAIT),
    ("outside_fence", "围网外企业", "the enterprise is outside the fence", *_WAIT),
    ("return_overdue", "企业有暂出货物逾期未归", "an earlier temporary exit is overdue", *_WAIT),
    # 4. weight
    ("weight_mismatch", "重量不符", "the weight differs", "重量不符，请稍候", "Weight differs, please wait"),
    (
        "over_capacity",
        "超载或超出地磅量程",
        "too heavy for the weighbridge or the law",
        "超载，请退出",
        "Overloaded, please leave",
    ),
    (
        "weight_missing",
        "没有可用的称重结果",
        "there is no usable weight",
        "请停稳重新称重",
        "Please stand still for weighing",
    ),
    ("not_empty", "空车重量不符", "an empty vehicle is not empty", "重量不符，请稍候", "Weight differs, please wait"),
    ("service_gain", "出区比进区重", "the vehicle leaves heavier than it came", *_WAIT),
    ("tare_drift", "皮重漂移", "the tare drifts", *_WAIT),
    # 5. hazardous chemicals
    (
        "hazmat_lane",
        "本通道不准危险品通行",
        "this lane takes no hazardous goods",
        "请走危险品通道",
        "Please use the hazardous lane",
    ),
    ("hazmat_undeclared", "登记货物中有未申报危险品", "hazardous goods among gate-registered goods", *_YARD),
    ("hazmat_incomplete", "危险品信息不全", "the hazardous entry is incomplete", *_WAIT),
    ("hazmat_un_unknown", "联合国编号不在现行表中", "the UN number is not current in the list", *_WAIT),
    ("hazmat_class_mismatch", "危险类别与编号不符", "the class does not fit the UN number", *_WAIT),
    ("hazmat_cas_invalid", "CAS 号校验位错误", "the CAS number has a wrong check digit", *_WAIT),
    ("hazmat_mixing", "禁止混装", "these goods may not be loaded together", *_WAIT),
    # 6. when the centre cannot be reached
    ("copy_stale", "本地核放单副本过期", "the local copy is too old", *_WAIT),
    ("holds_stale", "本地布控名单过期", "the hold list is too old", *_WAIT),
    ("claim_unavailable", "未能向中心占用核放单", "the slip could not be claimed at the centre", *_WAIT),
    ("clock_untrusted", "时钟误差跨越限值", "the clock's error reaches across a limit", *_WAIT),
    ("device_unconfirmed", "设备安全状态未确认", "a device has no confirmed safe state", *_WAIT),
    (
        "record_unwritable",
        "记录无法写入，通道关闭",
        "the record cannot be written, the lane closes",
        "通道关闭",
        "Lane closed",
    ),
)

REASONS: Final[Mapping[str, Reason]] = {row[0]: Reason(*row) for row in _ROWS}
ORDER: Final[Mapping[str, int]] = {code: n for n, code in enumerate(REASONS)}

ROUTING_REASONS: Final[Mapping[str, tuple[str, str]]] = {
    "lane_closed": ("通道关闭", "the lane is closed"),
    "device_unhealthy": ("设备异常", "a device of the lane is not healthy"),
    "wrong_lane_class": ("通道类别不符", "wrong class of lane"),
    "wrong_direction": ("进出方向不符", "wrong direction"),
    "over_capacity": ("超出地磅量程", "too heavy for the weighbridge"),
    "hazmat_lane": ("不准危险品通行", "takes no hazardous goods"),
    "no_weighbridge": ("没有地磅", "has no weighbridge"),
}
