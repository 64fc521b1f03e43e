"""A customs message to one object: its name, where frame and XML disagree, what its fields say wrongly."""

from __future__ import annotations

import pytest

from gate_service.domain.errors import MessageError, MessageUnknownError, XmlError
from sync.central.message import LARGEST_MESSAGE_BYTES, read_message
from tests.fakes import customs_messages as built

DXP = (
    "<DxpMessage><MessageHead><messageType>BAYONETPASSREC</messageType></MessageHead>"
    "<MessageBody><VePassResponse><ioFlag>O</ioFlag></VePassResponse></MessageBody></DxpMessage>"
)


def codes(answer):
    return [text.partition(":")[0] for text in answer["warnings"]]


def read(xml, encoding="utf-8"):
    return read_message(xml.encode(encoding))


@pytest.mark.parametrize(
    ("xml", "name"),
    [
        (built.gather(), "0x21"),
        ('<GATHER_INFO AREA_ID="1" CHNL_NO="2" I_E_TYPE="E" SEQ_NO="20170511010158712034"/>', "0x21"),
        ("<GATHER_INFO><SEQ_NO>20170511010158712034</SEQ_NO><IC/></GATHER_INFO>", "0x21"),
        ("<GATHER_INFO><I_E_FLAG>I</I_E_FLAG><SESSION_ID>1</SESSION_ID><GROSS_WT/></GATHER_INFO>", "0x81"),
        ("<GATHER_INFO><GETHER_MODE>A</GETHER_MODE></GATHER_INFO>", "0x81"),
        (built.release(), "0x22"),
        ("<COMMAND_INFO><OP_HINT/></COMMAND_INFO>", "0x22"),
        ("<COMMAND_INFO><EXCUTE_COMMAND>00000000000000000000</EXCUTE_COMMAND></COMMAND_INFO>", "0x31"),
        ("<COMMAND_FEEDBACK><EXECUTE_RESULT>00000000000000000000</EXECUTE_RESULT></COMMAND_FEEDBACK>", "0x32"),
        ("<COMMAND_INFO><DEVICE_ID>160101</DEVICE_ID><DEVICE_STATUS>3</DEVICE_STATUS></COMMAND_INFO>", "0x33"),
        ("<COMMAND_FEEDBACK><CONTROL_RESULT>0</CONTROL_RESULT></COMMAND_FEEDBACK>", "0x34"),
        ("<DEVICE_STATUS><DEVICES><DEVICE_STATUS>1</DEVICE_STATUS></DEVICES></DEVICE_STATUS>", "0x42"),
        ("<CHANNEL_EXCEPTION><DEVICE_ID/><DEVICE_STATUS>2</DEVICE_STATUS></CHANNEL_EXCEPTION>", "0x43"),
        ("<REGISTER><MONITOR_IP>192.0.2.1</MONITOR_IP><MONITOR_PORT>9001</MONITOR_PORT></REGISTER>", "0x61"),
        ("<REGISTER_RESULT><RESULT>0</RESULT><RIGHTS>2</RIGHTS></REGISTER_RESULT>", "0x62"),
        ("<GATHER_FEEDBACK><SESSION_ID>1</SESSION_ID><CHECK_RESULT>M</CHECK_RESULT></GATHER_FEEDBACK>", "0x82"),
        ("<OPERATE_INFO><GPS/></OPERATE_INFO>", "0x83"),
        ("<OPERATE_FEEDBACK><GPS><RESULT>1</RESULT></GPS></OPERATE_FEEDBACK>", "0x84"),
        ("<MANUAL_CHECK><SESSION_ID>1</SESSION_ID><CHECK_RESULT>2</CHECK_RESULT></MANUAL_CHECK>", "0x85"),
        (built.receipt("SAS221", stucd="1"), "SAS221"),
        (built.receipt("SAS222"), "SAS222"),
        (built.receipt(), "SAS223"),
        (built.receipt("SAS224", result="3"), "SAS224"),
        (built.receipt("SAS251", head="Sas2stepPassportBsc"), "SAS251"),
        (built.receipt("SAS253", head="Sas2stepPassportBsc"), "SAS253"),
        (built.package("INV201", "<INV201><BondInvtBsc/></INV201>"), "INV201"),
        (built.application(), "SAS121"),
        ("<SAS223><SasPassportBsc/></SAS223>", "SAS223"),
        ("<CommonResponeMessage><SeqNo/><DealFlag>0</DealFlag></CommonResponeMessage>", "CommonResponeMessage"),
        (DXP, "BAYONETPASSREC"),
    ],
)
def test_a_message_without_frame_is_named_by_its_root_and_tags(xml, name):
    answer = read(xml)
    assert answer["message"] == name
    assert answer["frame"] is None


