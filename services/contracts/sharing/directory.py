"""The directory: whom one can name in a share or give a task.

sharing.list_directory(ListDirectory) -> DirectoryPage      GET /directory?agency_id=&team_id=
sharing.search_directory(SearchDirectory) -> DirectoryPage  POST /searches {in: "directory"}
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import StringConstraints

from ..messages import Id, Reply
from ..paging import PageRequest, Ref
from ..views import View

DirectoryKind = Literal["user", "team", "client"]
SearchText = Annotated[str, StringConstraints(min_length=1, max_length=200, strip_whitespace=True)]


class ListDirectory(PageRequest):
    """Of one agency, by default the caller's own; or the people of one team. Ordered by name."""

    agency_id: Id | None = None
    team_id: Id | None = None


class SearchDirectory(PageRequest):
    """Whose name has a word that begins with each of the words of `text`, whatever case or accent."""

    text: SearchText
    agency_id: Id | None = None


class DirectoryItem(Reply):
    """`available`: can be named and would have access; else `because` says why not: agency_not_active,
    account_disabled, not_activated, procedure_unsigned, expired."""

    kind: DirectoryKind
    id: str
    name: str
    job_title: str | None = None
    agency: Ref
    team: Ref | None = None
    available: bool
    because: str | None = None


class DirectoryPage(View):
    items: tuple[DirectoryItem, ...]
    next: str | None
