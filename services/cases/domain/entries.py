"""Entries: what happened and who says so. Never overwritten: revised or withdrawn, with a reason. Pure."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from services.cases.domain.case import Case, after, to_milliseconds
from services.cases.domain.fitting import ROOM, total
from services.cases.domain.showing import hidden_subjects, tagged
from services.contracts.caller import Caller
from services.contracts.cases.entries import (
    EntryBody,
    EntryChanges,
    EntryView,
    Intervention,
    Revision,
    Withdrawal,
)
from services.contracts.cases.subjects import ExternalRef
from services.contracts.errors import FieldError, Invalid, InvalidTransition, Refused
from services.contracts.paging import Ref

MOST_REVISIONS = 50
_REVISED = ("text", "occurred_at", "intervention")


@dataclass(frozen=True, slots=True)
class Entry:
    """One entry. `body` has the fields of `EntryBody` as they are now, without those that were not given;
    `revisions` what it said before: {at, by, reason, and the fields that were changed}."""

    id: str
    case_id: str
    body: Mapping[str, Any]
    author: Ref
    agency: Ref
    recorded_at: datetime
    updated_at: datetime
    revisions: tuple[Mapping[str, Any], ...] = ()
    withdrawn: Mapping[str, Any] | None = None

    @property
    def withhold_from(self) -> tuple[str, ...]:
        return tuple(self.body.get("withhold_from", ()))


def new_entry(entry_id: str, case: Case, body: EntryBody, caller: Caller, now: datetime) -> Entry:
    """Raises Invalid with pointers."""
    _check(case, body, caller)
    return Entry(
        id=entry_id,
        case_id=case.id,
        body=_fields(body),
        author=Ref(id=caller.id, name=caller.name or caller.id),
        agency=Ref(id=caller.agency_id, name=caller.agency_name or caller.agency_id),
        recorded_at=now,
        updated_at=now,
    )


def revised(entry: Entry, changes: EntryChanges, caller: Caller, now: datetime) -> Entry:
    """With what `changes` sets, and what it said before among its revisions.

    Raises Refused, InvalidTransition, Invalid.
    """
    check_writer(entry, caller)
    given = {name: value for name, value in _fields(changes).items() if name in _REVISED}
    given |= {name: None for name in _REVISED if name in changes.model_fields_set and name not in given}
    _check_revision(entry, given)
    before = {name: entry.body.get(name) for name in given}
    body = {**entry.body, **given}
    revision = {"at": now, "by": _by(caller), "reason": changes.reason, **before}
    return replace(
        entry,
        body={name: value for name, value in body.items() if value is not None},
        revisions=(*entry.revisions, revision),
        updated_at=after(now, entry.updated_at),
    )


def withdrawn(entry: Entry, reason: str, caller: Caller, now: datetime) -> Entry:
    """Raises Refused, InvalidTransition."""
    check_writer(entry, caller)
    return replace(
        entry,
        withdrawn={"at": now, "by": _by(caller), "reason": reason},
        updated_at=after(now, entry.updated_at),
    )


def check_writer(entry: Entry, caller: Caller) -> None:
    """Its author or the author's agency, and only while it is not withdrawn."""
    if caller.agency_id != entry.agency.id:
        raise Refused(cause="entry of another agency")
    if entry.withdrawn is not None:
        raise InvalidTransition(cause="withdrawn")


def entry_view(entry: Entry, case: Case, caller: Caller, *, full: bool) -> EntryView:
    """`full`: with the revisions and an ETag. A line of a list has neither."""
    fields: dict[str, Any] = {
        "id": entry.id,
        "type": entry.body["type"],
        "occurred_at": entry.body["occurred_at"],
        "author": entry.author,
        "agency": entry.agency,
        "recorded_at": entry.recorded_at,
        "created_at": entry.recorded_at,
        "updated_at": entry.updated_at,
    }
    if caller.agency_id in (entry.agency.id, case.acl.owner.agency.id) and entry.withhold_from:
        fields["withhold_from"] = entry.withhold_from
    if entry.withdrawn is not None:
        fields["withdrawn"] = Withdrawal.model_validate(entry.withdrawn)
    else:
        fields |= _said(entry, hidden_subjects(case, caller), full)
    view = EntryView(**fields)
    return tagged(view) if full else view


def _said(entry: Entry, hidden: Collection[str], full: bool) -> dict[str, Any]:
    """What a withdrawn entry loses."""
    body = entry.body
    fields: dict[str, Any] = {"text": body["text"], "revision": len(entry.revisions)}
    for name in ("reported_at", "channel"):
        if name in body:
            fields[name] = body[name]
    if "subject_ids" in body:
        fields["subject_ids"] = tuple(one for one in body["subject_ids"] if one not in hidden)
    if "intervention" in body:
        fields["intervention"] = Intervention.model_validate(body["intervention"])
    if "external_ref" in body:
        fields["external_ref"] = ExternalRef.model_validate(body["external_ref"])
    if full:
        fields["revisions"] = tuple(Revision.model_validate(one) for one in entry.revisions)
    return fields


def _fields(body: EntryBody | EntryChanges) -> dict[str, Any]:
    """As they were given, moments as the database keeps them."""
    given = body.model_dump(exclude_unset=True, exclude_none=True) | _whole_intervention(body)
    return {name: _kept(value) for name, value in given.items()}


def _kept(value: Any) -> Any:
    if isinstance(value, datetime):
        return to_milliseconds(value)
    if isinstance(value, dict):
        return {name: _kept(one) for name, one in value.items()}
    return value


def _whole_intervention(body: EntryBody | EntryChanges) -> dict[str, Any]:
    # Its own nulls are part of what was said.
    return {} if body.intervention is None else {"intervention": body.intervention.model_dump()}


def _by(caller: Caller) -> dict[str, str]:
    return {"id": caller.id, "name": caller.name or caller.id}


def _check(case: Case, body: EntryBody, caller: Caller) -> None:
    errors = []
    there = {one.id for one in case.subjects} - hidden_subjects(case, caller)
    for place, one in enumerate(body.subject_ids):
        if one not in there:
            errors.append(FieldError(f"/subject_ids/{place}", "not_in_case", "This is not in the case."))
    for place, one in enumerate(body.withhold_from):
        if one in (caller.agency_id, case.acl.owner.agency.id):
            errors.append(
                FieldError(
                    f"/withhold_from/{place}",
                    "cannot_withhold",
                    "Nothing is withheld from the owner's agency or from your own.",
                )
            )
    if body.intervention is not None and body.type != "intervention":
        errors.append(_misplaced())
    if errors:
        raise Invalid(errors=tuple(errors))


def _check_revision(entry: Entry, given: Mapping[str, Any]) -> None:
    if not given:
        raise Invalid(errors=(FieldError("", "required", "Say what is to be changed."),))
    if given.get("occurred_at", True) is None:
        raise Invalid(errors=(FieldError("/occurred_at", "wrong_type", "This has the wrong type."),))
    if given.get("intervention") is not None and entry.body["type"] != "intervention":
        raise Invalid(errors=(_misplaced(),))
    # The entry is shown with all of them, in one answer.
    if len(entry.revisions) >= MOST_REVISIONS or total(entry.revisions) > ROOM:
        raise Invalid(errors=(FieldError("", "too_many", "This entry cannot be revised any more."),))


def _misplaced() -> FieldError:
    return FieldError("/intervention", "not_for_type", "An entry of this type has no intervention.")
