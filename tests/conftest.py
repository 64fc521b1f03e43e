"""For every test: Ctrl-C reaches the processes it starts, made examples have time, the longest files come first."""

from __future__ import annotations

import signal

import pytest
from hypothesis import HealthCheck, settings

LONGEST_FIRST = ("integration", "property", "unit")

# A shell starts a background job with the interrupt ignored, and every process started from there inherits that.
signal.signal(signal.SIGINT, signal.default_int_handler)

# How long an example takes, or the making of it, proves nothing on a busy machine; the time limit per test holds.
settings.register_profile("patient", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("patient")


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Sort by folder; within one, the order stays as it was drawn. A long file begun last is waited for by all."""

    def place(item: pytest.Item) -> int:
        folder = item.path.relative_to(item.config.rootpath).parts[1]
        return LONGEST_FIRST.index(folder) if folder in LONGEST_FIRST else len(LONGEST_FIRST)

    items.sort(key=place)