@pytest.mark.parametrize("name", ["0x31", "0x34"])
def test_where_two_codes_share_an_xml_the_doubt_is_told(name):
    tag = "EXCUTE_COMMAND" if name == "0x31" else "CONTROL_RESULT"
    answer = read(f"<COMMAND_INFO><{tag}/></COMMAND_INFO>")
    assert answer["message"] == name
    assert "code_not_in_xml" in codes(answer)


def test_the_frame_names_the_message():
    xml = b"<COMMAND_INFO><EXCUTE_COMMAND>02000000000000000000</EXCUTE_COMMAND></COMMAND_INFO>"
    answer = read_message(built.frame(xml, 0x35))
    assert answer["message"] == "0x35"
    assert answer["state_word"]["barrier"] == "lower"
    assert answer["warnings"] == []


def test_a_framed_release_is_one_object_of_the_public_shape():
    answer = read_message(built.frame(built.release("11000w00000000000000").encode("gb2312"), order=">"))
    assert {key: answer["frame"][key] for key in ("code", "area_id", "channel", "direction")} == {
        "code": "0x22", "area_id": built.AREA, "channel": built.CHANNEL, "direction": "I",
    }  # fmt: skip
    assert (answer["frame"]["byte_order"], answer["frame"]["code_length"]) == ("big", 1)
    assert answer["fields"] == {
        "AREA_ID": built.AREA, "CHNL_NO": built.CHANNEL, "I_E_TYPE": "I", "SEQ_NO": "20170511010158712034",
        "CHECK_RESULT": "11000w00000000000000", "OP_HINT": "直接放行",
    }  # fmt: skip
    assert answer["state_word"]["words"] == [
        {"word": 6, "device": "ic_card", "value": "w", "meaning": "not_registered"}
    ]
    assert codes(answer) == ["encoding_guessed"]


@pytest.mark.parametrize(
    ("changes", "warned"),
    [
        ({}, []),
        ({"area": "3116000002"}, ["area_mismatch"]),
        ({"channel": "3116000012"}, ["channel_mismatch"]),
        ({"channel": built.AREA + built.CHANNEL}, []),
        ({"way": "E"}, ["direction_mismatch"]),
        ({"area": "", "channel": "", "way": ""}, ["field_missing"] * 3),
    ],
)
def test_where_frame_and_xml_disagree_is_told(changes, warned):
    assert codes(read_message(built.frame(built.gather(**changes).encode(), 0x21))) == warned


def test_a_frame_whose_xml_is_another_message_is_told():
    assert "code_xml_mismatch" in codes(read_message(built.frame(built.gather().encode(), 0x22)))
    assert codes(read_message(built.frame(built.gather().encode(), 0x26))) == []


def test_a_frame_without_xml_has_no_fields():
    answer = read_message(built.frame(b"", 0x25))
    assert (answer["message"], answer["fields"], codes(answer)) == ("0x25", {}, ["xml_empty"])


def test_pictures_are_counted_not_printed():
    raw = built.frame(built.gather().encode(), 0x21, images=built.images((0x30, b"\xff\xd8" * 500)))
    assert read_message(raw)["frame"]["images"] == [{"position": "0x30", "length": 1000}]


