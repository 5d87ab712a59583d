"""What an agency's identity system does to the accounts of the agency's own people: it disables who leaves.

It makes nobody and gives nothing: people are invited by administrators. The gateway speaks SCIM 2.0 (RFC
7643, RFC 7644) in front of these. To a system of another agency there is nobody here.

sharing.list_provisioned(ListProvisioned) -> ProvisionedList    query
sharing.get_provisioned(GetProvisioned) -> ProvisionedUser      query
sharing.change_provisioned(ChangeProvisioned) -> ProvisionedUser    command
sharing.remove_provisioned(RemoveProvisioned) -> Empty          command
"""

from __future__ import annotations

from typing import Annotated

from pydantic import Field, StringConstraints

from ..messages import Id, Moment, Request
from ..views import View

ExternalId = Annotated[str, StringConstraints(min_length=1, max_length=256)]
Sought = Annotated[str, StringConstraints(min_length=1, max_length=320)]


class ListProvisioned(Request):
    """By id, from the `start`th on, counted from 1. At most one of `username` and `external_id` is sought."""

    username: Sought | None = None
    external_id: Sought | None = None
    start: Annotated[int, Field(ge=1, le=1_000_000)] = 1
    count: Annotated[int, Field(ge=0, le=100)] = 100


class GetProvisioned(Request):
    """Raises NotVisible."""

    user_id: Id


class ChangesOfProvisioned(Request):
    """What is not named stays. `active` false disables the account and ends every session, with the answer;
    true enables it where it was this way that it was disabled. `external_id` null: none."""

    active: bool | None = None
    external_id: ExternalId | None = None


class ChangeProvisioned(Request):
    """`if_match`: not asked for, but obeyed. Raises NotVisible, Stale; InvalidTransition: an administrator
    has disabled the account; Invalid: `/external_id` taken."""

    user_id: Id
    if_match: Annotated[str, StringConstraints(max_length=512)] | None = None
    changes: ChangesOfProvisioned


class RemoveProvisioned(Request):
    """The account is disabled for good, as far as this way goes: to the system there is nobody any more.
    Raises NotVisible."""

    user_id: Id


class ProvisionedUser(View):
    """`active`: not disabled; an invited user is active as well."""

    id: str
    external_id: str | None
    username: str
    name: str
    email: str
    active: bool
    version: str
    created_at: Moment
    updated_at: Moment


class ProvisionedList(View):
    """`total`: of all that were sought."""

    items: tuple[ProvisionedUser, ...]
    total: int
