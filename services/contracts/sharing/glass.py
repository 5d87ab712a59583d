"""Broken glass: access to a case without a share, for one person and a short time, looked into afterwards.

sharing.break_glass(BreakGlass) -> GlassBroken       command; POST /cases/{id}/break-glass, with Access-Reason
sharing.list_glasses(ListGlasses) -> GlassPage       query; GET /cases/{id}/break-glass
sharing.review_glass(ReviewGlass) -> GlassView       command; PATCH /cases/{id}/break-glass/{gid}

The last two are for those who answer for the case: its owner, the data protection officer of the owner's
agency, the partnership's. A case that there is not, and one that the caller must not know of: NotVisible.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import StringConstraints

from ..messages import Id, Moment, Reply, Request
from ..paging import PageRequest, Ref
from ..views import View
from ..vocabulary import AccessReason

GlassDecision = Literal["justified", "not_justified"]
GlassReason = Annotated[str, StringConstraints(min_length=1, max_length=1000, pattern=r"\S")]


class GlassBody(Request):
    """POST /cases/{id}/break-glass. `reason` is kept for the review; it goes into no log and no event."""

    reason: GlassReason


class BreakGlass(Request):
    """While it is broken, the same again extends nothing. Raises ReasonRequired before anything is looked up,
    RateLimited, NotVisible, InvalidTransition (of the owner's own case)."""

    case_id: Id
    access_reason: AccessReason | None = None
    glass: GlassBody


class GlassBroken(View):
    """Read what is not safe contact, until then. The owner and the officers are told."""

    id: str
    case_id: str
    until: Moment


class ListGlasses(PageRequest):
    """Newest first."""

    case_id: Id


class GlassReview(Request):
    """PATCH. `reason` is kept with the review alone."""

    decision: GlassDecision
    reason: GlassReason


class ReviewGlass(Request):
    """Decide, or decide again: all decisions are kept. Raises NotVisible, NotOwner, OwnGlass."""

    case_id: Id
    glass_id: Id
    review: GlassReview


class GlassDecided(Reply):
    decision: GlassDecision
    reason: str
    by: Ref
    at: Moment


class GlassItem(Reply):
    """One broken glass. `ended_at`: when it ended, by its time or before; null while it is in force. The
    latest of the `decisions` counts; without any it is due at `review_by` and then escalates, once."""

    id: str
    case_id: str
    user: Ref
    agency: Ref
    access_reason: AccessReason
    reason: str
    created_at: Moment
    until: Moment
    ended_at: Moment | None
    review: Literal["open", "justified", "not_justified"]
    review_by: Moment
    escalated_at: Moment | None
    decisions: tuple[GlassDecided, ...]


class GlassView(GlassItem, View):
    """One, as it was just decided."""


class GlassPage(View):
    items: tuple[GlassItem, ...]
    next: str | None