@pytest.mark.parametrize(
    ("xml", "warned"),
    [
        (built.gather().replace("20170511010158712034", "1"), ["seq_no"]),
        (built.gather().replace("20170511010158712034", "9" * 24), []),
        (built.gather().replace("32440", "1,5t"), ["weight_not_a_number"]),
        (built.gather().replace("32440", ""), []),
        (built.gather(way="X"), ["direction_unknown"]),
        (built.gather(inner="<CONTA><CONTA_ID_F>CSQU3054383</CONTA_ID_F><CONTA_ID_B/></CONTA>"), []),
        (built.gather(inner="<CONTA><CONTA_ID_F>CSQU3054384</CONTA_ID_F></CONTA>"), ["container_no"]),
        (built.gather(inner="<NEW_TAG>1</NEW_TAG>"), []),
        (built.release("0" * 19), ["state_word_length"]),
        (built.release(""), ["field_missing"]),
        ("<MANUAL_CHECK><SESSION_ID>1</SESSION_ID><CHECK_RESULT>4</CHECK_RESULT></MANUAL_CHECK>", ["value_unknown"]),
        ("<GATHER_FEEDBACK><SESSION_ID/><CHECK_RESULT>Y</CHECK_RESULT></GATHER_FEEDBACK>", ["field_missing"]),
    ],
)
def test_fields_against_the_lists_and_forms_of_the_standard(xml, warned):
    assert codes(read(xml)) == warned


@pytest.mark.parametrize(
    ("changes", "warned"),
    [
        ({}, []),
        ({"passCollectWt": "16245.335", "wtError": "0"}, []),
        ({"totalWt": "3240.013", "vehicleWt": "3240", "vehicleFrameWt": "50", "totalGrossWt": "0.013",
          "passCollectWt": "3553", "wtError": "-312.987", "passTypecd": "2"}, ["weight_sum"]),
        ({"wtError": "16245.334"}, ["weight_error"]),
        ({"wtError": "-16245.335"}, ["weight_error"]),
        ({"wtError": ""}, []),
        ({"passCollectWt": None, "wtError": None}, []),
        ({"containerWt": "2200"}, ["weight_sum"]),
        ({"totalGrossWt": ""}, []),
        ({"totalWt": "16245.3350"}, []),
        ({"totalWt": "1e4"}, ["weight_not_a_number"]),
        ({"totalWt": "9" * 400}, ["weight_not_a_number"]),
        ({"vehicleWt": "0", "totalWt": "", "wtError": ""}, ["tare"]),
        ({"passportNo": "Z3111E24072600000000045"}, ["slip_no"]),
        ({"passportNo": "Z3111I240726000000000456"}, ["slip_no"]),
        ({"passportNo": "Z3105E241030T00000000075"}, []),
        ({"passportTypecd": "9"}, ["value_unknown"]),
        ({"dclTypecd": "2"}, ["value_unknown"]),
        ({"stucd": "7"}, ["value_unknown"]),
        ({"ioTypecd": "O"}, ["value_unknown"]),
        ({"passportTypecd": "6"}, ["binding_not_empty"]),
        ({"passportTypecd": "5", "bindTypecd": "", "rltTbTypecd": "", "rltNo": ""}, []),
        ({"passportTypecd": "6", "bindTypecd": "", "rltTbTypecd": "", "rltNo": "QD1"}, ["binding_not_empty"]),
        ({"bindTypecd": "2"}, ["related_documents"]),
        ({"bindTypecd": "2", "rltNo": "QD311124E000000001"}, []),
        ({"rltTbTypecd": "2"}, ["related_documents"]),
        ({"rltNo": "QD31112E000000001"}, ["document_no"]),
        ({"vehicleNo": "12345"}, ["plate"]),
        ({"vehicleNo": "浙B·D12345"}, []),
        ({"vehicleNo": "浙B*****"}, []),
        ({"containerNo": "CSQU1234567"}, ["container_no"]),
        ({"areainEtpsno": "33116"}, ["customs_code"]),
        ({"areainEtpsno": "330261A0AB"}, []),
    ],
)  # fmt: skip
def test_a_receipt_against_its_own_arithmetic_and_lists(changes, warned):
    assert codes(read(built.receipt(**changes))) == warned


