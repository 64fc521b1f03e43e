"""`.ci/setup` compiles what a start imports: a service that cannot write beside its code would do it at every start."""

from importlib.util import find_spec
from pathlib import Path

import pytest


@pytest.mark.parametrize(
    "module", ["fastapi.applications", "pydantic.main", "sqlalchemy.engine.base", "gate_service.service", "sync.writer"]
)
def test_what_a_start_imports_is_compiled(module):
    spec = find_spec(module)
    assert spec is not None
    assert spec.cached is not None
    assert Path(spec.cached).exists(), "make setup-dev compiles it"
