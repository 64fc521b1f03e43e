"""The event loop of a bench: the one `gate run` uses."""

from __future__ import annotations

import asyncio
import gc
from collections.abc import Coroutine
from typing import Any, TypeVar

from gate_service.runtime import tune

T = TypeVar("T")


def run_loop(work: Coroutine[Any, Any, T]) -> T:
    """Run to the end, on uvloop where there is one, the interpreter set as in `gate run`."""
    gc.collect()  # of benches before: a service has no such past
    tune()
    try:
        import uvloop
    except ImportError:  # not on every platform
        return asyncio.run(work)
    return uvloop.run(work)
