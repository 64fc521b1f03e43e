"""Both languages are complete: every key that the pages use has a text in each catalogue."""

from __future__ import annotations

import gzip
import json
import re

import pytest

from devices.weighbridge.frame import Reason
from gate_service.domain import errors
from gate_service.domain.commands import Command, Role, Scope
from gate_service.domain.passage import Disposition
from gate_service.domain.reading import Aspect, BoomPosition, Detector, Presence, Side, WeightStatus
from gate_service.domain.regime import SLIP_TYPES
from gate_service.domain.verdict import Verdict
from gate_service.register_desk import names
from gate_service.web import context
from gate_service.web.access import pages_of
from lanes.policy.reasons import REASONS
from lanes.policy.redecide import NOT_JUDGED
from lanes.snapshot import ATTESTED
from lanes.ways import INSPECTED, REFUSED, YARD_BEFORE
from sync.conflicts import CLAIM_LOST, REVOKED, USED_ELSEWHERE
from sync.second_factors import Purpose
from sync.shifts import LOGGED
from sync.site_holds import TARGETS

STATIC = context.HERE / "static"
CATALOGUES = {path.stem: json.loads(path.read_text(encoding="utf-8")) for path in (STATIC / "i18n").glob("*.json")}
PROGRAMS = {path.name: path.read_text(encoding="utf-8") for path in (STATIC / "app").glob("*.js")}
LITERAL = re.compile(r'"([a-z_]+(?:\.[a-z_0-9]+)+)"')
STORED = {"gate.language", "gate.theme", "gate.keys", "gate.sound"}  # names in the browser's storage, not texts
FAMILY = re.compile(r"\bt\(\s*`([a-z_.]+)\$\{")


OFF_PAGE = ("gate_service.cli", "gate_service.bench", "devices.simulator", "tests")  # their errors end at a command


def all_errors(kind: type[errors.GateError]) -> set[str]:
    """Codes of all errors that a page may have to show, of what is imported so far."""
    shown = set() if kind.__module__.startswith(OFF_PAGE) else {kind.code}
    return shown.union(*(all_errors(one) for one in kind.__subclasses__()))


COLUMNS = {
    name
    for program, start in (
        ("registers.js", "const COLUMNS"),
        ("reports.js", "const RISK"),
        ("reports.js", "const FLOW"),
    )
    for name in re.findall(
        r'"([a-z_0-9]+)"',
        re.split(r"\n(?:\};|const (?!COLUMNS))", PROGRAMS[program][PROGRAMS[program].index(start) :])[0],
    )
}
GOODS = {"direction", "category", "plate", "tare_kg", "trailer_plate", "trailer_tare_kg", "customs_code", "enterprise"}
GOODS |= {"driver", "name", "quantity", "unit", "gross_kg", "hs_code", "item_no"}
LINK_REJECTS = {
    "timeout", "short_answer", "out_of_step", "echo_mismatch", "foreign_write", "outputs_fell", "power_lost",
    "connection_lost", "exception", "no_answer", "unit_configured", "decimals_configured", "off_interval",
}  # fmt: skip
"""Why answers of devices were thrown away, beyond the reasons of weighing frames."""

