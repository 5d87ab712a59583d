"""What `sharing` asks the others, to notice that an older copy of its database was put back, and to mend it.

cases.witness_authority(WitnessAuthority) -> AuthorityMark    command, every few seconds: the highest so far
cases.lists_held(GetListsHeld) -> ListsHeld                   query: every case's list, a page at a time
notify.events_heard(GetEventsHeard) -> EventsHeard            query: how far the events of cases were heard

All are asked by `sharing` alone, for itself.
"""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from .access import AccessList, Owner
from .messages import Id, Moment, Reply, Request

Count = Annotated[int, Field(ge=0)]
PAGE = 50
"""Cases at a time: as many lists as `apply_acl` takes."""


class AuthorityMark(Reply):
    """How far `sharing` has come: its term, its beat, the version of `standing`. Each only grows, unless an
    older copy of the database was put back."""

    term: Count
    beat: Count
    standing: Count

    def behind(self, other: AuthorityMark) -> bool:
        """Whether `other` is later in anything: then this one is of an older copy."""
        return self.term < other.term or self.beat < other.beat or self.standing < other.standing


class WitnessAuthority(Request):
    mark: AuthorityMark


class GetListsHeld(Request):
    """Those after `after`, by case id."""

    after: Id | None = None


class HeldList(Reply):
    """`opened_at` is the case's."""

    list: AccessList
    opened_at: Moment


class UnreadableList(Reply):
    """Of a case whose list is damaged: nobody is let into it. `owner`: as far as that can still be read."""

    case_id: Id
    owner: Owner | None
    opened_at: Moment


class ListsHeld(Reply):
    """At most `PAGE` together; none: there are no more."""

    items: tuple[HeldList, ...]
    unreadable: tuple[UnreadableList, ...] = ()


class GetEventsHeard(Request):
    case_ids: Annotated[tuple[Id, ...], Field(max_length=PAGE)]


class EventsHeard(Reply):
    """The highest number of an event of `sharing` by case; a case that none was heard of is absent."""

    numbers: dict[str, Count]
