"""Asking the owner for (more) access to a case that one knows of; the owner answers by sharing, or declines.

sharing.request_access(RequestAccess) -> AccessRequestView          command; POST /cases/{id}/access-requests
sharing.list_access_requests(ListAccessRequests) -> AccessRequestPage    query; GET of the same
sharing.answer_access_request(AnswerAccessRequest) -> AccessRequestView    command; PATCH …/{rid}

An answer gives nothing: the owner shares the case as ever, and then says so.
"""

from __future__ import annotations

from typing import Literal

from ..messages import Id, Moment, Request
from ..paging import PageRequest, Ref
from ..views import View
from .shares import WhyText

AskedState = Literal["open", "shared", "declined"]


class AccessRequestBody(Request):
    """POST /cases/{id}/access-requests. `reason` is for the owner; it goes into no log and no event."""

    reason: WhyText


class RequestAccess(Request):
    """Raises NotVisible; InvalidTransition of the owner; AlreadyExists while an own request is open."""

    case_id: Id
    asked: AccessRequestBody


class ListAccessRequests(PageRequest):
    """The owner's list has all, any other caller's its own; the newest first."""

    case_id: Id


class AccessAnswer(Request):
    """PATCH …/access-requests/{rid}. `shared` says that a share was given. `answer` is for who asked."""

    state: Literal["shared", "declined"]
    answer: WhyText | None = None


class AnswerAccessRequest(Request):
    """Raises NotOwner; InvalidTransition of one that is answered."""

    case_id: Id
    request_id: Id
    answer: AccessAnswer


class AccessRequestView(View):
    """One request. `answered_by` and `answered_at` are null while it is open."""

    id: str
    case_id: str
    user: Ref
    agency: Ref
    reason: str
    state: AskedState
    answer: str | None
    answered_by: Ref | None
    answered_at: Moment | None
    created_at: Moment


class AccessRequestPage(View):
    items: tuple[AccessRequestView, ...]
    next: str | None
