"""The chronology of a subject (R7): what the cases that the viewer may see say of it, in one line of time.

cases.get_chronology(GetChronology) -> ChronologyPage     query
"""

from __future__ import annotations

from typing import Literal

from ..messages import Id, Reply
from ..paging import PageRequest, Ref
from ..views import View
from ..vocabulary import AccessReason
from .entries import EntryView


class GetChronology(PageRequest):
    """Entries that name the subject, by when it happened. `access_reason`: asked for when another agency's
    case is among those shown."""

    subject_id: Id
    order: Literal["oldest", "newest"] = "oldest"
    access_reason: AccessReason | None = None


class ChronologyItem(Reply):
    """`case` is named by its reference."""

    case: Ref
    entry: EntryView


class ChronologyPage(View):
    items: tuple[ChronologyItem, ...]
    next: str | None
