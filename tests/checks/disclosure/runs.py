"""What our own logs tell of requests of which something ran more than once."""

from __future__ import annotations

import json
from pathlib import Path

RAN_AGAIN = ('"call_attempted_again"', '"command_delivered_again"')
"""Events: of such a request there may be a record for each run (docs/decisions/0003)."""


def ran_again(logs: Path) -> set[str]:
    """The ids of these requests, from the files of a folder, those that were rotated too."""
    found: set[str] = set()
    for file in logs.glob("*.log*"):
        for line in file.read_text(encoding="utf-8", errors="replace").splitlines():
            if any(said in line for said in RAN_AGAIN):
                found.add(str(json.loads(line)["request_id"]))
    return found
