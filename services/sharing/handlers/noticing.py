"""Noticing that an older copy of this database was put back: `cases` remembers how far it had come."""

from __future__ import annotations

import time
from datetime import UTC, datetime

from services.chassis.gate import Gate, Gated
from services.chassis.logs import log
from services.chassis.stored import Stored
from services.chassis.timers import every
from services.contracts.envelope import new_event_id
from services.contracts.errors import ConcordatError
from services.contracts.restores import AuthorityMark, WitnessAuthority
from services.sharing.handlers.applying import Applying, within
from services.sharing.stores.authority import AuthorityStore
from services.sharing.stores.marks import MarkStore
from services.sharing.stores.steps import STEPS

EVERY = 5.0
"""Seconds between two beats: a copy that is younger than that is not told from the present."""
REST = 1.0
"""Seconds until it is tried again, after it could not be."""
PATIENCE = 3.0
BESIDE = ("compare", "reconcile")
"""The timers that work while nothing else does."""
ANSWERED, RECONCILED = "cases_answered", "reconciled"
"""What nothing is served without, as `/readyz` names it: until `cases` has answered, nobody knows whether
this database is an older copy, in which whoever was shut out since is let in again."""


class _Due:
    """When to compare again. One for the process."""

    at = 0.0


class Noticing(Applying):
    marks: MarkStore = Stored(MarkStore, STEPS)
    authority: AuthorityStore = Stored(AuthorityStore.of, STEPS)
    gate: Gate = Gated((ANSWERED, RECONCILED), BESIDE)
    _due = _Due()

    @every(0.25)
    def compare(self) -> None:
        """Tell `cases` how far this database is, and hear how far it was: what is behind is not served.

        A process that has once heard it goes on while `cases` is away; a new one waits for it, and tries
        again for as long as it takes: no more than `PATIENCE` at a time, with a `REST` in between.
        """
        if time.monotonic() < self._due.at:
            return
        self._due.at = time.monotonic() + REST
        found = self.marks.read()
        if found.restored is not None:
            self.gate.shut(RECONCILED)
            return
        try:
            seen = self._witnessed(found.mark)
        except ConcordatError as problem:
            if self.gate.open:
                log.warning("authority_not_witnessed", code=problem.code)
            else:
                log.warning("serving_nobody_until_cases_answers", code=problem.code)
            return
        now = datetime.now(UTC)
        if found.mark.behind(seen):
            if self.marks.flag(seen, now):
                self.gate.shut(RECONCILED)
                log.error("older_copy_noticed", count=seen.beat - found.mark.beat)
        elif self.marks.beat(found.mark, now):
            self.authority.saw(found.mark.beat + 1)
            if not self.gate.open:
                log.info("serving_since_cases_answered")
            self.gate.open = True
            self._due.at = time.monotonic() + EVERY

    def _witnessed(self, mark: AuthorityMark) -> AuthorityMark:
        with within(PATIENCE):
            told: AuthorityMark = self.cases.command(
                "witness_authority", WitnessAuthority(mark=mark), key=new_event_id(), reply=AuthorityMark
            )
        return told
