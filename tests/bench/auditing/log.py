"""A log in the database, filled by the writer itself: a year's records of many people."""

from __future__ import annotations

import os
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from services.audit.domain import merkle
from services.audit.domain.notes import Signer
from services.audit.stores.entries import EntryStore
from services.audit.stores.tree import TreeStore
from services.audit.stores.writer import STEPS, LogWriter
from services.chassis import logkeys
from services.chassis.migrations import migrate
from services.contracts.envelope import new_event_id
from services.contracts.records import Actor, Object, Operation, Record

SHORT = bool(os.environ.get("SHORT"))
TOTAL = int(os.environ.get("ENTRIES", "20000" if SHORT else "1000000"))
BATCH = 500
ORIGIN = "concordat.local/log"
BEGIN = datetime(2026, 1, 1, tzinfo=UTC)
DAYS = 300
USERS, AGENCIES, CASES, SUBJECTS = 600, 12, 20_000, 30_000
ACTIONS = ("case.read", "case.list", "entry.add", "share.create", "session.create", "task.change")
USES = ("asb", "iom", "victims", "families")
_CHANGES: frozenset[str] = frozenset({"entry.add", "share.create", "task.change"})


def made(number: int, total: int = TOTAL) -> Record:
    """One of a year's records: case work by many people, some of it refused, about cases and subjects.

    What somebody does moves on from day to day: neither a person nor a case has one action alone.
    """
    user = (number * 7) % USERS
    case = (number * 7919) % CASES
    action = ACTIONS[(number // USERS + number) % len(ACTIONS)]
    operation: Operation = "alteration" if action in _CHANGES else "consultation"
    refused = number % 97 == 0
    shows = action.startswith("case.")
    return Record(
        id=new_event_id(),
        at=BEGIN + timedelta(seconds=number * DAYS * 24 * 3600 // total),
        actor=Actor(kind="user", id=f"user-{user}", agency_id=f"agency-{user % AGENCIES}"),
        action=action,
        operation=operation,
        how=("opened" if action == "case.read" else "listed") if shows else None,
        objects=(
            Object(
                type="case", id=f"case-{case}", agency_id=f"agency-{case % AGENCIES}", sections=("summary",)
            ),
            Object(type="subject", id=f"subject-{case % SUBJECTS}"),
        ),
        use=USES[case % len(USES)],
        outcome="refused" if refused else "shown" if shows else "done",
        request_id=f"request-{number}",
        service="cases",
        publisher="bench",
        number=number + 1,
    )


@dataclass
class Filled:
    """A log of its own."""

    database: Any
    signer: Signer
    wrapping: logkeys.WrappingKeys

    def __post_init__(self) -> None:
        migrate(self.database, STEPS, holder="bench")
        self.writer = LogWriter(self.database, lambda: self.wrapping)
        self.tree, self.entries = TreeStore(self.database), EntryStore(self.database, lambda: self.wrapping)
        self.size = 0

    def grow_to(self, size: int) -> None:
        while self.size < size:
            end = min(size, self.size + BATCH)
            self.writer.append([made(number) for number in range(self.size, end)], self.signer, again=False)
            self.size = end

    def prove(self, number: int) -> None:
        """What an inclusion and a consistency proof take, as the service makes them."""
        index = (number * 7919) % self.size
        for ranges in (merkle.inclusion(index, self.size), merkle.consistency(index + 1, self.size)):
            merkle.hashes(ranges, self.tree.hashes(merkle.nodes(ranges)).__getitem__)
