"""What one caller is shown of a case: nothing that was not granted, and no trace of it. Pure."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final, TypeVar

from services.cases.domain.case import Case
from services.contracts.access import Standing, has_role, names
from services.contracts.caller import Caller
from services.contracts.cases.cases import CaseItem, CaseSubject, CaseView, Counts, MyAccess
from services.contracts.cases.subjects import ExternalRef
from services.contracts.paging import Ref
from services.contracts.permissions import PERMITS
from services.contracts.permissions.permit import Permit
from services.contracts.views import View
from services.contracts.vocabulary import Section

_ABOUT_A_CASE: Final[tuple[tuple[str, Permit, Section | None], ...]] = (
    ("add_entry", PERMITS["cases"]["add_entry"], "timeline"),
    ("add_task", PERMITS["cases"]["add_task"], "tasks"),
    ("patch_case", PERMITS["cases"]["patch_case"], None),
    ("move_case", PERMITS["cases"]["move_case"], None),
    ("put_case_subject", PERMITS["cases"]["put_case_subject"], "subjects"),
    ("remove_case_subject", PERMITS["cases"]["remove_case_subject"], "subjects"),
    ("preview_case", PERMITS["cases"]["preview_case"], None),
    ("share_case", PERMITS["sharing"]["share_case"], None),
    ("list_access", PERMITS["sharing"]["list_access"], None),
    ("list_case_consultations", PERMITS["audit"]["list_case_consultations"], None),
)
Shown = TypeVar("Shown", bound=View)

_NOT_TAGGED = frozenset({"etag", "disclosed", "entries", "tasks"})


def reads(standing: Standing, section: Section) -> bool:
    return section in standing.sections


def sees_victims(case: Case, caller: Caller) -> bool:
    """Whoever is on the perpetrator's side does not, in any section."""
    return not any(
        share.side == "perpetrator" and share.agency_id == caller.agency_id and names(share, caller)
        for share in case.acl.shares
    )


def hidden_subjects(case: Case, caller: Caller) -> frozenset[str]:
    """Ids that no entry may name to this caller."""
    if sees_victims(case, caller):
        return frozenset()
    return frozenset(one.id for one in case.subjects if one.role == "victim")


def visible_entries(case: Case, caller: Caller, standing: Standing) -> int:
    if not reads(standing, "timeline"):
        return 0
    return case.entries - sum(one.count for one in case.withheld if caller.agency_id in one.agencies)


def updated_at(case: Case, caller: Caller, standing: Standing) -> datetime:
    """The latest change that the caller may see."""
    moments = [case.created_at]
    sections = standing.sections
    for part, at in case.changed.items():
        if (
            part == "case"
            or part in sections
            or (part == "victims" and "subjects" in sections and sees_victims(case, caller))
        ):
            moments.append(at)
    if "timeline" in sections:
        moments.extend(one.at for one in case.withheld if caller.agency_id not in one.agencies)
    return max(moments)


def my_access(caller: Caller, standing: Standing) -> MyAccess:
    fields: dict[str, Any] = {
        "via": standing.via,
        "level": standing.public_level,
        "sections": standing.sections,
        "until": standing.until,
        "may": tuple(
            name
            for name, permit, section in _ABOUT_A_CASE
            if has_role(caller, permit) and standing.reaches(permit.level or "know", section)
        ),
    }
    if standing.share_id is not None:
        fields["share_id"] = standing.share_id
    return MyAccess(**fields)


def case_view(case: Case, caller: Caller, standing: Standing) -> CaseView:
    """The body of `GET /cases/{id}`, with its ETag."""
    fields: dict[str, Any] = {**_known(case), "my_access": my_access(caller, standing)}
    if standing.reaches("read"):
        fields.update(
            template=case.template,
            title=case.title,
            status=case.status,
            priority=case.priority,
            marking=case.marking,
            created_at=case.created_at,
            updated_at=updated_at(case, caller, standing),
            counts=Counts(
                entries=visible_entries(case, caller, standing),
                tasks_open=case.tasks_open if reads(standing, "tasks") else 0,
            ),
        )
        if case.external_ref is not None and caller.agency_id == case.acl.owner.agency.id:
            # Another system's number for it is between that system and the owner's agency.
            fields["external_ref"] = ExternalRef(**case.external_ref)
        if reads(standing, "summary") and case.summary is not None:
            fields["summary"] = case.summary
        if reads(standing, "subjects"):
            fields["subjects"] = _subjects(case, caller)
    return tagged(CaseView(**fields))


def case_item(case: Case, caller: Caller, standing: Standing, seen: Mapping[str, datetime]) -> CaseItem:
    """One line of a list. `seen`: as of which change the caller last opened which case."""
    if not standing.reaches("read"):
        return CaseItem(**_known(case), my_access=my_access(caller, standing))
    updated = updated_at(case, caller, standing)
    last = seen.get(case.id)
    return CaseItem(
        **_known(case),
        title=case.title,
        template=case.template,
        status=case.status,
        priority=case.priority,
        marking=case.marking,
        updated_at=updated,
        next_due=case.next_due if reads(standing, "tasks") else None,
        unread=last is None or last < updated,
    )


def tagged(view: Shown) -> Shown:
    """With an ETag that changes exactly when what is shown does."""
    shown = view.model_dump_json(exclude_unset=True, exclude=set(_NOT_TAGGED))
    etag = hashlib.blake2b(shown.encode(), digest_size=16).hexdigest()
    return view.model_copy(update={"etag": etag})


def _known(case: Case) -> dict[str, Any]:
    """What everybody sees who may know of the case: the owner's user is the contact."""
    return {"id": case.id, "reference": case.reference, "owner": case.acl.owner}


def _subjects(case: Case, caller: Caller) -> tuple[CaseSubject, ...]:
    all_of_them = sees_victims(case, caller)
    return tuple(
        CaseSubject(subject=Ref(id=one.id, name=one.name), kind=one.kind, role=one.role)
        for one in case.subjects
        if all_of_them or one.role != "victim"
    )
