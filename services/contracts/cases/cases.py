"""Cases: requests to `cases`, and what it shows of a case to one caller.

cases.create_case(CreateCase) -> CaseView                command, users and clients
cases.list_cases(ListCases) -> CasePage                  query: those that the caller may see
cases.search_cases(SearchCases) -> CasePage              query: by words of title or summary, or by reference
cases.get_case(GetCase) -> CaseView                      query
cases.patch_case(PatchCase) -> CaseView                  command
cases.move_case(MoveCase) -> CaseView                    command: status, with a reason
cases.put_case_subject(PutCaseSubject) -> CaseView       command
cases.remove_case_subject(RemoveCaseSubject) -> Empty    command
cases.preview_case(PreviewCase) -> CaseView              query: what a share would show, for the owner
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, StringConstraints

from ..access import Owner, Via
from ..messages import Id, Moment, Reply, Request
from ..paging import PageRequest, Ref
from ..views import View
from ..vocabulary import (
    AccessReason,
    CaseRole,
    CaseStatus,
    Day,
    Marking,
    Name,
    Priority,
    Section,
    ShareLevel,
    Side,
    SubjectKind,
    Template,
)
from .entries import EntryPage
from .subjects import ExternalRef, Text
from .tasks import TaskPage

Summary = Annotated[str, StringConstraints(min_length=1, max_length=10_000, strip_whitespace=True)]
Reason = Annotated[str, StringConstraints(min_length=1, max_length=2_000, strip_whitespace=True)]
MOST_SUBJECTS = 100
"""In one case."""
Included = Literal["entries", "tasks"]


class SubjectInCase(Request):
    """A subject and its role. The caller MUST be able to see it by itself: its own team's."""

    subject_id: Id
    role: CaseRole


class CaseBody(Request):
    """The body of `POST /cases`. `owner_team_id`: one of the owner's own teams, which then may contribute."""

    template: Template
    title: Name
    priority: Priority
    marking: Marking
    owner_team_id: Id | None
    subjects: Annotated[tuple[SubjectInCase, ...], Field(max_length=MOST_SUBJECTS)]
    summary: Summary | None = None
    external_ref: ExternalRef | None = None


class CaseChanges(Request):
    """The body of `PATCH /cases/{id}`: what is absent stays; a null `summary` takes it away."""

    title: Name = ""
    priority: Priority = "low"
    marking: Marking = "official"
    summary: Summary | None = None


class CaseMove(Request):
    """The body of `POST /cases/{id}/transitions`."""

    to: CaseStatus
    reason: Reason


class CaseSubjectBody(Request):
    """The body of `PUT /cases/{id}/subjects/{sid}`."""

    role: CaseRole


class CreateCase(Request):
    """Raises Invalid with pointers (/owner_team_id, /subjects/N/subject_id)."""

    case: CaseBody


class ListCases(PageRequest):
    """Newest first, by when they were opened: pages neither skip nor repeat a case.

    `mine`: owned by the caller, or not. `agency_id`: the owner's. What a caller may not read of a case (level
    below read) no filter finds.
    """

    mine: Literal["owned", "shared"] | None = None
    status: CaseStatus | None = None
    template: Template | None = None
    agency_id: Id | None = None
    changed_since: Moment | None = None


class SearchCases(PageRequest):
    """Every word MUST begin a word of the title or the summary; or the text is a reference."""

    text: Text
    agency_id: Id | None = None


class GetCase(Request):
    """`access_reason`: the header. `include`: for a web page, the first page of each as well."""

    case_id: Id
    access_reason: AccessReason | None = None
    include: Annotated[tuple[Included, ...], Field(max_length=2)] = ()


class PatchCase(Request):
    """Raises IfMatchRequired, Stale (with the present ETag), CaseClosed."""

    case_id: Id
    if_match: str | None = None
    changes: CaseChanges


class MoveCase(Request):
    """Raises InvalidTransition; NotOwner for closing and reopening."""

    case_id: Id
    move: CaseMove


class PutCaseSubject(Request):
    """`if_match`: the case's ETag."""

    case_id: Id
    subject_id: Id
    if_match: str | None = None
    subject: CaseSubjectBody


class RemoveCaseSubject(Request):
    """No If-Match: taking away twice is harmless. NotVisible if the subject is not in the case."""

    case_id: Id
    subject_id: Id


class PreviewedShare(Request):
    """As much of a share as decides what it shows."""

    agency_id: Id
    level: ShareLevel
    sections: Annotated[tuple[Section, ...], Field(max_length=9)]
    side: Side | None = None


class PreviewCase(Request):
    """What somebody whom this share named, and nothing else, would see: the case with the first page of its
    entries and tasks."""

    case_id: Id
    share: PreviewedShare


class MyAccess(Reply):
    """How the caller stands to the case. `may`: methods of `cases`, `sharing` and `audit` that it may ask for
    about it; on a closed case still those that reopening would give back."""

    via: Via
    share_id: str | None = None
    level: ShareLevel
    sections: tuple[Section, ...]
    until: Moment | None
    may: tuple[str, ...]


class CaseSubject(Reply):
    subject: Ref
    kind: SubjectKind
    role: CaseRole


class Counts(Reply):
    """Of what the caller may see."""

    entries: int
    tasks_open: int


class CaseView(View):
    """Below level read: `id`, `reference`, `owner`, `my_access` and nothing else.

    `summary` and `subjects` are absent unless granted; `updated_at` is the latest change that the caller may
    see. `entries` and `tasks` only if they were asked for, and the latter two never count for the ETag.
    """

    id: str
    reference: str
    template: Template | None = None
    title: str | None = None
    status: CaseStatus | None = None
    priority: Priority | None = None
    marking: Marking | None = None
    owner: Owner
    created_at: Moment | None = None
    updated_at: Moment | None = None
    my_access: MyAccess | None = None
    summary: str | None = None
    subjects: tuple[CaseSubject, ...] = ()
    counts: Counts | None = None
    external_ref: ExternalRef | None = None
    entries: EntryPage | None = None
    tasks: TaskPage | None = None


class CaseItem(Reply):
    """One line of a list. Below level read: `id`, `reference`, `owner`, `my_access` and nothing else.

    `next_due`: of the open tasks that the caller may see. `unread`: something that the caller may see has
    changed since it last opened the case.
    """

    id: str
    reference: str
    title: str | None = None
    template: Template | None = None
    status: CaseStatus | None = None
    priority: Priority | None = None
    marking: Marking | None = None
    owner: Owner
    updated_at: Moment | None = None
    next_due: Day | None = None
    unread: bool | None = None
    my_access: MyAccess | None = None


class CasePage(View):
    """A page may be shorter than the limit and still have a next one."""

    items: tuple[CaseItem, ...]
    next: str | None
