"""A private broker and database for tests, in a temporary folder, gone afterwards.

As a script it prints the addresses as one line of JSON and stays until its standard input closes or it is
told to end:

    python -m tests.cell [-c SERVICE=N] [--cluster]
"""

from __future__ import annotations

import argparse
import contextlib
import json
import shutil
import signal
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from deploy import store
from deploy.launcher.cell import Cell
from deploy.operator_api import OperatorApi
from services.chassis import keys, topology
from services.contracts.directory import SERVICES, Shape

OPERATOR = "operator"


class Parts:
    """The broker and the database of a cell, as a test uses them."""

    def __init__(self, cell: Cell) -> None:
        self.cell = cell

    def rabbitmq_url(self, user: str) -> str:
        """For a service's own user, or for "operator"."""
        return self.cell.rabbitmq_url(user)

    def mongo_url(self, user: str) -> str:
        """For a service's own user, or for "operator"; the service's database is named as the service."""
        return self.cell.mongo_url(user)

    @property
    def keys_dir(self) -> Path:
        return self.cell.keys_dir

    @property
    def operator_api(self) -> OperatorApi:
        return self.cell.operator_api

    def declare(self, shapes: Mapping[str, Shape]) -> None:
        """Further services for a test: their users, queues and keys."""
        users = {name: self.cell.broker_password(name) for name in shapes}
        self.operator_api.import_definitions(topology.definitions(shapes, users, cluster=False))
        store.grant(self.mongo_url(OPERATOR), {name: self.cell.database_password(name) for name in shapes})
        keys.make(self.keys_dir, shapes, time.time())

    def environment(self, service: str) -> dict[str, str]:
        """The settings that a process of `service` needs."""
        return {
            "RABBITMQ_URL": self.rabbitmq_url(service),
            "MONGO_URL": self.mongo_url(service),
            "CONCORDAT_KEYS_DIR": str(self.keys_dir),
            "EVENTLET_NO_GREENDNS": "yes",
        }


@contextlib.contextmanager
def running(counts: Mapping[str, int] | None = None, **options: Any) -> Iterator[Cell]:
    """A cell in a temporary folder: the services in `counts`, by default none."""
    folder = Path(tempfile.mkdtemp(prefix="cell-"))
    cell = Cell(folder, counts or {}, **options)
    try:
        cell.up()
        yield cell
    finally:
        cell.down(kill=True)
        shutil.rmtree(folder, ignore_errors=True)


def main() -> None:
    arguments = argparse.ArgumentParser(description="Start a private broker and database until stdin closes.")
    arguments.add_argument("-c", "--count", action="append", default=[], metavar="SERVICE=N")
    arguments.add_argument("--cluster", action="store_true")
    given = arguments.parse_args()
    counts = {name: int(number) for name, _, number in (pair.partition("=") for pair in given.count)}
    signal.signal(signal.SIGTERM, lambda *_: sys.exit())
    with running(counts, cluster=given.cluster) as cell:
        print(json.dumps(_addresses(cell)), flush=True)
        with contextlib.suppress(KeyboardInterrupt):
            sys.stdin.read()


def _addresses(cell: Cell) -> dict[str, Any]:
    users = [*SERVICES, OPERATOR]
    return {
        "rabbitmq": {user: cell.rabbitmq_url(user) for user in users},
        "mongo": {user: cell.mongo_url(user) for user in users},
        "keys_dir": str(cell.keys_dir),
        "api": cell.operator_api.url,
        "folder": str(cell.places.root),
        "ports": dict(cell.ports),
        "pids": {name: process.pid for name, process in cell.processes().items()},
    }


if __name__ == "__main__":
    main()
