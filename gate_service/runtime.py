"""How the interpreter is set for a service whose worst moment counts, not its average."""

from __future__ import annotations

import gc
import sys
from typing import Final

SWITCH_S: Final = 0.0005
"""How long one thread may keep the interpreter while another wants it: CPython's 5 ms are longer than a decision."""


def tune() -> None:
    """Call once the service is built: what exists by then lives until the end, and full collections pass it over."""
    sys.setswitchinterval(SWITCH_S)
    gc.collect()
    gc.freeze()