FAMILIES = {
    "authority.delivery.": {"due", "parked", "delivered"},
    "authority.history.": {"hour", "day"},
    "authority.xlsx.": {"inventory", "entries"},
    "category.": {"infrastructure", "office", "labour_protection", "living", "other", "transit"},
    "column.": COLUMNS | {"day", "sha256", "secret", "draws"},
    "goods.": GOODS | {"title", "line", "more", "send", "made", "grades"},
    "list.origin.": {"central", "site"},
    "list.place.": {"yard_inside", "yard_before", "at_premises"},
    "list.state.": {
        "valid",
        "expired",
        "not_yet",
        "ended",
        "open",
        "used",
        "void",
        "complete",
        "closed",
        "exceeded",
        "short",
    },
    "register.": set(names()),
    "report.": {"risk", "flow", "draws"},
    "report.by.": {"enterprise", "credit", "goods"},
    "authority.because.": {
        "unmatched",
        "mass_unknown",
        "cas_ambiguous",
        "name_ambiguous",
        "cas_and_name_differ",
        "category_unknown",
        "not_in_tables",
        "class_unknown",
    },
    "authority.by.": {"unit", "enterprise", "class"},
    "authority.column.": {"un", "name", "class", "quantity", "enterprise", "phone", "sds", "matched"},
    "authority.event.": {"entered", "exited", "turned_away", "corrected"},
    "authority.matched.": {"table1_cas", "table1_cas_name", "table1_name", "table2_symbol", "table2_class"},
    "authority.missing.": {"alpha_unknown", "beta_unknown"},
    "authority.note.": {"condition_not_checked", "cas_not_of_row", "lines_differ_smallest_q", "category_unknown"},
    "authority.state.": {"normal", "warning", "alarm"},
    "authority.target.": set(TARGETS),
    "account.about.": set(Purpose),
    "account.factor.": set(Purpose),
    "matter.": {
        *("vehicle_in_lane", "lane_needs_attention", "approval_pending", "motion_unexplained", "emergency_raise"),
        *("regime_open", "not_reconciled", "parked"),
    },
    "outcome.": {
        *("tailgating", "pushed_by_hand", "local_button", "power_cut", "test", "unknown"),
        *("justified", "not_justified", "confirmed", "discrepancy"),
    },
    "record.": {*LOGGED, "sign_in", "sign_out", "session_locked", "session_unlocked", "regime_opened", "paper_typed"}
    | {"token_added", "user_added"}
    | {"shift_handed_over", "matter_settled"},
    "regime.state.": {"released", "paper"},
    "regime.type.": set(SLIP_TYPES),
    "aspect.": set(Aspect),
    "boom.": set(BoomPosition),
    "cause.": {"vehicle", "container", "goods"},
    "check.": set(REASONS),
    "chrome.theme.": {"auto", "light", "dark"},
    "attest.": set(ATTESTED),
    "command.": set(Command) | set(ATTESTED) | {"approve"},
    "connection.": {"connecting", "live", "lost"},
    "credit.": {"advanced", "registered", "dishonest"},
    "detector.": set(Detector),
    "device.": {"io_module", "weighbridge", "wiring", "power", "lane_inputs"},
    "devices.quality.": {"hardware", "capture", "manual"},
    "devices.safe.": {"confirmed", "unconfirmed", "unknown"},
    "direction.": {"inbound", "outbound"},
    "disposition.": set(Disposition),
    "form.": {"name", "password", "again", "code"},
    "fact.": {"plate", "trailer_plate", "slip_nos", "containers", "seals", "escort"},
    "hazmat.class.": {*"1235789", "2.1", "2.2", "2.3", "4.1", "4.2", "4.3", "5.1", "5.2", "6.1", "6.2"} - {"5"},
    "kind.": {"declared", "non_declared"},
    "light.": set(Side),
    "override.": {
        f"{who}{form}" for who in ("operator", "supervisor", "two", "nobody") for form in ("", ".text", ".long")
    },
    "page.": {page for role in Role for page in pages_of(role)},
    "policy.change.": {"passage", "old", "new", "gone", "added"},
    "policy.column.": {"version", "state", "from", "proposed", "approved", "act"},
    "policy.mistake.": {"place", "expected", "found"},
    "policy.origin.": {"record", "file", "default"},
    "policy.state.": {"proposed", "scheduled", "in_force", "replaced", "withdrawn"},
    "presence.": set(Presence),
    "reject.": {str(reason) for reason in Reason} | LINK_REJECTS,
    "problem.": all_errors(errors.GateError) | {"too_many_requests"},
    "role.": set(Role),
    "scope.": set(Scope),
    "side.": set(Side),
    "switch.": {"fire", "local_button", "power_fail"},
    "slip.status.": {"applied", "approved", "passed", "first_gate_passed", "second_gate_passed", "deleted", "void"},
    "slip.type.": set("1234567"),
    "sound.": {"on", "muted", "blocked"},
    "source.": {"central", "local"},
    "sync.claim.": {"granted", "asked", "refused", "unclaimed", "returning", "unconfirmed", "expired"},
    "sync.conflict.": {REVOKED, USED_ELSEWHERE, CLAIM_LOST},
    "sync.line.": {"up", "down", "idle", "absent", "outbox", "authority"},
    "sync.use.": {"used", "reserved"},
    "tier.": {"exempt", "sampled", "relaxed", "standard", "strict", "record"},
    "title.": {"sign_in", "first", "problem", "outside"},
    "verdict.": {*(verdict.word for verdict in Verdict), NOT_JUDGED},
    "way.": {*REFUSED, *INSPECTED, YARD_BEFORE},
    "weight.": {"stable", "motion", "unknown"},
    "weight.status.": set(WeightStatus),
}


