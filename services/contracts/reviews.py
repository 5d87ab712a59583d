"""What audit works out of the log by itself: unusual access to be looked at, and how much the system is used.

audit.list_reviews(ListReviews) -> ReviewList       GET /audit/reviews?state=&kind=&actor_id=
audit.decide_review(DecideReview) -> ReviewView     PATCH /audit/reviews/{id} {decision, reason}
audit.get_usage(GetUsage) -> Usage                  GET /audit/usage?from=&to=

For data protection officers; usage also for the programme's and the governance's people, as it has no case
content. An agency's officer sees the own agency's people.
"""

from __future__ import annotations

from datetime import date
from typing import Annotated, Literal

from pydantic import Field, StringConstraints

from .aliases import AliasedReply, AliasedRequest
from .messages import Id, Moment, Reply, Request
from .paging import PageRequest, Ref
from .views import View

ReviewKind = Literal["out_of_hours", "volume", "no_relation", "own_name"]
ReviewState = Literal["open", "decided"]
Decision = Literal["expected", "concern"]
Reason = Annotated[str, StringConstraints(min_length=1, max_length=1000, pattern=r"\S")]


class ListReviews(PageRequest):
    """The newest day first."""

    state: ReviewState | None = None
    kind: ReviewKind | None = None
    actor_id: Id | None = None


class DecisionBody(Request):
    """Nothing in `reason` is written to the log: it may name people."""

    decision: Decision
    reason: Reason


class DecideReview(Request):
    """Decide, or decide again: all decisions are kept. NotVisible."""

    review_id: Id
    review: DecisionBody


class ReviewDecision(Reply):
    decision: Decision
    reason: str
    by: Ref
    at: Moment


class ReviewItem(Reply):
    """What one person did on one day (Europe/London) that is unusual. `count` is of acts, or of different
    cases for `volume` and `no_relation`; `entry_ids` are the first of them in the log. A decided one is open
    again when there is more of it."""

    id: str
    kind: ReviewKind
    day: date
    actor: Ref
    agency: Ref
    count: int
    entry_ids: tuple[str, ...]
    state: ReviewState
    decisions: tuple[ReviewDecision, ...]


class ReviewView(ReviewItem, View):
    """One, as it was just decided."""


class ReviewList(View):
    items: tuple[ReviewItem, ...]
    next: str | None


class GetUsage(AliasedRequest):
    """From day to day, both included, of at most 366 days. Invalid (/to)."""

    since: date = Field(alias="from")
    until: date = Field(alias="to")


class UsageFigures(Reply):
    """`active_users`: who logged in, opened or contributed; `cases_opened`: times that a case was opened;
    `contributions`: entries, tasks and changes of cases."""

    active_users: int
    cases_opened: int
    contributions: int
    last_log_in: Moment | None


class AgencyUsage(UsageFigures):
    agency: Ref


class TeamUsage(UsageFigures):
    """By the teams that people were in when their day was first counted."""

    agency: Ref
    team: Ref


class UseUsage(Reply):
    """`use` is a template."""

    use: str
    active_users: int
    cases_opened: int
    contributions: int


class Usage(AliasedReply, View):
    """`up_to`: how many entries of the log are counted."""

    since: date = Field(alias="from")
    until: date = Field(alias="to")
    up_to: int
    agencies: tuple[AgencyUsage, ...]
    teams: tuple[TeamUsage, ...]
    uses: tuple[UseUsage, ...]
