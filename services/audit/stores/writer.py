"""What makes the log grow: a batch of records in one transaction, then a signed checkpoint.

The writer remembers the tree as it left it, and believes it only as long as the database agrees: another
writer, however long this one was frozen, makes it read the tree anew.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from pymongo.database import Database

from services.audit.domain.leaves import SALT_SIZE
from services.audit.domain.merkle import Frontier
from services.audit.domain.notes import Signer, Statement
from services.audit.domain.numbering import Count
from services.audit.domain.sequencing import Placed, Publisher, counted, late, place, publisher_of
from services.audit.stores import entries, publishers, tree
from services.audit.stores.entries import EntryStore, Wrapping
from services.audit.stores.publishers import PublisherStore
from services.audit.stores.tree import Forked, Raced, TreeStore
from services.chassis import context, metrics
from services.chassis.deadline import Deadline
from services.chassis.logs import log
from services.chassis.mongo import LONGEST, Document, Session, transact
from services.contracts.errors import Unavailable
from services.contracts.records import Mark, Record

TRIES = 5
STEPS = (*tree.STEPS, *entries.STEPS, *publishers.STEPS)


@dataclass(slots=True)
class _Head:
    """The tree and the counts, as they were when this process last wrote."""

    tree: Frontier
    counts: dict[Publisher, Count]


class LogWriter:
    """Appends. One per process, used by one greenlet at a time."""

    def __init__(self, database: Database[Document], wrapping: Wrapping) -> None:
        self._client = database.client
        self._tree, self._entries = TreeStore(database), EntryStore(database, wrapping)
        self._publishers = PublisherStore(database)
        self._head: _Head | None = None
        self._claimed = self._forked = False

    def append(self, records: Sequence[Record], signer: Signer, *, again: bool) -> None:
        """Return when a majority has every record in the log, each once.

        `again`: some may be in it already. Raises Unavailable: then it is not known which are.
        """
        self._begin(signer)
        once = {record.id: record for record in records}
        for _ in range(TRIES):
            try:
                placed = self._try(once, again)
            except Raced:
                self._head, again = None, True
                continue
            except BaseException:
                self._head = None
                raise
            self._told(placed, len(records) - len(placed))
            if placed:
                self._seal(signer)
            return
        raise Unavailable(cause="other writers were faster each time")

    def seal(self, signer: Signer) -> bool:
        """Sign a checkpoint if there is none for the tree as it is; says whether there was none.

        The writer does it after each batch; this is for when it did not get to it.
        """
        self._begin(signer)
        latest, size = self._tree.latest(), self._tree.size()
        if latest is not None and latest[0] >= size:
            return False
        self._sign(self._tree.frontier(size), signer)
        return True

    def hear(self, marks: Sequence[Mark]) -> None:
        """Keep how far publishers say that they are: once what they recorded before is in the log."""
        now = datetime.now(UTC)
        for mark in marks:
            count = self._publishers.announce(mark, now)
            if self._head is not None:
                self._head.counts[mark.service, mark.publisher] = count

    def alarm_silence(self, now: datetime) -> None:
        """Tell of processes that ended without a word, each once: their last records may be lost."""
        for service, _ in self._publishers.silent(now):
            log.warning("publisher_silent", peer=service)
            metrics.publisher_silent(service)

    def alarm_gaps(self, now: datetime) -> None:
        """Tell of numbers that have not arrived by `now`, each once."""
        for publisher, gap in self._publishers.overdue(now):
            if self._publishers.alarm(publisher, gap, now):
                missing = gap.last - gap.first + 1
                log.error("records_missing", peer=publisher[0], count=missing)
                metrics.records_missing(publisher[0], missing)
            if self._head is not None:
                self._head.counts.pop(publisher, None)

    def _try(self, once: dict[str, Record], again: bool) -> list[Placed]:
        now = datetime.now(UTC)
        known = self._tree.known(once) if again else ()
        new = [record for id_, record in once.items() if id_ not in known]
        if not new:
            return []
        head = self._head or _Head(self._tree.frontier(self._tree.size()), {})
        unheard = {publisher_of(record) for record in new} - head.counts.keys()
        counts = counted({**head.counts, **self._publishers.counts(unheard)}, new, now)
        salts = os.urandom(SALT_SIZE * len(new))
        salted = [(one, salts[at * SALT_SIZE : (at + 1) * SALT_SIZE]) for at, one in enumerate(new)]
        grown, placed = place(head.tree, salted)
        rows = self._entries.seal(placed)

        def store(session: Session) -> None:
            self._tree.grow(head.tree.size, placed, session)
            self._entries.add(rows, session)
            self._publishers.keep(counts, now, session)

        transact(self._client, _deadline(), store)
        self._head = _Head(grown, {**head.counts, **counts})
        return placed

    def _seal(self, signer: Signer) -> None:
        """What is in the log is safe: a checkpoint that cannot be kept now is made later."""
        assert self._head is not None
        try:
            self._sign(self._head.tree, signer)
        except Unavailable as problem:
            log.warning("checkpoint_put_off", code=problem.code)

    def _sign(self, tree: Frontier, signer: Signer) -> None:
        statement = Statement(signer.name, tree.size, tree.root)
        try:
            self._tree.check_point(statement, signer.sign(str(statement)), datetime.now(UTC))
        except Forked:
            self._forked = True
            log.error("log_forked", count=tree.size)
            raise

    def _begin(self, signer: Signer) -> None:
        """Raises Forked, OtherLog."""
        if self._forked:
            raise Forked
        if not self._claimed:
            self._tree.claim(signer.name)
            self._claimed = True

    @staticmethod
    def _told(placed: Sequence[Placed], duplicates: int) -> None:
        now = datetime.now(UTC)
        overdue = [one for one in placed if late(one.record, now)]
        for one in placed:
            metrics.record_logged((now - one.record.at).total_seconds(), late=late(one.record, now))
        metrics.records_taken("logged", len(placed))
        if duplicates:
            metrics.records_taken("duplicate", duplicates)
        if overdue:
            log.error("records_late", count=len(overdue))


def _deadline() -> Deadline:
    serving = context.current()
    return serving.deadline if serving else Deadline.after(LONGEST)
