"""Bringing the holders' copies of the access lists up to date: at once if it can be, else until it is done.

Nobody waits for it to be safe: from the commit on a fence in every caller concerned says that an older copy
is not to be judged by.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime

from services.chassis import context
from services.chassis.logs import log
from services.chassis.mongo import Session
from services.chassis.timers import every
from services.contracts.authority import AppliedLists, ApplyAccessLists
from services.contracts.envelope import new_event_id
from services.contracts.errors import ConcordatError
from services.sharing.domain.ownership import Change, Ownership
from services.sharing.handlers.grants import Grants

AT_ONCE = 0.4
"""Seconds that a change waits for `cases` before it is answered."""
PATIENCE = 3.0
REST = 2.0
"""Seconds in which nobody waits again after `cases` has not answered."""
BATCH = 50


class _Rest:
    """When waiting for `cases` is worth it again. One for the process."""

    until = 0.0


class Applying(Grants):
    _rest = _Rest()

    def save(self, change: Change, session: Session) -> None:
        """The ownership on its epoch, and its fence: all or none, with what else this transaction holds."""
        after = change.after
        self.ownerships.save(change, session)
        self.fences.raise_fence(
            after.case_id,
            after.epoch,
            change.agencies,
            narrowing=change.narrowing,
            now=datetime.now(UTC),
            session=session,
        )

    def apply_at_once(self, after: Ownership | None) -> None:
        """Try, once and briefly. What fails is done by the timer."""
        if after is None or time.monotonic() < self._rest.until:
            return
        try:
            with within(AT_ONCE):
                self.apply_now([after])
        except ConcordatError as problem:
            self._rest.until = time.monotonic() + REST
            log.warning("apply_put_off", code=problem.code)

    @every(1.0)
    def apply_lists(self) -> None:
        """Give `cases` the lists that it has not got yet."""
        now = datetime.now(UTC)
        due = self.fences.due(now, BATCH)
        if not due:
            return
        found = self.ownerships.known(one.case_id for one in due)
        self.fences.forget([one.case_id for one in due if one.case_id not in found])
        has: dict[str, int] = {}
        try:
            with within(PATIENCE):
                has = self.apply_now(list(found.values()))
        except ConcordatError as problem:
            log.warning("apply_failed", code=problem.code, waiting=len(due))
        for one in due:
            if one.case_id in found and has.get(one.case_id, 0) < one.epoch:
                self.fences.postpone(one, now)

    def apply_now(self, lists: Sequence[Ownership]) -> dict[str, int]:
        """What `cases` has now, by case, of those that are up to date."""
        if not lists:
            return {}
        wanted = {one.case_id: (one.term, one.epoch) for one in lists}
        told: AppliedLists = self.cases.command(
            "apply_acl",
            ApplyAccessLists(lists=tuple(one.acl for one in lists)),
            key=new_event_id(),
            reply=AppliedLists,
        )
        has = {
            one.case_id: one.epoch
            for one in told.items
            if one.case_id in wanted and (one.term, one.epoch) >= wanted[one.case_id]
        }
        now = datetime.now(UTC)
        for case_id, epoch in has.items():
            self.fences.applied(case_id, epoch, now)
        return has


@contextmanager
def within(seconds: float) -> Iterator[None]:
    """Whatever is asked inside is answered in this time."""
    serving = context.current()
    assert serving is not None
    with context.use(serving.within(seconds)):
        yield