def used_keys() -> set[str]:
    keys = {key for program in PROGRAMS.values() for key in LITERAL.findall(program)} - STORED
    reasons = re.search(r"export const REASONS = \{(.*?)\};", PROGRAMS["reasons.js"], re.DOTALL)
    assert reasons is not None
    return keys | {f"reason.{code}" for code in re.findall(r'"([a-z_]+)"', reasons[1])} | {"reason.other"}


def test_there_are_two_languages() -> None:
    assert set(CATALOGUES) == {"zh", "en"}


@pytest.mark.parametrize("language", ["zh", "en"])
def test_no_text_is_missing(language: str) -> None:
    catalogue = CATALOGUES[language]
    wanted = used_keys() | {prefix + word for prefix, words in FAMILIES.items() for word in words}
    assert sorted(wanted - set(catalogue)) == []
    assert [key for key, text in catalogue.items() if not text.strip()] == []


def test_both_catalogues_have_the_same_keys_and_fill_ins() -> None:
    zh, en = CATALOGUES["zh"], CATALOGUES["en"]
    assert set(zh) == set(en)
    for key in zh:
        assert set(re.findall(r"\{(\w+)\}", zh[key])) == set(re.findall(r"\{(\w+)\}", en[key])), key


def test_every_family_of_texts_that_a_page_builds_is_known_here() -> None:
    families = {prefix for program in PROGRAMS.values() for prefix in FAMILY.findall(program)}
    assert families - set(FAMILIES) == {"reason."}


def test_no_text_that_nobody_uses_is_kept() -> None:
    prefixes = (*FAMILIES, "reason.")
    unused = [key for key in CATALOGUES["en"] if key not in used_keys() and not key.startswith(prefixes)]
    assert unused == []


def test_the_pages_load_nothing_from_outside_and_hold_no_inline_program() -> None:
    for path in [*(STATIC / "app").glob("*"), *(STATIC / "css").glob("*"), *(context.HERE / "templates").glob("*")]:
        text = path.read_text(encoding="utf-8")
        assert not re.search(r"https?://(?!www\.w3\.org)", text), path.name
        if path.suffix == ".html":
            assert not re.search(r"<script(?![^>]*\bsrc=)", text), path.name
            assert not re.search(r"\s(on[a-z]+|style)=", text), path.name


def test_the_whole_terminal_weighs_less_than_a_quarter_of_a_megabyte_on_the_wire() -> None:
    parts = [*(STATIC / "app").glob("*.js"), *(STATIC / "css").glob("*.css"), *(STATIC / "i18n").glob("*.json")]
    parts += (STATIC / "vendor").glob("*.mjs")
    assert 40_000 < sum(len(gzip.compress(path.read_bytes(), 6)) for path in parts) < 250_000


def test_every_command_has_a_key_of_its_own_that_no_other_and_no_page_wide_key_uses() -> None:
    table = re.search(r"export const COMMAND_KEYS = \{(.*?)\};", PROGRAMS["keys.js"], re.DOTALL)
    assert table is not None
    keys = dict(re.findall(r'(\w+): "([A-Z])"', table[1]))
    assert set(keys) == {command.value for command in Command} | set(ATTESTED) | {"approve"}
    assert len(set(keys.values())) == len(keys)
    assert not set(keys.values()) & {"N", "M", "L"}
