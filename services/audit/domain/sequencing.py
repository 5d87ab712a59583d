"""Giving records their places: from a tree and a batch to a larger tree and what has to be stored for it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

from services.audit.domain.leaves import Leaf, leaf_of
from services.audit.domain.merkle import Frontier, leaf_hash
from services.audit.domain.numbering import Count
from services.contracts.records import PROMISE, Record

Publisher = tuple[str, str]
"""The service whose key sealed a record, and the process's own name."""


@dataclass(frozen=True, slots=True)
class Placed:
    """A record with its index. `complete`: the hashes of the subtrees that it completes, its own first."""

    index: int
    record: Record
    leaf: Leaf
    complete: tuple[bytes, ...]


def place(tree: Frontier, records: Iterable[tuple[Record, bytes]]) -> tuple[Frontier, list[Placed]]:
    """The larger tree. Each record comes with its salt."""
    placed = []
    for record, salt in records:
        leaf = leaf_of(record, salt)
        index = tree.size
        tree, complete = tree.add(leaf_hash(leaf.leaf))
        placed.append(Placed(index, record, leaf, complete))
    return tree, placed


def publisher_of(record: Record) -> Publisher:
    return record.service, record.publisher


def counted(
    counts: Mapping[Publisher, Count], records: Iterable[Record], now: datetime
) -> dict[Publisher, Count]:
    """The counts of the publishers of these records, once they are in the log."""
    found: dict[Publisher, Count] = {}
    for record in records:
        publisher = publisher_of(record)
        count = found.get(publisher) or counts.get(publisher) or Count()
        found[publisher] = count.arrived(record.number, record.doubtful, now)
    return found


def late(record: Record, now: datetime) -> bool:
    """It is in the log later than its reader was promised."""
    return now > record.at + PROMISE
