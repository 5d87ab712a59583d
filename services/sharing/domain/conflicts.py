"""Conflicts of interest of a case: whom it does not exist for."""

from __future__ import annotations

from services.contracts.errors import AlreadyExists, FieldError, Invalid, NotVisible, OwnerHasConflict
from services.contracts.sharing.conflicts import MOST_CONFLICTS, ConflictView
from services.sharing.domain.ownership import Change, Conflict, Ownership


def declare(ownership: Ownership, conflict: Conflict) -> Change:
    """Shut a user out. Raises OwnerHasConflict, AlreadyExists, Invalid."""
    if conflict.user.id == ownership.owner.user.id:
        raise OwnerHasConflict
    if any(one.user.id == conflict.user.id for one in ownership.conflicts):
        raise AlreadyExists
    if len(ownership.conflicts) >= MOST_CONFLICTS:
        raise Invalid(errors=(FieldError("", "too_many", "This case has too many conflicts."),))
    after = ownership.model_copy(
        update={
            "epoch": ownership.epoch + 1,
            "events": ownership.events + 1,
            "conflicts": (*ownership.conflicts, conflict),
        }
    )
    # Agencies that name the user in a share hear of it by the fence as well: it may have moved to them.
    agencies = {conflict.agency.id, ownership.owner.agency.id, *(one.agency.id for one in ownership.grants)}
    return Change(ownership.epoch, after, narrowing=True, agencies=frozenset(agencies), past=())


def withdraw(ownership: Ownership, conflict_id: str) -> Change:
    """Let a user in again as far as shares name it. Raises NotVisible."""
    rest = tuple(one for one in ownership.conflicts if one.id != conflict_id)
    if len(rest) == len(ownership.conflicts):
        raise NotVisible
    changes = {"epoch": ownership.epoch + 1, "events": ownership.events + 1, "conflicts": rest}
    after = ownership.model_copy(update=changes)
    return Change(ownership.epoch, after, narrowing=False, agencies=frozenset(), past=())


def view(ownership: Ownership, conflict: Conflict) -> ConflictView:
    return ConflictView(
        id=conflict.id,
        case_id=ownership.case_id,
        user=conflict.user,
        agency=conflict.agency,
        kind=conflict.kind,
        reason=conflict.reason,
        declared_by=conflict.declared_by,
        created_at=conflict.declared_at,
    )
