"""Faults that the check of refusals must find.

python -m services.chassis.runner tests.checks.matrix.planted_services:TellsWhy
"""

from __future__ import annotations

from services.cases.domain.case import Case
from services.cases.domain.recording import Act
from services.cases.service import CasesService
from services.chassis.mongo import Session
from services.contracts.access import Decision
from services.contracts.bars import bar_on
from services.contracts.caller import Caller
from services.sharing.domain.ownership import Ownership
from services.sharing.handlers.grants import Looked
from services.sharing.service import SharingService


class TellsWhy(CasesService):
    """What stands against a caller by itself is said before it is asked whether it may know of the case."""

    def decide(self, case: Case, caller: Caller, act: Act) -> Decision:
        bar = bar_on(caller.barred, case.about) if caller.barred else None
        return super().decide(case, caller, act) if bar is None else Decision(None, bar.refusal())


class TellsWhyOfShares(SharingService):
    """The same of what `sharing` shows and changes of a case."""

    def judged(self, looked: Looked, method: str, session: Session | None = None) -> Ownership:
        self.unbarred(looked)
        return super().judged(looked, method, session)