@pytest.mark.parametrize(
    ("xml", "warned"),
    [
        (built.application(), []),
        (built.application(TotalWt="32445.336"), ["weight_sum"]),
        (built.application(PassportTypecd="5"), ["binding_not_empty"]),
        (built.application(BindTypecd="3"), ["related_documents"]),
        (built.application(RltNo="QD311124I000000001"), []),
        (built.receipt("SAS224"), ["value_unknown"]),
        (built.receipt().replace("<businessId>Z", "<businessId>Y"), ["slip_no_mismatch"]),
        (built.receipt().replace("<message_type>SAS223", "<message_type>SAS221"), ["message_type"]),
        (built.package("SAS223", "<SAS223/>", pockets="2"), ["pocket_part"]),
        (built.package("SAS223", ""), ["body_missing"]),
        (built.package("SAS223", "<SAS223><a/></SAS223><SAS224><a/></SAS224>"), ["field_repeated"]),
    ],
)
def test_envelopes_up_and_down(xml, warned):
    assert codes(read(xml)) == warned


@pytest.mark.parametrize(("number", "warned"), [("310520241000000001", []), ("31052024100000001", ["document_no"])])
def test_the_declarations_of_a_two_step_slip_have_their_form(number, warned):
    xml = built.receipt("SAS253", head="Sas2stepPassportBsc").replace(
        "</SAS253>", f"<Sas2stepPassportRlt><entryId>{number}</entryId></Sas2stepPassportRlt></SAS253>"
    )
    assert codes(read(xml)) == warned


def test_an_envelope_nests_as_it_was_sent_with_its_own_spellings():
    fields = read(built.application())["fields"]
    body = fields["Object"]["Package"]["DataInfo"]["BussinessData"]
    assert body["DelcareFlag"] == "1"
    assert [entry["RtlBillNo"] for entry in body["PassPortMessage"]["PassportAcmp"]] == [
        "QD311124I000000001",
        "QD311124I000000002",
    ]
    assert read(built.receipt())["fields"]["EnvelopInfo"]["message_type"] == "SAS223"


@pytest.mark.parametrize(
    ("raw", "error"),
    [
        (b"", MessageError),
        (b" \r\n", MessageError),
        (b"hello", MessageError),
        (b"{}", MessageError),
        (b"\0\0" + built.frame(b"<a/>"), MessageError),
        (built.frame(b"not xml at all"), XmlError),
        (b"<html/>", MessageUnknownError),
        (b"<GATHER_INFO/>", MessageUnknownError),
        (b"<COMMAND_INFO/>", MessageUnknownError),
        (b"<Package/>", MessageUnknownError),
        (b"<Package><EnvelopInfo/><DataInfo>x</DataInfo></Package>", MessageUnknownError),
        (b"<Signature><Object>x</Object></Signature>", MessageUnknownError),
        (b"<DxpMessage/>", MessageUnknownError),
        (bytes(LARGEST_MESSAGE_BYTES + 1), MessageError),
    ],
    ids=range(14),
)
def test_what_is_no_message_is_refused_with_the_reason(raw, error):
    with pytest.raises(error, match="expected"):
        read_message(raw)


def test_bytes_before_a_frame_are_not_searched_through_but_named():
    with pytest.raises(MessageError, match="comes at byte 2"):
        read_message(b"\0\0" + built.frame(b"<a/>"))


@pytest.mark.parametrize("name", ["EnvelopInfo", "DataInfo", "BussinessData", "PocketInfo", "SAS223", "HdeApprResult",
                                  "SasPassportBsc", "passportNo", "rltNo", "totalWt"])  # fmt: skip
def test_a_part_sent_twice_or_as_bare_text_never_breaks_the_reading(name):
    xml = built.receipt()
    start, end = xml.index(f"<{name}>"), xml.index(f"</{name}>") + len(name) + 3
    part = xml[start:end]
    for changed in (part + part, f"<{name}/>", f"<{name}>text</{name}>", f'{part}<{name} a="1">t</{name}>'):
        answer = read(xml[:start] + changed + xml[end:])
        assert answer["message"] == "SAS223"
