"""Where a benchmark runs: a private broker and database from the launcher, gone afterwards."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from services.chassis.callers import AUTHORITY
from services.contracts.directory import SERVICES, Shape
from tests.cell import OPERATOR, Parts, running


@contextmanager
def place(counts: Mapping[str, int] | None = None, **options: Any) -> Iterator[Parts]:
    """A cell with these services, by default none, and keys for the authority that vouches."""
    with running(counts, **options) as cell:
        parts = Parts(cell)
        if AUTHORITY not in SERVICES:
            parts.declare({AUTHORITY: Shape(serves=False, emits=False, keeps_data=False)})
        yield parts


def operator_url(parts: Parts) -> str:
    """The broker for somebody who may do everything: comparisons declare queues of their own."""
    return parts.rabbitmq_url(OPERATOR)
