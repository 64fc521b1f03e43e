"""`gate assess FILE or -`: one case to its verdict, no service needed."""

from __future__ import annotations

from gate_service.cli.judging import answer


def run(source: str, *, as_json: bool = False) -> int:
    """Print the answer of CONTRACT 2 as JSON, on one line with `as_json`. 0 whatever the verdict, 1 if not judged."""
    from lanes.policy.engine import assess_document

    return answer(source, assess_document, as_json=as_json)
