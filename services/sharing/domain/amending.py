"""What a PATCH makes of a share: the new terms, and whether they have to be judged anew."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from services.contracts.errors import FieldError, Invalid, InvalidTransition
from services.contracts.sharing.shares import ShareChange
from services.sharing.domain.comparing import widens
from services.sharing.domain.ownership import Grant
from services.sharing.domain.regime import regime_of
from services.sharing.domain.terms import Facts, body_of, check_form, check_terms, ids_of, in_order

_OF_AN_OWN_TEAM = frozenset({"level", "sections", "note"})


def amend(grant: Grant, change: ShareChange, facts: Facts) -> Grant:
    """The share as it would be. Raises Invalid and its kinds; InvalidTransition for one that ran out,
    and for broken glass.

    What only takes something away needs no protocol in force: an owner can always narrow.
    """
    if grant.expired(facts.now):
        raise InvalidTransition(cause="share expired")
    if grant.kind == "break_glass":  # it is changed in no way: it ends
        raise InvalidTransition(cause="broken glass")
    after = _applied(grant, change, facts.now)
    if grant.kind == "team":
        return _own_team(after, change)
    body = body_of(after)
    if not widens(grant, after):
        check_form(body)
        return after
    # Who was named already is not judged again: one who left must not hold up the others.
    clause = check_terms(body, facts, known=grant.members())
    recipient = facts.type_of(after.agency.id)
    assert recipient is not None
    return after.model_copy(update={"clause": clause, "regime": regime_of(recipient, after.purpose)})


def _own_team(after: Grant, change: ShareChange) -> Grant:
    wrong = sorted(change.model_fields_set - _OF_AN_OWN_TEAM)
    if wrong:
        raise Invalid(
            errors=tuple(
                FieldError(f"/{name}", "own_team", "The owner's own team rests on no protocol.")
                for name in wrong
            )
        )
    if not after.sections and after.level not in ("know", "task"):
        raise Invalid(errors=(FieldError("/sections", "invalid", "Name at least one section."),))
    return after


def _applied(grant: Grant, change: ShareChange, now: datetime) -> Grant:
    update: dict[str, Any] = {
        name: getattr(change, name) for name in change.model_fields_set - {"members", "sections"}
    }
    if change.members is not None:
        update |= ids_of(change.members)
    if change.consent is not None:
        update["confirm_by"] = None
    if change.sections is not None:
        update["sections"] = in_order(change.sections)
    return grant.model_copy(update={**update, "updated_at": now})


def ends(change: ShareChange) -> bool:
    """Whether it ends the share. Raises Invalid for a mixture."""
    given = change.model_fields_set
    if "state" not in given:
        if "reason" in given:
            raise Invalid(errors=(FieldError("/reason", "unknown_field", "It goes with state only."),))
        if not given:
            raise Invalid(errors=(FieldError("", "required", "Nothing is to be changed."),))
        return False
    errors = [
        FieldError(f"/{name}", "unknown_field", "Not together with state.")
        for name in sorted(given - {"state", "reason"})
    ]
    if "reason" not in given:
        errors.append(FieldError("/reason", "required", "This field is required."))
    if errors:
        raise Invalid(errors=tuple(errors))
    return True
