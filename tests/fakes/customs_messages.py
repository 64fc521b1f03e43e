"""Customs messages built from the published layouts, with placeholders only; written apart from the code they test."""

from __future__ import annotations

import struct

AREA, CHANNEL = "3116000001", "3116000011"
SLIP = "Z3111E240726000000000456"


def frame(
    xml: bytes,
    code: int = 0x22,
    *,
    area: bytes = AREA.encode(),
    channel: bytes = CHANNEL.encode(),
    flag: bytes = b"I",
    order: str = "<",
    code_length: int = 1,
    identifier: bytes = b"\xff\xff\xff\xff",
    images: bytes = b"",
    total: int | None = None,
    xml_length: int | None = None,
    head: bytes = b"\xe2\x5c\x4b\x89",
    tail: bytes = b"\xff\xff",
) -> bytes:
    """A frame field by field, each of which can be made wrong (table A.1 of JGS/T 14-2015)."""
    code_bytes = struct.pack(f"{order}I", code) if code_length == 4 else bytes([code])
    if total is None:
        total = 37 + code_length + len(xml) + len(images) + 2
    return b"".join([
        head, struct.pack(f"{order}I", total), code_bytes, area.ljust(10, b"\0"), channel.ljust(10, b"\0"), flag,
        identifier, struct.pack(f"{order}I", len(xml) if xml_length is None else xml_length), xml, images, tail,
    ])  # fmt: skip


def images(*pictures: tuple[int, bytes], order: str = "<", total: int | None = None) -> bytes:
    """The images part of a gather frame."""
    body = b"".join(bytes([place]) + struct.pack(f"{order}I", len(data)) + data for place, data in pictures)
    return struct.pack(f"{order}I", len(body) if total is None else total) + body


def gather(area: str = AREA, channel: str = CHANNEL, way: str = "I", inner: str = "") -> str:
    """0x21 as table A.5 has it."""
    return (
        f'<GATHER_INFO AREA_ID="{area}" CHNL_NO="{channel}" I_E_TYPE="{way}" SEQ_NO="20170511010158712034">'
        f"<WEIGHT><GROSS_WT>32440</GROSS_WT></WEIGHT>{inner}</GATHER_INFO>"
    )


def release(word: str = "00000000000000000000", area: str = AREA, channel: str = CHANNEL, way: str = "I") -> str:
    """0x22 as table A.6 has it."""
    return (
        f'<COMMAND_INFO AREA_ID="{area}" CHNL_NO="{channel}" I_E_TYPE="{way}" SEQ_NO="20170511010158712034">'
        f"<CHECK_RESULT>{word}</CHECK_RESULT><OP_HINT>直接放行</OP_HINT></COMMAND_INFO>"
    )


def receipt(message: str = "SAS223", *, result: str = "1", head: str = "SasPassportBsc", **changes: str | None) -> str:
    """A slip receipt as the single window sends it; a change of None leaves the tag out."""
    slip: dict[str, str | None] = {
        "passportNo": SLIP, "passportTypecd": "2", "dclTypecd": "1", "ioTypecd": "E", "bindTypecd": "1",
        "masterCuscd": "3111", "rltTbTypecd": "1", "rltNo": "QD311124E000000001\\QD311124E000000002",
        "areainEtpsno": "3311660001", "vehicleNo": "浙B12345", "containerNo": "", "vehicleWt": "13000",
        "vehicleFrameWt": "1000", "containerWt": "", "totalWt": "16245.335", "passCollectWt": "0",
        "wtError": "16245.335", "totalGrossWt": "2245.335", "passTime": "2024-07-26 17:31:59", "stucd": "2",
        "logisticsStucd": "1", "ownerSystem": "1", **changes,
    }  # fmt: skip
    tags = "".join(f"<{name}>{value}</{name}>" for name, value in slip.items() if value is not None)
    answer = (
        f"<HdeApprResult><etpsPreentNo>202400000000000001</etpsPreentNo><businessId>{slip['passportNo']}</businessId>"
        f"<tmsCnt>0</tmsCnt><typecd/><manageResult>{result}</manageResult></HdeApprResult>"
    )
    return package(message, f"<{message}>{answer}<{head}>{tags}</{head}></{message}>")


def package(message: str, body: str, pockets: str = "1") -> str:
    """The envelope downwards."""
    return (
        '<?xml version="1.0" encoding="utf-8" standalone="yes"?>\n<Package><EnvelopInfo><version>1.0</version>'
        f"<message_id>CUS0000E0100002024072617320300000000001</message_id><message_type>{message}</message_type>"
        "<sender_id>CUS0000</sender_id><receiver_id>E010000</receiver_id></EnvelopInfo><DataInfo><PocketInfo>"
        f"<total_pocket_qty>{pockets}</total_pocket_qty><cur_pocket_no>1</cur_pocket_no><is_unstructured/></PocketInfo>"
        f"<BussinessData>{body}</BussinessData></DataInfo></Package>"
    )


def application(**changes: str) -> str:
    """SAS121, the envelope upwards."""
    slip = {
        "SeqNo": "", "PassportNo": "", "EtpsPreentNo": "HFD0001", "PassportTypecd": "3", "DclTypecd": "1",
        "IoTypecd": "I", "BindTypecd": "1", "MasterCuscd": "3111", "RltTbTypecd": "1", "RltNo": "",
        "AreainEtpsno": "3311660001", "VehicleNo": "浙B12345", "VehicleWt": "13000", "VehicleFrameWt": "1000",
        "ContainerNo": "CSQU3054383", "ContainerWt": "2200", "TotalGrossWt": "16245.335", "TotalWt": "32445.335",
        **changes,
    }  # fmt: skip
    tags = "".join(f"<{name}>{value}</{name}>" for name, value in slip.items())
    return (
        "<Signature><Object><Package><EnvelopInfo><message_type>SAS121</message_type></EnvelopInfo><DataInfo>"
        "<BussinessData><DelcareFlag>1</DelcareFlag><PassPortMessage><OperCusRegCode>3311660001</OperCusRegCode>"
        f"<PassportHead>{tags}</PassportHead>"
        "<PassportAcmp><RtlBillTypecd>1</RtlBillTypecd><RtlBillNo>QD311124I000000001</RtlBillNo></PassportAcmp>"
        "<PassportAcmp><RtlBillTypecd>1</RtlBillTypecd><RtlBillNo>QD311124I000000002</RtlBillNo></PassportAcmp>"
        "</PassPortMessage></BussinessData></DataInfo></Package></Object></Signature>"
    )
