"""Which faults are planted, and how `cases` is started with one. (Its code is imported there alone.)"""

from __future__ import annotations

import sys

_PATH = "tests.checks.disclosure.planted_services"

FAULTS = {
    "a read without record": "WithoutRecord",
    "a record after reveal": "RecordAfterwards",
    "a doubled record": "RecordTwice",
}

FOUND_AS = {
    "a read without record": "missing",
    "a record after reveal": "missing",
    "a doubled record": "doubled",
}
"""What the join must find of each. A late record is missing where its process was killed before it."""


def commands(fault: str) -> dict[str, list[str]]:
    """How `cases` is started with the fault."""
    return {"cases": [sys.executable, "-m", "services.chassis.runner", f"{_PATH}:{FAULTS[fault]}"]}
