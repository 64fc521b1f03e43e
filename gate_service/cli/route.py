"""`gate route FILE or -`: which lane a vehicle should take, and why not the others."""

from __future__ import annotations

from gate_service.cli.judging import answer


def run(source: str, *, as_json: bool = False) -> int:
    """Print the answer of CONTRACT 2 as JSON, on one line with `as_json`. 0 whatever the answer, 1 if not judged."""
    from lanes.routing import route_document

    return answer(source, route_document, as_json=as_json)
