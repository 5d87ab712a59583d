"""CPU time from /proc: it is steady where wall-clock time swings with the neighbours (proc(5))."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path

TICK = 1 / os.sysconf("SC_CLK_TCK")
_PROC = Path("/proc")


def seconds_used(pids: Iterable[int]) -> float:
    """User and system seconds of these processes, of their descendants, and of children that have ended.

    A process that is gone counts nothing: measure while it lives.
    """
    stats = _stats()
    found = _with_descendants(set(pids), stats)
    return sum(sum(int(value) for value in stats[pid][13:17]) for pid in found) * TICK


class Steal:
    """The share of the machine's time that its host gave to others, since this was made."""

    def __init__(self) -> None:
        self._begin = _cpu_line()

    def share(self) -> float:
        """Between 0 and 1; 0 as well where the host does not say."""
        spent = [now - then for now, then in zip(_cpu_line(), self._begin, strict=True)]
        return spent[7] / max(1, sum(spent))


def _cpu_line() -> list[int]:
    """user, nice, system, idle, iowait, irq, softirq, steal in ticks; guest time is part of user already."""
    return [int(value) for value in (_PROC / "stat").read_text().split(maxsplit=9)[1:9]]


def _stats() -> dict[int, list[str]]:
    """The fields of each process's stat, numbered from 0 as in proc(5) from 1."""
    stats = {}
    for entry in _PROC.iterdir():
        if entry.name.isdigit():
            try:
                text = (entry / "stat").read_text()
            except (FileNotFoundError, ProcessLookupError):
                continue
            # the name stands in brackets and may hold anything, brackets and blanks too
            stats[int(entry.name)] = [entry.name, "", *text[text.rindex(")") + 2 :].split()]
    return stats


def _with_descendants(pids: set[int], stats: dict[int, list[str]]) -> set[int]:
    found = pids & stats.keys()
    while True:
        more = {pid for pid, fields in stats.items() if int(fields[3]) in found} - found
        if not more:
            return found
        found |= more
