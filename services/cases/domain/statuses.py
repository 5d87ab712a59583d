"""How a case moves: freely while it is not closed; closed, back to open and nowhere else."""

from __future__ import annotations

from services.cases.domain.case import Case
from services.contracts.errors import CaseClosed, InvalidTransition
from services.contracts.vocabulary import CaseStatus, EventName


def needs_owner(case: Case, to: CaseStatus) -> bool:
    """Closing and reopening are the owner's."""
    return to == "closed" or case.closed


def check_move(case: Case, to: CaseStatus) -> None:
    """Raises InvalidTransition."""
    if to == case.status or (case.closed and to != "open"):
        raise InvalidTransition


def check_open(case: Case) -> None:
    """Raises CaseClosed: nothing else is written to a closed case."""
    if case.closed:
        raise CaseClosed


def event_of(case: Case, to: CaseStatus) -> EventName:
    if to == "closed":
        return "case.closed"
    return "case.reopened" if case.closed else "case.updated"
