"""People: invited, activated, given roles with dates, disabled.

sharing.invite_user(InviteUser) -> UserInvited    command; POST /users
sharing.list_users(ListUsers) -> UserPage         query
sharing.get_user(GetUser) -> UserView             query
sharing.patch_user(PatchUser) -> UserView         command; PATCH with If-Match
sharing.reset_user(ResetUser) -> UserReset        command; POST /users/{id}/resets
sharing.activate(Activate) -> Activated           command, peer gateway only; POST /activations
"""

from __future__ import annotations

from datetime import date
from typing import Annotated, Literal

from pydantic import Field, StringConstraints

from ..messages import Id, Moment, Reply, Request
from ..paging import PageRequest
from ..views import View
from ..vocabulary import Name, Role
from .agencies import IfMatch
from .identity_providers import Passwords
from .protocols import Email

UserState = Literal["invited", "active", "disabled"]
Username = Annotated[
    str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9._@+-]{1,119}$", strip_whitespace=True)
]
"""Unique whatever its case. It may be an e-mail address."""
Password = Annotated[str, StringConstraints(min_length=1, max_length=256)]
"""What makes a good one is judged by sharing: codes too_short, too_common, contains_username."""
TeamIds = Annotated[tuple[Id, ...], Field(max_length=50)]


class RoleGiven(Request):
    """From `starts_on` to `ends_on`, both days included (Europe/London); it ends by itself (R27)."""

    role: Role
    starts_on: date | None = None
    ends_on: date | None = None


Roles = Annotated[tuple[RoleGiven, ...], Field(max_length=20)]


class InvitationBody(Request):
    username: Username
    name: Name
    email: Email
    agency_id: Id
    job_title: Name | None = None
    team_ids: TeamIds = ()
    roles: Roles = ()


class InviteUser(Request):
    """An administrator invites into its own agency; the operator anywhere, administrators only.

    Raises Invalid: `/user/…` username_taken, unknown agency or team, a role beyond the inviter's reach.
    """

    user: InvitationBody


class ListUsers(PageRequest):
    """Of one agency, by default the caller's own; by name."""

    agency_id: Id | None = None
    state: UserState | None = None


class GetUser(Request):
    user_id: Id


class UserChanges(Request):
    """`state` disabled ends every session at once. `deputy_id`: a caseworker of the same agency, who is given
    this user's cases when this user cannot act any more (R38); null: nobody."""

    state: Literal["active", "disabled"] | None = None
    name: Name | None = None
    job_title: Name | None = None
    team_ids: TeamIds | None = None
    deputy_id: Id | None = None
    roles: Roles | None = None


class PatchUser(Request):
    """Raises Invalid, `/deputy_id` not_available."""

    user_id: Id
    if_match: IfMatch | None = None
    changes: UserChanges


class ResetBody(Request):
    """Nothing to say so far."""


class ResetUser(Request):
    """Password, authenticator and sessions are gone; a new activation begins. Not of a disabled account."""

    user_id: Id
    reset: ResetBody = ResetBody()


class ActivationBody(Request):
    token: Annotated[str, StringConstraints(min_length=1, max_length=512)]
    password: Password


class Activate(Request):
    """Works in any state of the agency; not for whom a password would be refused. Raises Invalid: `/token`
    token_not_valid, `/password` …"""

    activation: ActivationBody


class RoleView(Reply):
    role: Role
    starts_on: date | None
    ends_on: date | None


class UserView(View):
    """`passwords` refused: the agency's identity provider signs this user in, and no password does.
    `system_may_enable`: the agency's identity system has disabled this user, and may enable them until an
    administrator changes the state, `disabled` once more included."""

    id: str
    username: str
    name: str
    email: str
    agency_id: str
    job_title: str | None
    team_ids: tuple[str, ...]
    deputy_id: str | None
    roles: tuple[RoleView, ...]
    state: UserState
    passwords: Passwords = "allowed"
    system_may_enable: bool = False
    created_at: Moment
    updated_at: Moment


class UserInvited(UserView):
    """`activation_token` the first time only, and only where no mail is configured: a replay has none. Nor
    has whoever may have no password: the identity provider signs them in, and activates the account."""

    activation_token: str | None = None
    activation_expires_at: Moment | None = None


class UserReset(View):
    """As with an invitation."""

    id: str
    state: UserState
    passwords: Passwords = "allowed"
    activation_token: str | None = None
    activation_expires_at: Moment | None = None


class UserPage(View):
    items: tuple[UserView, ...]
    next: str | None


class Activated(View):
    username: str
