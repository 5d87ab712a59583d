"""Where personal data must not be: logs, the broker's files, metrics (V6)."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import httpx

from deploy.launcher.cell import Cell

_CHUNK = 1 << 20


def leaks(cell: Cell, trace: bytes) -> list[str]:
    """Every place in which something of the canaries stands."""
    return [*_in_files(cell, trace), *_in_metrics(cell, trace)]


def _in_files(cell: Cell, trace: bytes) -> Iterator[str]:
    """All that the cell wrote but the database's own files."""
    databases = {str(cell.places.data(name, cluster=cell.plan.cluster)) for name in _databases(cell)}
    for file in sorted(cell.places.root.rglob("*")):
        private = any(str(file).startswith(place) for place in databases)
        if file.is_file() and not private and _holds(file, trace):
            yield f"{file.relative_to(cell.places.root)}"


def _databases(cell: Cell) -> list[str]:
    return [name for name, kind in cell.plan.kinds().items() if kind == "database"]


def _holds(file: Path, trace: bytes) -> bool:
    tail = b""
    try:
        with file.open("rb") as content:
            while chunk := content.read(_CHUNK):
                if trace in tail + chunk:
                    return True
                tail = chunk[-len(trace) :]
    except OSError:
        return False
    return False


def _in_metrics(cell: Cell, trace: bytes) -> Iterator[str]:
    for name, kind in cell.plan.kinds().items():
        if kind in {"service", "gateway"}:
            try:
                answer = httpx.get(f"http://127.0.0.1:{cell.ports[name]}/metrics", timeout=5, trust_env=False)
            except httpx.HTTPError:
                continue
            if trace in answer.content:
                yield f"metrics of {name}"
