"""A policy is refused with the place, the finding and what is allowed; the file and the built-in default are one."""

from __future__ import annotations

import copy
import tomllib
from pathlib import Path

import pytest

from gate_service.domain.errors import PolicyError
from lanes.policy.defaults import DEFAULTS
from lanes.policy.policy_reading import read_policy

TIERS = DEFAULTS["tiers"]


def tiers(**changes):
    return {"tiers": {name: copy.deepcopy(t) | changes.get(name, {}) for name, t in TIERS.items()}}


def line(**when):
    return {"assign": [{"when": when, "tier": "strict"}]}


@pytest.mark.parametrize(
    ("policy", "place"),
    [
        ([], "policy.$"),
        ({"colour": "red"}, "policy.$.colour"),
        ({"version": 7}, "policy.version"),
        ({"tiers": {}}, "policy.tiers.strict"),
        ({"tiers": None}, "policy.tiers"),
        (tiers(strict={"weigh": "never"}), "policy.tiers.strict.weigh"),
        (tiers(standard={"compare": False}), "policy.tiers.standard.compare"),
        (tiers(strict={"tolerance_kg": 201}), "policy.tiers.standard.tolerance_kg"),
        (tiers(standard={"tolerance_pct": 11}), "policy.tiers.relaxed.tolerance_pct"),
        (tiers(relaxed={"tolerance_pct": 20.01}), "policy.tiers.relaxed.tolerance_pct"),
        (tiers(relaxed={"cap_kg": -1}), "policy.tiers.relaxed.cap_kg"),
        (tiers(sampled={"rate": 1.01}), "policy.tiers.sampled.rate"),
        (tiers(sampled={"rate": True}), "policy.tiers.sampled.rate"),
        (tiers(strict={"tolerance_kg": float("nan")}), "policy.tiers.strict.tolerance_kg"),
        (tiers(strict={"colour": 1}), "policy.tiers.strict.colour"),
        ({"tiers": TIERS | {"mine": {"weigh": "sampled", "tolerance_kg": 1}}}, "policy.tiers.mine.rate"),
        ({"tiers": TIERS | {"mine": {"weigh": "always"}}}, "policy.tiers.mine"),
        ({"tiers": {k: v for k, v in TIERS.items() if k != "record"}}, "policy.assign[3].tier"),
        (line(colour=["red"]), "policy.assign[0].when.colour"),
        (line(type="5"), "policy.assign[0].when.type"),
        (line(type=["8"]), "policy.assign[0].when.type"),
        (line(grade=[True]), "policy.assign[0].when.grade"),
        (line(hazmat=[1]), "policy.assign[0].when.hazmat"),
        (line(credit=[["advanced"]]), "policy.assign[0].when.credit"),
        ({"assign": [{"when": {}, "tier": "none"}]}, "policy.assign[0].tier"),
        ({"assign": [{"tier": "strict"}]}, "policy.assign[0].when"),
        ({"assign": [{"when": {}, "tier": "strict", "note": ""}]}, "policy.assign[0].note"),
        ({"declared_types": ["service"]}, "policy.declared_types"),
        ({"register_on_declared_lane": 1}, "policy.register_on_declared_lane"),
        ({"spot_check": {"service": 2}}, "policy.spot_check.service"),
        ({"spot_check": {"other": 0}}, "policy.spot_check.other"),
        ({"override": {"hold": "nobody"}}, "policy.override.hold"),
        ({"override": {"no_such_reason": "two"}}, "policy.override.no_such_reason"),
        ({"offline": {"slip_max_age_h": -1}}, "policy.offline.slip_max_age_h"),
        ({"offline": {"slip_max_age_h": None}}, "policy.offline.slip_max_age_h"),
    ],
)
def test_a_mistake_is_refused_at_its_place(policy, place):
    with pytest.raises(PolicyError) as refused:
        read_policy(policy)
    assert str(refused.value).startswith(f"{place}: expected ")
    assert ", found " in str(refused.value)


def test_what_is_left_out_takes_the_default_and_tiers_are_replaced_whole():
    policy = read_policy(
        {"spot_check": {"service": 0.5}, "override": {"hold": "two"}, "offline": {"hold_max_age_h": 1}}
    )
    assert policy.spot_check["service"] == policy.spot_check["registered"] * 10
    assert policy.override["default"] == "supervisor"
    assert policy.offline.slip_max_age_h == 4
    three = {name: TIERS[name] for name in ("strict", "standard", "relaxed")}
    assert set(read_policy({"tiers": three, "assign": []}).tiers) == set(three)


def test_both_spellings_of_a_yes_or_no_condition_are_read():
    assert read_policy(line(hazmat=True)).assign == read_policy(line(hazmat=[True])).assign


def test_the_file_for_sites_is_the_default():
    file = Path("config/policy/default.toml")
    assert tomllib.loads(file.read_text(encoding="utf-8")) == DEFAULTS
