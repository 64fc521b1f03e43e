"""What in a slip message contradicts itself or the published lists: warnings, never refusals. Pure.

Customs itself does not enforce all of it (one real receipt has a total that is not the sum), so the reader is told and
the message stands. Code lists, number forms and rules with their sources: `docs/protocols/single-window.md`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import Final

from gate_service.domain.vehicle import comparable_plate, container_check_digit_fits
from sync.central.figures import weight_kg
from sync.central.single_window.envelope import Envelope
from sync.central.warnings import WarningCode, shown, warning
from sync.central.xml import Field, Fields, parts, text_of

SLIP_NO: Final = re.compile(r"Z\d{4}[IE]\d{6}[0-9T]\d{11}", re.ASCII)
NOTE_NO: Final = re.compile(r"QD\d{6}[IE]\d{9}", re.ASCII)  # bonded note list (核注清单)
DECLARATION_NO: Final = re.compile(r"\d{4}(?:19|20)\d{2}[01]\d{9}", re.ASCII)
_CUSTOMS_CODE: Final = re.compile(r"\d{6}[0-9A-Z]{4}", re.ASCII)
# The loose form of the sources: ordinary and new-energy plates, trailers, cross-border.
_PLATE: Final = re.compile(r"[\u4e00-\u9fff][A-HJ-NP-Z][A-HJ-NP-Z0-9]{4,5}[A-HJ-NP-Z0-9挂学警港澳]")

_HEADS: Final = ("SasPassportBsc", "Sas2stepPassportBsc", "PassportHead")
_DOCUMENTS: Final = ("PassportAcmp", "SasPassportRlt")
_LISTS: Final[Mapping[str, str]] = {
    "passportTypecd": "1 2 3 4 5 6 7",
    "bindTypecd": "1 2 3",
    "rltTbTypecd": "1 2 3",
    "dclTypecd": "1 3",  # slips are filed or voided, never changed
    "ioTypecd": "I E",
    "stucd": "0 1 2 3 4 5 6",
    "emapvMarkcd": "1 2 3",
    "logisticsStucd": "0 1",
    "ownerSystem": "1 2",
}
_RESULTS: Final[Mapping[str, str]] = {
    "SAS221": "1 2 3 Y Z",
    "SAS251": "1 2 3 Y Z",
    "SAS223": "1 2",
    "SAS224": "2 3",
    "SAS253": "1",
}
_KIND_OF_TYPE: Final[Mapping[str, str]] = {"1": "3", "2": "1", "3": "1", "4": "2"}  # table 2.2 of the sources
_WEIGHTS: Final = (
    "vehicleWt", "vehicleFrameWt", "containerWt", "totalGrossWt", "totalNetWt", "totalWt", "passCollectWt", "wtError",
)  # fmt: skip


def slip_warnings(envelope: Envelope) -> list[str]:
    """Everything odd about the slips in a message; none for messages without one."""
    notes = [*_result(envelope)]
    for name in _HEADS:
        for head in parts(envelope.body, name):
            slip = {key[:1].lower() + key[1:]: value for key, value in head.items()}  # up: PassportNo, down: passportNo
            numbers = _document_numbers(slip, envelope.body)
            for check in (_listed, _numbers, _weights, _identities):
                notes += check(slip)
            notes += _binding(slip, numbers)
            notes += _declarations(envelope.body)
            notes += _said_twice(slip, envelope)
    return notes


def _value(fields: Field, name: str) -> str:
    return (text_of(fields, name) or "").strip()


def _result(envelope: Envelope) -> Iterator[str]:
    listed = _RESULTS.get(envelope.message)
    for answer in parts(envelope.body, "HdeApprResult") if listed else ():
        value = _value(answer, "manageResult")
        if value not in (listed or "").split():
            found = f"manageResult of {envelope.message}: one of {listed} expected, found {shown(value)}"
            yield warning(WarningCode.VALUE_UNKNOWN, found)


def _listed(slip: Fields) -> Iterator[str]:
    for name, listed in _LISTS.items():
        value = _value(slip, name)
        if value and value not in listed.split():
            yield warning(WarningCode.VALUE_UNKNOWN, f"{name}: one of {listed} expected, found {shown(value)}")


def _numbers(slip: Fields) -> Iterator[str]:
    number, way = _value(slip, "passportNo"), _value(slip, "ioTypecd")
    if not number:
        return
    if not SLIP_NO.fullmatch(number):
        found = f"Z, district 4, I or E, date 6, T or digit, 11 digits expected, found {shown(number)}"
        yield warning(WarningCode.SLIP_NO, found)
    elif way in {"I", "E"} and number[5] != way:
        yield warning(WarningCode.SLIP_NO, f"{number} says {number[5]}, ioTypecd says {way}")


def _weights(slip: Fields) -> Iterator[str]:
    for name in _WEIGHTS:
        if _value(slip, name) and weight_kg(_value(slip, name)) is None:
            found = f"{name}: a number of kg expected, found {shown(_value(slip, name))}"
            yield warning(WarningCode.WEIGHT_NOT_A_NUMBER, found)
    tare, frame, box, goods, _, total, weighed, error = (weight_kg(_value(slip, name)) for name in _WEIGHTS)
    if _value(slip, "vehicleWt") and tare is not None and tare <= 0:
        yield warning(WarningCode.TARE, f"vehicleWt above 0 expected, found {tare}")
    if total is not None and tare is not None and goods is not None:
        # Frame and container may be left out: many trucks have neither.
        summed = tare + (frame or Decimal(0)) + (box or Decimal(0)) + goods
        if total != summed:
            found = (
                f"totalWt = vehicleWt + vehicleFrameWt + containerWt + totalGrossWt = {summed} expected, found {total}"
            )
            yield warning(WarningCode.WEIGHT_SUM, found)
    if total is not None and weighed is not None and error is not None and error != total - weighed:
        found = f"wtError = totalWt - passCollectWt = {total - weighed} expected, found {error}"
        yield warning(WarningCode.WEIGHT_ERROR, found)


def _identities(slip: Fields) -> Iterator[str]:
    plate, box = _value(slip, "vehicleNo"), _value(slip, "containerNo")
    if plate and "*" not in plate and not _PLATE.fullmatch(comparable_plate(plate)):  # masked plates are no mistake
        yield warning(WarningCode.PLATE, f"vehicleNo: a plate such as 浙B12345 expected, found {shown(plate)}")
    for number in filter(None, re.split(r"[,;|\\\s]+", box)):
        if not container_check_digit_fits(number):
            found = f"containerNo: four letters and seven digits with the check digit expected, found {shown(number)}"
            yield warning(WarningCode.CONTAINER_NO, found)
    for name in ("areainEtpsno", "dclEtpsno"):
        code = _value(slip, name)
        if code and "*" not in code and not _CUSTOMS_CODE.fullmatch(code):
            yield warning(WarningCode.CUSTOMS_CODE, f"{name}: six digits and four more expected, found {shown(code)}")


def _document_numbers(slip: Fields, body: Fields) -> list[str]:
    """Each related document once, from the head (several joined with a backslash) and from the list beside it."""
    found = [part.strip() for part in _value(slip, "rltNo").split("\\")]
    for name in _DOCUMENTS:
        for entry in parts(body, name):
            lowered = {key.lower(): value for key, value in entry.items()}
            found += [_value(lowered, key) for key in ("rtlbillno", "rltbillno", "rltno")]
    return list(dict.fromkeys(filter(None, found)))


def _binding(slip: Fields, documents: list[str]) -> Iterator[str]:
    kind, bound, related = (_value(slip, name) for name in ("passportTypecd", "bindTypecd", "rltTbTypecd"))
    if kind in {"5", "6"}:
        filled = {"bindTypecd": bound, "rltTbTypecd": related, "rltNo": "\\".join(documents)}
        said = ", ".join(f"{name} {shown(value)}" for name, value in filled.items() if value)
        if said:
            yield warning(WarningCode.BINDING_NOT_EMPTY, f"type {kind} binds no document; found {said}")
        return
    if bound in {"2", "3"} and len(documents) > 1:
        found = f"binding {bound} has exactly one related document, found {len(documents)}"
        yield warning(WarningCode.RELATED_DOCUMENTS, found)
    expected = _KIND_OF_TYPE.get(kind)
    if expected and related and related != expected:
        found = f"type {kind} goes with related documents of kind {expected}, found {shown(related)}"
        yield warning(WarningCode.RELATED_DOCUMENTS, found)
    for number in documents if related == "1" else ():
        if not NOTE_NO.fullmatch(number):
            found = f"QD, district 4, year 2, I or E, 9 digits expected, found {shown(number)}"
            yield warning(WarningCode.DOCUMENT_NO, found)


def _declarations(body: Fields) -> Iterator[str]:
    """The two-step slip lists customs declarations (报关单), by entryId."""
    for entry in parts(body, "Sas2stepPassportRlt"):
        number = _value(entry, "entryId")
        if number and not DECLARATION_NO.fullmatch(number):
            found = f"entryId: district 4, year 4, 1 or 0, 9 digits expected, found {shown(number)}"
            yield warning(WarningCode.DOCUMENT_NO, found)


def _said_twice(slip: Fields, envelope: Envelope) -> Iterator[str]:
    number = _value(slip, "passportNo")
    for answer in parts(envelope.body, "HdeApprResult"):
        business = _value(answer, "businessId")
        if number and business and business != number:
            found = f"businessId says {shown(business)}, passportNo {shown(number)}"
            yield warning(WarningCode.SLIP_NO_MISMATCH, found)
