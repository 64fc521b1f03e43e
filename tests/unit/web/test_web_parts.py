"""Vendoring, mailboxes, problems and password rules: the parts that need no socket."""

from __future__ import annotations

import asyncio
import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from gate_service.domain import errors
from gate_service.domain.errors import AccountError
from gate_service.web import vendor
from gate_service.web.bodies import LaneCommand, Plate
from gate_service.web.curves import Curves
from gate_service.web.live import LiveHub, Mailbox
from gate_service.web.problems import problem_of
from sync.passwords import check_new
from sync.throttle import ADDRESS_LIMIT, ADDRESS_WINDOW_S, LONGEST_LOCK_S, REMEMBERED, Throttle, lock_s
from tests.fakes.web_gate import FakeClock, FakeGate

NOW = datetime(2026, 11, 22, tzinfo=UTC)


# Libraries of the pages -------------------------------------------------------------------------------------------


def test_package_names_become_addresses_beside_the_file_and_the_map_comment_goes() -> None:
    program = 'import{a}from"preact";export{b}from"@preact/signals-core";import"./own.js";\n//# sourceMappingURL=x.map'
    assert vendor.rewrite(program) == (
        'import{a}from"./preact.mjs";export{b}from"./signals-core.mjs";import"./own.js";\n'
    )


def test_a_library_that_needs_one_we_do_not_copy_is_found_at_set_up() -> None:
    with pytest.raises(KeyError, match="left-pad"):
        vendor.rewrite('import x from "left-pad"')


def test_copying_writes_every_file_and_its_licence(tmp_path: Path) -> None:
    classic = (source for source, _ in vendor.CLASSIC.values())
    for source in (*vendor.FILES.values(), *vendor.LICENCES.values(), *classic, *vendor.SHEETS.values()):
        path = tmp_path / "node_modules" / source
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("export {};\n")
    written = vendor.copy(tmp_path / "node_modules", tmp_path / "vendor")
    assert {path.name for path in written} >= {"preact.mjs", "signals.mjs", "htm.mjs", "LICENSE.preact.txt"}
    assert all(path.exists() for path in written)
    assert (tmp_path / "vendor" / "uPlot.mjs").read_text().endswith("export default uPlot;\n")


# Live -------------------------------------------------------------------------------------------------------------


async def test_a_slow_reader_gets_the_latest_of_each_lane_and_nothing_old() -> None:
    mailbox = Mailbox(None)
    for text in ("old", "new"):
        mailbox.put_lane("a", text)
    mailbox.put_lane("b", "only")
    mailbox.put_beat("beat")
    assert await mailbox.take() == (["new", "only"], "beat")
    mailbox.close()
    assert await mailbox.take() is None


class BrokenGate(FakeGate):
    """Its subscription fails the first time."""

    def subscribe(self):  # type: ignore[no-untyped-def]
        if not hasattr(self, "has_failed"):
            self.has_failed = True
            raise OSError("no subscription")
        return super().subscribe()


async def test_the_hub_subscribes_again_and_beats_only_while_it_delivers() -> None:
    gate = BrokenGate()
    hub = LiveHub(gate, FakeClock())
    with hub.listen() as mailbox:
        hub._send_beat()
        assert (await mailbox.take()) is not None
        async with asyncio.timeout(15), hub:
            lanes, _ = await mailbox.take() or ([], None)
            assert {json.loads(text)["id"] for text in lanes} <= set(gate.snapshots)
        assert await mailbox.take() is None
    assert hub.connections == 0


async def test_a_closed_hub_ends_pauses_and_late_listeners_at_once() -> None:
    hub = LiveHub(FakeGate(), FakeClock())
    async with asyncio.timeout(15), hub:
        assert await hub.pause(0.0)
    assert not await hub.pause(60.0)
    with hub.listen() as mailbox:
        assert await mailbox.take() is None


# Errors -----------------------------------------------------------------------------------------------------------


def all_errors(kind: type[errors.GateError]) -> list[type[errors.GateError]]:
    return [kind, *(one for sub in kind.__subclasses__() for one in all_errors(sub))]


