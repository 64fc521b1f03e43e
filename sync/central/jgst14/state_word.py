"""The 20-byte state word of appendix B (normative): one character per device, in three variants.

Two traps. Words 6 and 7 use `w` and `x` the other way round. And the barrier word means different things by variant:
1 is "do not lift" in a control command but "lower" in a release instruction, 2 is "lower" in the command only.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from sync.central.warnings import WarningCode, shown, warning

LENGTH: Final = 20


class StateWordVariant(StrEnum):
    """Which of the three words of appendix B."""

    CONTROL = "EXC_CMD"
    RESULT = "EXC_RESULT"
    RELEASE = "CHK_RESULT"


class BarrierOrder(StrEnum):
    """What word 2 asks of the boom."""

    LIFT = "lift"
    STAY = "stay"
    LOWER = "lower"
    NONE = "none"


@dataclass(frozen=True, slots=True)
class StateWord:
    """One state word of 20 characters."""

    variant: StateWordVariant
    text: str

    @property
    def overall(self) -> str:
        """Word 1: the total result; letters V to Z are faults of the back end, not of the vehicle."""
        return _meaning(self.variant, 1, self.text[0]) or "worst_of_the_words"

    @property
    def barrier(self) -> BarrierOrder:
        """Word 2. A result asks for nothing; a letter outside the list is ignored, as the standard says."""
        return _BARRIER[self.variant].get(self.text[1], BarrierOrder.NONE)

    def findings(self) -> list[tuple[int, str, str, str | None]]:
        """What is not '0' beyond words 1 and 2: position, device, character, meaning (None: not in appendix B)."""
        return [
            (place, DEVICES[place], letter, _meaning(self.variant, place, letter))
            for place, letter in enumerate(self.text, 1)
            if place > 2 and letter != "0"
        ]


DEVICES: Final[Mapping[int, str]] = {
    1: "overall", 2: "barrier", 3: "front_container", 4: "rear_container", 5: "weight", 6: "ic_card", 7: "e_plate",
    8: "e_seal", 9: "gps", 10: "led", 11: "voice", 12: "buzzer", 13: "lane_configuration",
    **dict.fromkeys(range(14, LENGTH + 1), "reserved"),
}  # fmt: skip

_BARRIER: Final[Mapping[StateWordVariant, Mapping[str, BarrierOrder]]] = {
    StateWordVariant.CONTROL: {"0": BarrierOrder.LIFT, "1": BarrierOrder.STAY, "2": BarrierOrder.LOWER},
    StateWordVariant.RESULT: {},
    StateWordVariant.RELEASE: {"0": BarrierOrder.LIFT, "1": BarrierOrder.LOWER},
}
_OVERALL: Final = {
    "0": "ok", "Z": "object_conversion_error", "Y": "storing_error", "X": "database_error", "W": "invalid_data",
    "V": "waiting_for_device_feedback",
}  # fmt: skip
_CONTAINER: Final = {
    "1": "released_after_inspection", "v": "several_document_types", "w": "watch_list", "z": "no_release_information",
}  # fmt: skip
_BY_COMMAND: Final[Mapping[int, Mapping[str, str]]] = {
    3: _CONTAINER,
    4: _CONTAINER,
    5: {"q": "vehicle_differs", "p": "container_differs", "o": "goods_differ"},
    6: {"w": "not_registered", "x": "watch_list", "u": "vehicle_expired", "s": "not_a_transit_enterprise"},
    7: {
        "x": "not_registered", "w": "watch_list", "u": "expired", "t": "no_tare", "s": "not_an_enterprise_of_the_kind",
        "r": "vehicle_changed_unlawfully",
    },
    8: {"1": "seal", "2": "unseal", "x": "not_registered"},
    9: {"1": "start", "2": "stop"},
    10: {"1": "on"},
    11: {"1": "on"},
    12: {"1": "on"},
    13: {"y": "not_configured"},
}  # fmt: skip
_BY_RESULT: Final[Mapping[int, Mapping[str, str]]] = {8: {"9": "failed"}, 9: {"9": "failed"}}
# A release word is both merged: words 8 and 9 are the devices' answer, the others what was asked.
_TABLES: Final = {
    StateWordVariant.CONTROL: _BY_COMMAND,
    StateWordVariant.RESULT: _BY_RESULT,
    StateWordVariant.RELEASE: {**_BY_COMMAND, **_BY_RESULT},
}


def read_state_word(text: str, variant: StateWordVariant) -> tuple[StateWord | None, list[str]]:
    """A state word and what is odd about it; None for one that has not 20 characters: no word of it is then sure."""
    if len(text) != LENGTH:
        found = f"{LENGTH} characters expected, found {len(text)}: {shown(text)}"
        return None, [warning(WarningCode.STATE_WORD_LENGTH, found)]
    word = StateWord(variant, text)
    notes = [
        warning(WarningCode.STATE_WORD_VALUE, f"{variant} word {place} ({device}): {letter!r} is not in appendix B")
        for place, device, letter, meaning in word.findings()
        if meaning is None and device != "reserved"  # sites use reserved words, 14 among them, for their own ends
    ]
    if text[1] not in _BARRIER[variant] and variant is not StateWordVariant.RESULT:
        notes.append(
            warning(WarningCode.STATE_WORD_VALUE, f"{variant} word 2 (barrier): {text[1]!r} is not in appendix B")
        )
    if word.barrier is BarrierOrder.LIFT and text[0] in "VWXYZ":
        notes.append(
            warning(WarningCode.STATE_WORD_CONFLICT, f"word 2 asks to lift, word 1 says {text[0]!r} ({word.overall})")
        )
    return word, notes


def _meaning(variant: StateWordVariant, place: int, letter: str) -> str | None:
    return _OVERALL.get(letter) if place == 1 else _TABLES[variant].get(place, {}).get(letter)
