"""Entries, the timeline of a case: requests to `cases`, and what it shows.

cases.add_entry(AddEntry) -> EntryView             command, users and clients
cases.list_entries(ListEntries) -> EntryPage       query
cases.get_entry(GetEntry) -> EntryView             query, with the revisions
cases.revise_entry(ReviseEntry) -> EntryView       command: its author, or the author's agency
cases.withdraw_entry(WithdrawEntry) -> EntryView   command: the same
"""

from __future__ import annotations

from typing import Annotated

from pydantic import Field, StringConstraints

from ..messages import Id, Moment, Reply, Request
from ..paging import PageRequest, Ref
from ..views import View
from ..vocabulary import AccessReason, Channel, EntryType, Name
from .subjects import ExternalRef

EntryText = Annotated[str, StringConstraints(min_length=1, max_length=20_000)]
Reason = Annotated[str, StringConstraints(min_length=1, max_length=2_000, strip_whitespace=True)]


class Intervention(Request):
    """What was done, of an entry of this type and of no other."""

    kind: Name
    responsible_user_id: Id | None
    outcome: Annotated[str, StringConstraints(min_length=1, max_length=2_000)] | None
    ended_at: Moment | None


class EntryBody(Request):
    """The body of `POST …/entries`. `withhold_from`: agencies for which the entry does not exist; neither the
    owner's nor the author's own. `subject_ids`: of this case."""

    type: EntryType
    occurred_at: Moment
    reported_at: Moment | None = None
    channel: Channel | None = None
    text: EntryText
    subject_ids: Annotated[tuple[Id, ...], Field(max_length=100)] = ()
    withhold_from: Annotated[tuple[Id, ...], Field(max_length=50)] = ()
    intervention: Intervention | None = None
    external_ref: ExternalRef | None = None


class EntryChanges(Request):
    """The body of `PATCH …/entries/{eid}`: a revision. What is absent stays."""

    text: EntryText = ""
    # Never the moment of anything: only that it was set counts.
    occurred_at: Moment | None = None
    intervention: Intervention | None = None
    reason: Reason


class WithdrawalBody(Request):
    """The body of `POST …/entries/{eid}/withdrawal`."""

    reason: Reason


class AddEntry(Request):
    """Raises CaseClosed, Invalid with pointers (/subject_ids/N, /withhold_from/N, /intervention)."""

    case_id: Id
    entry: EntryBody


class ListEntries(PageRequest):
    """By when it happened, the latest first. `agency_id`: the author's."""

    case_id: Id
    access_reason: AccessReason | None = None
    type: EntryType | None = None
    agency_id: Id | None = None


class GetEntry(Request):
    case_id: Id
    entry_id: Id
    access_reason: AccessReason | None = None


class ReviseEntry(Request):
    """Raises IfMatchRequired, Stale, CaseClosed, InvalidTransition (withdrawn), Refused (not its author)."""

    case_id: Id
    entry_id: Id
    if_match: str | None = None
    changes: EntryChanges


class WithdrawEntry(Request):
    """Raises CaseClosed, InvalidTransition (withdrawn already), Refused (not its author)."""

    case_id: Id
    entry_id: Id
    withdrawal: WithdrawalBody


class Withdrawal(Reply):
    at: Moment
    by: Ref
    reason: str


class Revision(Reply):
    """What an entry said until `at`, when `by` changed it. Only the fields that were changed are there."""

    at: Moment
    by: Ref
    reason: str
    text: str | None = None
    occurred_at: Moment | None = None
    intervention: Intervention | None = None


class EntryView(View):
    """One entry. `author` and `agency` as they were when it was written.

    A withdrawn one keeps its place and its author and loses what it said: no `text`, `subject_ids`,
    `intervention`, `revisions`. `revision` counts the revisions; `get_entry` alone shows them.
    `withhold_from` is shown to the owner's and the author's agency.
    """

    id: str
    type: EntryType
    occurred_at: Moment
    reported_at: Moment | None = None
    channel: Channel | None = None
    text: str | None = None
    subject_ids: tuple[str, ...] = ()
    withhold_from: tuple[str, ...] = ()
    intervention: Intervention | None = None
    external_ref: ExternalRef | None = None
    author: Ref
    agency: Ref
    recorded_at: Moment
    created_at: Moment
    updated_at: Moment
    revision: int = 0
    revisions: tuple[Revision, ...] = ()
    withdrawn: Withdrawal | None = None


class EntryPage(View):
    items: tuple[EntryView, ...]
    next: str | None
