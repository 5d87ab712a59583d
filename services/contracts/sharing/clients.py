"""Clients: an agency's own systems, each with its credential, its scopes and an accountable person.

sharing.create_client(CreateClient) -> ClientCreated    command; POST /clients
sharing.list_clients(ListClients) -> ClientPage         query
sharing.get_client(GetClient) -> ClientView             query
sharing.patch_client(PatchClient) -> ClientView         command; PATCH with If-Match
sharing.delete_client(DeleteClient) -> Empty            command; its sessions end at once
sharing.rotate_secret(RotateSecret) -> SecretRotated    command; POST /clients/{id}/secrets
"""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from ..messages import Id, Moment, Request
from ..paging import PageRequest
from ..views import View
from ..vocabulary import Name, Scope
from .agencies import IfMatch, Networks

Scopes = Annotated[tuple[Scope, ...], Field(min_length=1, max_length=4)]


class ClientBody(Request):
    agency_id: Id
    name: Name
    accountable_user_id: Id
    scopes: Scopes
    networks: Networks = ()
    expires_at: Moment


class CreateClient(Request):
    """Raises Invalid: `/networks/…`, `/expires_at`, `/scopes` (provisioning stands alone),
    `/accountable_user_id` (not in the agency, or has not signed the procedure: procedure_unsigned)."""

    client: ClientBody


class ListClients(PageRequest):
    """Of the own agency, by name; deleted ones are not in it."""


class GetClient(Request):
    client_id: Id


class ClientChanges(Request):
    name: Name | None = None
    accountable_user_id: Id | None = None
    scopes: Scopes | None = None
    networks: Networks | None = None
    expires_at: Moment | None = None


class PatchClient(Request):
    client_id: Id
    if_match: IfMatch | None = None
    changes: ClientChanges


class DeleteClient(Request):
    client_id: Id


class RotationBody(Request):
    """For how long the former secret still works. 0, for one that has become known: its sessions end too."""

    overlap_seconds: Annotated[int, Field(ge=0, le=7 * 86400)] = 86400


class RotateSecret(Request):
    client_id: Id
    rotation: RotationBody = RotationBody()


class ClientView(View):
    """`client_id` equals `id`."""

    id: str
    client_id: str
    agency_id: str
    name: str
    accountable_user_id: str
    scopes: tuple[Scope, ...]
    networks: tuple[str, ...]
    expires_at: Moment
    created_at: Moment
    updated_at: Moment


class ClientCreated(ClientView):
    """`client_secret` once: a replay of the same key has none. `provisioning_token` beside it, of a system
    that provisions: its bearer token for SCIM, as long as the secret works."""

    client_secret: str | None = None
    provisioning_token: str | None = None


class SecretRotated(View):
    id: str
    client_id: str
    client_secret: str | None = None
    provisioning_token: str | None = None
    former_until: Moment | None = None


class ClientPage(View):
    items: tuple[ClientView, ...]
    next: str | None
