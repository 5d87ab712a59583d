"""Links between subjects (R4), with dates and source. The association view is made of these alone.

cases.create_link(CreateLink) -> LinkView      command
cases.list_links(ListLinks) -> LinkPage        query
cases.patch_link(PatchLink) -> LinkView        command
cases.delete_link(DeleteLink) -> Empty         command

Whoever makes a link sees both its ends; whoever is shown one may see both of them as well.
"""

from __future__ import annotations

import datetime
from typing import Annotated

from pydantic import StringConstraints

from ..messages import Id, Moment, Request
from ..paging import PageRequest, Ref
from ..views import View
from ..vocabulary import AccessReason, LinkKind, SubjectKind

Source = Annotated[str, StringConstraints(min_length=1, max_length=500, strip_whitespace=True)]
"""Who or what says so."""


class LinkBody(Request):
    """The body of `POST /subjects/{id}/links`. `until` is the last day; it is not before `since`."""

    kind: LinkKind
    to_subject_id: Id
    since: datetime.date | None = None
    until: datetime.date | None = None
    source: Source


class LinkChanges(Request):
    """The body of `PATCH …/links/{lid}`: what is absent stays; null takes a date away."""

    since: datetime.date | None = None
    until: datetime.date | None = None
    source: Source | None = None


class CreateLink(Request):
    subject_id: Id
    link: LinkBody


class ListLinks(PageRequest):
    """Those that begin or end at the subject, the oldest first."""

    subject_id: Id
    access_reason: AccessReason | None = None


class PatchLink(Request):
    subject_id: Id
    link_id: Id
    changes: LinkChanges


class DeleteLink(Request):
    subject_id: Id
    link_id: Id


class LinkView(View):
    """`other` is the end that is not the subject that was asked about, in either direction."""

    id: str
    kind: LinkKind
    from_subject_id: str
    to_subject_id: str
    since: datetime.date | None = None
    until: datetime.date | None = None
    source: str
    agency_id: str
    other: Ref
    other_kind: SubjectKind
    created_at: Moment
    updated_at: Moment


class LinkPage(View):
    items: tuple[LinkView, ...]
    next: str | None
