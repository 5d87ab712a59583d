"""Confirming, every 90 days, that who has access still needs it: people by their agency, shares by the owner.

sharing.list_users_to_certify(ListUsersToCertify) -> UsersToCertify    query; GET /certifications/users
sharing.certify_user(CertifyUser) -> UserCertified        command; POST /users/{id}/certifications
sharing.list_shares_to_certify(ListSharesToCertify) -> SharesToCertify    query; GET /certifications/shares
sharing.certify_share(CertifyShare) -> ShareCertified    command; POST /cases/{id}/shares/{sid}/certifications

Nothing ends because it was not confirmed in time: it is overdue, and whoever answers for it is reminded. Whom
an agency does not confirm it disables (PATCH /users/{id}); what an owner does not confirm it revokes.
"""

from __future__ import annotations

from typing import Literal

from ..messages import Id, Moment, Reply, Request
from ..paging import PageRequest, Ref
from ..views import View
from ..vocabulary import Role, ShareLevel
from .people import UserState


class ListUsersToCertify(PageRequest):
    """Of the caller's own agency, without the disabled; the soonest due first. `overdue`: only these."""

    overdue: bool = False


class UserToCertify(Reply):
    """`roles`: those in force today. `certify_by`: when it is overdue."""

    user: Ref
    job_title: str | None
    roles: tuple[Role, ...]
    state: UserState
    last_log_in_at: Moment | None
    certify_by: Moment
    overdue: bool


class UsersToCertify(View):
    items: tuple[UserToCertify, ...]
    next: str | None


class CertifyUser(Request):
    """Raises NotVisible of another agency's, InvalidTransition of who is disabled."""

    user_id: Id


class UserCertified(View):
    user_id: str
    certify_by: Moment


class ListSharesToCertify(PageRequest):
    """Shares in force, the soonest due first: `mine` are those of cases that the caller owns, `agency` the
    overdue ones of cases that the caller's agency owns, for its data protection officer."""

    of: Literal["mine", "agency"] = "mine"
    overdue: bool = False


class ShareToCertify(Reply):
    """Ids and who has it: nothing of what the case is about."""

    case_id: str
    share_id: str
    owner: Ref
    agency: Ref
    level: ShareLevel
    granted_at: Moment
    expires_at: Moment | None
    certify_by: Moment
    overdue: bool


class SharesToCertify(View):
    items: tuple[ShareToCertify, ...]
    next: str | None


class CertifyShare(Request):
    """By the owner. Raises NotVisible, NotOwner; InvalidTransition of one that is over."""

    case_id: Id
    share_id: Id


class ShareCertified(View):
    case_id: str
    share_id: str
    certify_by: Moment
