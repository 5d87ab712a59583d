"""Whether this process is about to stop: gunicorn waits for open connections, and streams never end alone."""

from __future__ import annotations

from typing import Any

_workers: list[Any] = []


def watch(worker: Any) -> None:
    """gunicorn's `post_worker_init`: from now on `worker.alive` tells."""
    _workers.append(worker)


def ending() -> bool:
    """False where nothing is watched: a test, another server."""
    return any(not worker.alive for worker in _workers)
