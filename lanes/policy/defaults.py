"""The default policy of RULES 4 as data. `config/policy/default.toml` is the same table for sites to start from."""

from __future__ import annotations

from typing import Any, Final

DEFAULTS: Final[dict[str, Any]] = {
    "version": "2026-11-01",
    # Tolerances are a site decision: no public figure exists (reference of the customs gate, weight check).
    "tiers": {
        "exempt": {"weigh": "never"},
        "sampled": {"weigh": "sampled", "rate": 0.1, "tolerance_kg": 500, "tolerance_pct": 10},
        "relaxed": {"weigh": "always", "tolerance_kg": 500, "tolerance_pct": 10},
        "standard": {"weigh": "always", "tolerance_kg": 200, "tolerance_pct": 5},
        "strict": {"weigh": "always", "tolerance_kg": 100, "tolerance_pct": 3},
        "record": {"weigh": "always", "compare": False},
    },
    "assign": [
        {"when": {"type": ["service"]}, "tier": "exempt"},
        {"when": {"hazmat": True}, "tier": "strict"},
        {"when": {"controls": True}, "tier": "strict"},
        {"when": {"type": ["7"], "direction": ["inbound"]}, "tier": "record"},
        {"when": {"category": ["transit"]}, "tier": "record"},
        {"when": {"direction": ["outbound"]}, "tier": "standard"},
        {"when": {"type": ["6"]}, "tier": "sampled"},
        {"when": {"type": ["5"], "grade": [1], "credit": ["advanced"]}, "tier": "exempt"},
        {"when": {"type": ["5"], "grade": [1]}, "tier": "sampled"},
        {"when": {"type": ["5"]}, "tier": "relaxed"},
        {"when": {"type": ["4"]}, "tier": "standard"},
        {"when": {}, "tier": "strict"},
    ],
    "declared_types": ["1", "2", "3", "4", "7"],
    "register_on_declared_lane": True,
    "spot_check": {"advanced": 0.01, "registered": 0.05, "dishonest": 1.0, "service": 0.02},
    "override": {
        "default": "supervisor",
        "plate_mismatch": "supervisor",
        "weight_mismatch": "supervisor",
        "document_not_released": "two",
    },
    # RULES 7 names the budget and no number: a site that wants one says so here, by reason code.
    "override_budget": {},
    "offline": {"slip_max_age_h": 4, "hazmat_max_age_h": 0, "hold_max_age_h": 24},
}
