"""By when it is to be confirmed that somebody still needs what they have, and what is looked at for it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, time, timedelta

from services.contracts.paging import Ref
from services.contracts.sharing.people import UserState
from services.contracts.vocabulary import Role
from services.sharing.domain.london import LONDON, day_of
from services.sharing.domain.ownership import Change, Grant, Ownership

Place = tuple[datetime, str]
"""Where a list goes on: by when, and the id."""


def due_in(days: int, now: datetime) -> datetime:
    """The end of the day, in London, that is so many days from now: what is due on a day is due together."""
    day = day_of(now) + timedelta(days=days + 1)
    return datetime.combine(day, time(), LONDON)


def certified(ownership: Ownership, grant: Grant, until: datetime) -> Change:
    """The owner confirms a share. Nobody's access changes by it: the same epoch, and no fence."""
    grants = tuple(
        one.model_copy(update={"certify_by": until}) if one.id == grant.id else one
        for one in ownership.grants
    )
    after = ownership.model_copy(update={"grants": grants})
    return Change(ownership.epoch, after, narrowing=False, agencies=frozenset(), past=())


@dataclass(frozen=True, slots=True)
class UserDue:
    """Somebody to be confirmed."""

    user: Ref
    job_title: str | None
    roles: tuple[Role, ...]
    state: UserState
    last_log_in_at: datetime | None
    certify_by: datetime

    @property
    def place(self) -> Place:
        return self.certify_by, self.user.id


@dataclass(frozen=True, slots=True)
class ShareDue:
    """A share to be confirmed, of a case that `owner` has."""

    case_id: str
    owner: Ref
    grant: Grant
    certify_by: datetime

    @property
    def place(self) -> Place:
        return self.certify_by, self.grant.id
