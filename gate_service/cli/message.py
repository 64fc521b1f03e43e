"""`gate message FILE or -`: one customs message to one JSON object."""

from __future__ import annotations

from gate_service.cli.judging import print_answer, read_source


def run(source: str, *, as_json: bool = False) -> int:
    """Print the message as CONTRACT 2 says, on one line with `as_json`. 0 if it was read, 1 with an error object."""
    from sync.central.message import LARGEST_MESSAGE_BYTES, read_message

    return print_answer(lambda: read_message(read_source(source, LARGEST_MESSAGE_BYTES)), as_json=as_json)
