"""`gate replay PASSAGE --data DIR`: a stored passage decided anew from its own facts; is the outcome the same?

Reads only, also beside the running service.
"""

from __future__ import annotations

import json

from gate_service.cli.data_directory import Place
from lanes.policy.redecide import Replayed, replay
from sync.past_passages import past_passage


def run(passage_id: str, place: Place, *, as_json: bool) -> int:
    """Print both decisions and what differs. 0 the same, 1 not the same or nothing to decide."""
    found = replay(passage_id, past_passage(place.directory, passage_id, place.url))
    if as_json:
        print(json.dumps(found.as_document(), ensure_ascii=False))
    else:
        _tell(found)
    return 0 if found.is_same else 1


def _tell(found: Replayed) -> None:
    recorded = found.recorded
    print(f"passage {found.passage_id}, policy {recorded.version}: {'the same' if found.is_same else 'NOT the same'}")
    print(f"  recorded: {recorded.verdict}, tier {recorded.tier}, {', '.join(recorded.reasons) or 'no reasons'}")
    print(f"  now:      {found.now.verdict}, tier {found.now.tier}, {', '.join(found.now.reasons) or 'no reasons'}")
    for line in found.differences():
        print(f"  {line}")
