"""Where personal data must not be: logs, the broker's files, metrics (V6)."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import httpx

from deploy.launcher.cell import Cell

_CHUNK = 1 << 20


class Search:
    """For what all canaries have in common, in all that the cell wrote but the database's own files."""

    def __init__(self, cell: Cell, trace: bytes) -> None:
        self._cell, self._trace, self.files = cell, trace, 0

    def found(self) -> list[str]:
        """Every place in which it stands."""
        return [*self._in_files(), *self._in_metrics()]

    def _in_files(self) -> Iterator[str]:
        places, plan = self._cell.places, self._cell.plan
        databases = [
            places.data(name, cluster=plan.cluster)
            for name, kind in plan.kinds().items()
            if kind == "database"
        ]
        for file in sorted(places.root.rglob("*")):
            if not file.is_file() or any(place in file.parents for place in databases):
                continue
            self.files += 1
            if holds(file, self._trace):
                yield str(file.relative_to(places.root))

    def _in_metrics(self) -> Iterator[str]:
        for name, kind in self._cell.plan.kinds().items():
            if kind not in {"service", "gateway"}:
                continue
            url = f"http://127.0.0.1:{self._cell.ports[name]}/metrics"
            try:
                answer = httpx.get(url, timeout=5, trust_env=False)
            except httpx.HTTPError:
                continue
            if self._trace.lower() in answer.content.lower():
                yield f"metrics of {name}"


def holds(file: Path, trace: bytes) -> bool:
    """Whether it stands in the file: in any case, as words for searching have none, and also across the
    borders of what is read at once."""
    trace, tail = trace.lower(), b""
    try:
        with file.open("rb") as content:
            while chunk := content.read(_CHUNK):
                read = tail + chunk.lower()
                if trace in read:
                    return True
                tail = read[-len(trace) :]
    except OSError:
        return False
    return False
