"""The access table, as data."""

from __future__ import annotations

import pytest

from gate_service.domain.commands import Command, Role, Scope
from gate_service.web.access import ADDRESSES, COMMANDS, TABLE, Address, home_of, may_use

OPEN = {
    ("GET", "/healthz"),
    ("GET", "/sign-in"),
    ("GET", "/first"),
    ("GET", "/static/{path:path}"),
    ("GET", "/sign-in/outside"),
    ("GET", "/sign-in/outside/back"),
    ("POST", "/api/v1/session"),
    ("POST", "/api/v1/first"),
}


def test_no_address_stands_twice_and_only_the_way_in_is_open() -> None:
    assert len(TABLE) == len(ADDRESSES)
    assert {key for key, address in TABLE.items() if address.is_open} == OPEN


def test_nobody_but_who_works_the_lanes_gives_commands() -> None:
    assert TABLE["POST", "/api/v1/lanes/{lane}/commands"].roles == {Role.OPERATOR, Role.SUPERVISOR, Role.CUSTOMS}
    assert set(COMMANDS) == set(Command)
    for roles in COMMANDS.values():
        assert not roles & {Role.AUDITOR, Role.AUTHORITY, Role.ADMINISTRATOR, Role.DEVICE}


def test_readers_come_with_tokens_only_and_metrics_have_their_own() -> None:
    for path, scope in (
        ("/api/v1/lanes/{lane}/scan", Scope.SCAN),
        ("/api/v1/lanes/{lane}/plate", Scope.PLATE),
    ):
        assert (TABLE["POST", path].roles, TABLE["POST", path].scope) == (frozenset(), scope)
    assert (TABLE["GET", "/metrics"].roles, TABLE["GET", "/metrics"].scope) == (frozenset(), Scope.METRICS)


def test_whoever_keeps_the_accounts_works_no_lane_and_the_other_way_round() -> None:
    for address in ADDRESSES:
        if "/users" in address.path or "/tokens" in address.path:
            assert address.roles == {Role.ADMINISTRATOR}, address


@pytest.mark.parametrize("role", set(Role) - {Role.DEVICE})
def test_everybody_may_open_the_page_they_are_sent_to(role: Role) -> None:
    assert role in TABLE["GET", home_of(role)].roles


def test_a_token_needs_the_scope_and_the_lane() -> None:
    address = Address("POST", "/x/{lane}", frozenset(), Scope.SCAN, lane_bound=True)
    none: frozenset[str] = frozenset()
    assert may_use(address, None, frozenset({Scope.SCAN}), none, "a")
    assert may_use(address, None, frozenset({Scope.SCAN}), frozenset({"a"}), "a")
    assert not may_use(address, None, frozenset({Scope.SCAN}), frozenset({"a"}), "b")
    assert not may_use(address, None, frozenset({Scope.PLATE}), none, "a")
    assert not may_use(address, Role.OPERATOR, frozenset({Scope.SCAN}), none, "a")
