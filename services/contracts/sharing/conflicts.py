"""Conflicts of interest: users to whom a case does not exist, because it is about them or those near to them.

sharing.declare_conflict(DeclareConflict) -> ConflictView    command; POST /cases/{id}/conflicts
sharing.withdraw_conflict(WithdrawConflict) -> Empty         command; DELETE, the owner's alone
sharing.list_conflicts(ListConflicts) -> ConflictPage        query; the owner's alone

The owner declares it of anybody but itself, whoever may know of the case of itself: it loses the case.
"""

from __future__ import annotations

from typing import Annotated

from pydantic import StringConstraints

from ..messages import Id, Moment, Request
from ..paging import PageRequest, Ref
from ..views import View
from ..vocabulary import ConflictKind

MOST_CONFLICTS = 200
"""That a case can have."""
ConflictReason = Annotated[str, StringConstraints(min_length=1, max_length=1000, pattern=r"\S")]


class ConflictBody(Request):
    """POST /cases/{id}/conflicts. `reason` is for the owner; it goes into no log and no event."""

    user_id: Id
    kind: ConflictKind
    reason: ConflictReason


class DeclareConflict(Request):
    """Raises NotVisible, NotOwner (of another than oneself), OwnerHasConflict, AlreadyExists, Invalid."""

    case_id: Id
    conflict: ConflictBody


class WithdrawConflict(Request):
    """It was declared by mistake, or is over: whoever it shut out has what shares and roles give them, as if
    it had not been. Raises NotVisible, NotOwner."""

    case_id: Id
    conflict_id: Id


class ListConflicts(PageRequest):
    """For the owner. Newest first."""

    case_id: Id


class ConflictView(View):
    """One conflict."""

    id: str
    case_id: str
    user: Ref
    agency: Ref
    kind: ConflictKind
    reason: str
    declared_by: Ref
    created_at: Moment


class ConflictPage(View):
    items: tuple[ConflictView, ...]
    next: str | None