def make(kind: type[errors.GateError]) -> errors.GateError:
    """One without its constructor: each takes something else."""
    error = kind.__new__(kind, "x")
    if isinstance(error, errors.TooManyAttemptsError):
        error.retry_after_s = 3
    return error


@pytest.mark.parametrize("kind", all_errors(errors.GateError))
def test_every_error_of_ours_has_a_problem_with_its_code_and_input_is_never_5xx(kind: type[errors.GateError]) -> None:
    answer = problem_of(make(kind))
    assert json.loads(bytes(answer.body))["code"] == kind.code
    if issubclass(kind, (errors.InputError, errors.AccessError, errors.CommandRefusedError)):
        assert 400 <= answer.status_code < 500


def test_codes_are_never_used_twice() -> None:
    codes = [kind.code for kind in all_errors(errors.GateError)]
    assert len(codes) == len(set(codes))


# Bodies -----------------------------------------------------------------------------------------------------------


def test_texts_with_control_characters_are_refused_and_reasons_may_have_lines() -> None:
    with pytest.raises(ValueError, match=r"found U\+0000 at 2"):
        Plate.model_validate_json('{"plate":"a\\u0000b"}')
    with pytest.raises(ValueError, match=r"found U\+000A at 2"):
        Plate.model_validate_json('{"plate":"a\\nb"}')
    body = LaneCommand.model_validate_json('{"command":"hold","reason":"one\\ntwo","ignored":1}')
    assert body.reason == "one\ntwo"


# Passwords and guessing ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("password", ["", "1234567", "x" * 129, "password", "Passw0rd", "aaaaaaaaaaaa", "ann-smith"])
def test_weak_passwords_are_refused(password: str) -> None:
    with pytest.raises(AccountError):
        check_new("ann-smith", password)


@pytest.mark.parametrize("password", ["correct horse", "十二个汉字也是一个很好的密码", "Tr0ub4dor&3"])
def test_good_passwords_are_taken_without_composition_rules(password: str) -> None:
    check_new("ann", password)


def test_locks_begin_after_five_failures_and_double_to_a_quarter_hour() -> None:
    assert [lock_s(n) for n in (0, 4, 5, 6, 7, 100)] == [0, 0, 30, 60, 120, LONGEST_LOCK_S]


def test_an_address_is_slowed_whatever_the_names_and_forgotten_after_the_window() -> None:
    throttle = Throttle()
    for _ in range(ADDRESS_LIMIT):
        assert throttle.wait_s("a", "x", NOW) == 0
        throttle.failed("a", None, NOW)
    assert throttle.wait_s("a", "x", NOW) == ADDRESS_WINDOW_S
    assert throttle.wait_s("b", "x", NOW) == 0
    assert throttle.wait_s("a", "x", NOW + timedelta(seconds=ADDRESS_WINDOW_S)) == 0


def test_the_throttle_remembers_only_so_much() -> None:
    throttle = Throttle()
    for n in range(REMEMBERED * 2):
        throttle.failed(f"address {n}", f"name {n}", NOW)
    assert len(throttle._addresses) == len(throttle._names) == REMEMBERED


# The last minute of a weight -----------------------------------------------------------------------------------------


def test_a_curve_keeps_one_point_per_half_second_of_one_minute_and_its_gaps() -> None:
    curves = Curves()
    for tick in range(1300):  # ten a second for more than two minutes
        curves.note({"id": "in-d1", "weight": {"value_kg": None if tick == 1000 else tick}}, tick / 10)
    curves.note({"id": "in-s1", "weight": None}, 130.0)
    told = curves.told(130.0)
    assert list(told) == ["in-d1"]
    points = told["in-d1"]
    assert len(points) == 120
    assert [points[0][0] <= 60_000, points[-1]] == [True, [500, 1295]]
    assert [30_000, None] in points


def test_a_curve_that_nobody_adds_to_runs_out() -> None:
    curves = Curves()
    curves.note({"id": "in-d1", "weight": {"value_kg": 20}}, 0.0)
    assert curves.told(59.0) == {"in-d1": [[59_000, 20]]}
    assert curves.told(61.0) == {"in-d1": []}
