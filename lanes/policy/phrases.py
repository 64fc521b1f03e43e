"""The fixed words that rules put into `expected` and `found`, in Chinese. English is how the rules say them.

What is not here is data (a plate, a number, a code of a public list) and reads the same in both languages.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

ZH: Final[Mapping[str, str]] = {
    # lanes and identity
    "declared": "报关通道",
    "non_declared": "非报关通道",
    "inbound": "进区",
    "outbound": "出区",
    "a plate": "车牌",
    "trailer": "挂车",
    "containers": "集装箱",
    "seals": "封志",
    "inside": "区内",
    "outside": "区外",
    "never came in": "无进区记录",
    "a valid entry in the register": "有效备案",
    "outside its validity": "备案不在有效期内",
    "not on the register": "未备案",
    "ISO 6346 check digit": "ISO 6346 校验位",
    # the slip
    "a slip for this plate": "此车牌的核放单",
    "a scan": "扫描核放单",
    "scanned token": "扫描的签名",
    "not revoked": "未撤销",
    "approved": "已审批",
    "applied": "已申请",
    "passed": "已过卡",
    "first_gate_passed": "已过一卡",
    "second_gate_passed": "已过二卡",
    "deleted": "已删除",
    "void": "已作废",
    "claim granted": "中心同意占用",
    "claim refused": "中心拒绝占用",
    "physical": "实货过卡",
    "book-only": "仅记账",
    "vehicle tare_kg": "车自重",
    "goods_gross_kg": "货物毛重",
    "total_kg": "总重",
    "goods lines": "货物明细",
    "name": "名称",
    "quantity": "数量",
    "unit": "单位",
    "gross_kg": "毛重",
    "hs_code": "商品编码",
    # documents and risk
    "ordinary": "普通",
    "two_step": "两步申报",
    "batch": "分送集报",
    "submitted": "已申报",
    "accepted": "已接受申报",
    "summary_released": "概要申报已放行",
    "released": "已放行",
    "verified": "已验核",
    "not verified": "未验核",
    "done": "已查验",
    "due": "待查验",
    "no hold": "无布控",
    "inspection": "查验",
    "quarantine": "检疫",
    "risk": "风险",
    "licence": "许可证件",
    "safety": "安全",
    "police": "公安",
    "not drawn": "未抽中",
    "drawn": "抽中",
    # weight
    "ok": "正常",
    "overload": "超载",
    "underload": "欠载",
    "out_of_range": "超出量程",
    "error": "故障",
    "no_data": "无数据",
    "unknown": "不明",
    "a proven weight": "可用的称重结果",
    "no reading": "无读数",
    "no gross": "无毛重",
    "not stable": "未稳定",
    "not fresh": "读数过时",
    "not the whole vehicle": "车辆未完全上磅",
    "no zero before": "上磅前未归零",
    "verification out of date": "检定已过期",
    # hazardous goods
    "a lane for hazardous goods": "危险品通道",
    "none": "无",
    "un_no": "联合国编号",
    "class": "类别",
    "net_kg": "净重",
    "storage_unit": "储存单元",
    "emergency_phone": "应急电话",
    "a current number": "现行编号",
    "CAS check digit": "CAS 校验位",
    "not loaded together": "不得混装",
    "unlisted": "表中没有的标签",
    # the site
    "a hold list": "布控名单",
    "granted": "已占用",
    "refused": "拒绝占用",
    "unavailable": "无应答",
    "a known clock error": "已知的时钟误差",
    "validity": "有效期",
    "copy age": "副本时效",
    "hold age": "布控名单时效",
    "verification": "检定有效期",
    "return": "复运期限",
    "confirmed safe state": "已确认的安全状态",
    "unconfirmed": "未确认",
    "a writable record": "可写的记录",
    "not writable": "不可写",
}

PATTERNS: Final = tuple(
    (re.compile(pattern), text)
    for pattern, text in (
        (r"under (\d+)", "少于 {0} 次"),
        (r"no bind in type (.+)", "类型 {0} 不得有绑定"),
        (r"no document in type (.+)", "类型 {0} 不得有关联单证"),
        (r"a document in type (.+)", "类型 {0} 须有关联单证"),
        (r"exactly one document with bind (.+)", "绑定类型 {0} 须恰有一份单证"),
        (r"(.+) in one slip of bind 1", "{0} 只在一份一车多票核放单中"),
        (r"document kind in (.+)", "单证类型为 {0}"),
        (r"type in (.+)", "类型为 {0}"),
        (r"bind in (.+)", "绑定类型为 {0}"),
        (r"mode in (.+)", "申报模式为 {0}"),
        (r"state in (.+)", "单证状态为 {0}"),
        (r"status (.+)", "状态 {0}"),
        (r"(.+): absent", "{0}：表中没有"),
        (r"(.+): retired", "{0}：已停用"),
        (r"(.+): not_current", "{0}：非现行"),
        # signatures
        (r"at most (\d+) characters expected, found (\d+)", "至多 {0} 个字符，实有 {1}"),
        (r"three parts of a compact JWS expected", "须为三段式 JWS"),
        (r"algorithm (.+) or (.+) expected", "算法须为 {0} 或 {1}"),
        (r"a header without keys.*", "签名头不得自带密钥或扩展"),
        (r"a signature by a pinned key expected", "须由固定公钥签名"),
        (r"base64url without padding expected in the .*", "编码须为无填充 base64url"),
        (r"JSON expected in the .*|a JSON object expected in the .*", "内容须为 JSON 对象"),
        (r"an audience expected", "须注明适用卡口"),
        (r"audience (.+) expected", "适用卡口须为 {0}"),
        (r"a time expected in (.+)", "{0} 须为时间"),
        (r"exp or valid_until_at expected", "须注明有效期止"),
        (r"expired: .*", "签名已过期"),
        (r"not yet valid: .*", "签名尚未生效"),
        (r"a slip number expected", "须注明核放单号"),
        (r"the number of this slip expected", "核放单号不符"),
        (r"the plate of this slip expected", "车牌不符"),
        (r"the version of this slip expected", "版本不符"),
        (r"the direction of this slip expected", "进出方向不符"),
    )
)


def in_chinese(text: str) -> str:
    """A fixed word or phrase of the rules in Chinese; anything else as it is."""
    if text in ZH:
        return ZH[text]
    for pattern, chinese in PATTERNS:
        found = pattern.fullmatch(text)
        if found:
            return chinese.format(*("、".join(ZH.get(item, item) for item in g.split(", ")) for g in found.groups()))
    return text
