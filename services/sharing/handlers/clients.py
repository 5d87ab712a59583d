"""Clients: an agency's own systems, looked after by its administrator."""

from __future__ import annotations

from datetime import timedelta

from services.chassis.commands import Emit
from services.chassis.mongo import Session
from services.chassis.rpc import command, rpc
from services.contracts.caller import Caller
from services.contracts.envelope import new_event_id
from services.contracts.errors import FieldError, Invalid, InvalidTransition, NotVisible, RoleRequired
from services.contracts.records import Object
from services.contracts.sharing.clients import (
    ClientCreated,
    ClientPage,
    ClientView,
    CreateClient,
    DeleteClient,
    GetClient,
    ListClients,
    PatchClient,
    RotateSecret,
    SecretRotated,
)
from services.contracts.views import Empty
from services.sharing.domain import etags, procedures, tokens
from services.sharing.domain.clients import (
    Client,
    Secret,
    check_expiry,
    check_networks,
    check_scopes,
    provisions,
    rotated,
)
from services.sharing.handlers.identity import REFUSALS, Begun, Identity, Made, changes_of, own_agency


class Clients(Identity):
    @command(expected_exceptions=REFUSALS)
    def create_client(self, request: CreateClient, caller: Caller) -> ClientCreated:
        """Register one; its secret is shown here once."""
        given, now = request.client, self.now()
        if given.agency_id != caller.agency_id:
            raise RoleRequired
        check_expiry(given.expires_at, now)
        check_scopes(given.scopes)
        client = Client(
            id=new_event_id(),
            agency_id=given.agency_id,
            name=given.name,
            accountable_user_id=given.accountable_user_id,
            scopes=tuple(dict.fromkeys(given.scopes)),
            networks=check_networks(given.networks),
            expires_at=given.expires_at,
            state="active",
            version=1,
            created_at=now,
            updated_at=now,
        )
        secret = tokens.make("c", client.id).secret

        def body(session: Session, _emit: Emit) -> Made:
            self._check_accountable(client.agency_id, client.accountable_user_id, session)
            self.clients.add(client, Secret(tokens.hashed(secret), None), session)
            self.keep(caller, "client.create", *_objects(client))
            return Made(id=client.id)

        made = self.commands.run(request, Made, body)
        found = self._load(made.id, caller)
        view = ClientCreated(**_fields(found), etag=etags.etag_of(found.version))
        return view if made.id != client.id else view.model_copy(update=_shown_once(found, secret))

    @rpc(expected_exceptions=REFUSALS)
    def list_clients(self, request: ListClients, caller: Caller) -> ClientPage:
        """Of the own agency, by name."""
        found, after = self.clients.page(caller.agency_id, request.limit, request.cursor)
        return ClientPage(items=tuple(ClientView(**_fields(one)) for one in found), next=after)

    @rpc(expected_exceptions=REFUSALS)
    def get_client(self, request: GetClient, caller: Caller) -> ClientView:
        return _view(self._load(request.client_id, caller))

    @command(expected_exceptions=REFUSALS)
    def patch_client(self, request: PatchClient, caller: Caller) -> ClientView:
        """Everything but the agency and the secret; in effect with the next request."""
        changes = changes_of(request.changes)
        if "networks" in changes:
            changes["networks"] = check_networks(changes["networks"])
        if "scopes" in changes:
            check_scopes(changes["scopes"])
            changes["scopes"] = tuple(dict.fromkeys(changes["scopes"]))

        def body(session: Session, _emit: Emit) -> Made:
            now, before = self.now(), self._load(request.client_id, caller, session)
            etags.check(request.if_match, etags.etag_of(before.version))
            if "accountable_user_id" in changes:
                self._check_accountable(before.agency_id, changes["accountable_user_id"], session)
            after = self.clients.change(before, changes, now, session)
            self.keep(caller, "client.change", *_objects(after))
            return Made(id=after.id)

        return _view(self._load(self.commands.run(request, Made, body).id, caller))

    @command(expected_exceptions=REFUSALS)
    def delete_client(self, request: DeleteClient, caller: Caller) -> Empty:
        """It cannot log in any more, and its sessions have ended. Of one that is gone: nothing, again."""

        def body(session: Session, _emit: Emit) -> Made:
            before = self._load(request.client_id, caller, session, gone_too=True)
            if before.state != "deleted":
                self.clients.delete(before, self.now(), session)
                self.keep(caller, "client.delete", *_objects(before))
            return Made(id=before.id)

        self.commands.run(request, Made, body)
        return Empty()

    @command(expected_exceptions=REFUSALS)
    def rotate_secret(self, request: RotateSecret, caller: Caller) -> SecretRotated:
        """Another secret, shown once; the former works for the overlap that was asked for."""
        now = self.now()
        secret = tokens.make("c", request.client_id).secret
        until = now + timedelta(seconds=request.rotation.overlap_seconds)
        mark = tokens.hashed(secret)[:16]

        def body(session: Session, _emit: Emit) -> Begun:
            before = self._load(request.client_id, caller, session)
            former = self.clients.secrets(before.id, session)
            if not former:
                raise InvalidTransition(cause="client without a secret")
            after = rotated(former, tokens.hashed(secret), until, now)
            self.clients.rotate(before, after, now, session)
            self.keep(caller, "client.rotate", *_objects(before))
            return Begun(id=before.id, mark=mark)

        begun = self.commands.run(request, Begun, body)
        view = SecretRotated(id=begun.id, client_id=begun.id)
        if begun.mark != mark:
            return view
        shown = _shown_once(self._load(begun.id, caller), secret)
        return view.model_copy(update={**shown, "former_until": until})

    def _load(
        self, client_id: str, caller: Caller, session: Session | None = None, *, gone_too: bool = False
    ) -> Client:
        found = self.clients.load(client_id, session)
        own_agency(caller, found.agency_id)
        if found.state == "deleted" and not gone_too:
            raise NotVisible
        return found

    def _check_accountable(self, agency_id: str, user_id: str, session: Session) -> None:
        """Raises Invalid: somebody of the agency, active, who has signed the procedure."""
        user = self.users.known([user_id], session).get(user_id)
        if user is None or user.agency_id != agency_id or user.state != "active":
            code, text = "unknown_user", "There is no such active person in this agency."
        elif not procedures.holds(user.signature, self.standing.load(session).procedures, self.now()):
            code, text = "procedure_unsigned", "This person has not signed the current procedure."
        else:
            return
        raise Invalid(errors=(FieldError("/accountable_user_id", code, text),))


def _shown_once(client: Client, secret: str) -> dict[str, str]:
    """A system that provisions sends its secret with every request, in a form that says whose it is."""
    told = {"client_secret": secret}
    if provisions(client.scopes):
        told["provisioning_token"] = tokens.Token("p", client.id, secret).text
    return told


def _view(client: Client) -> ClientView:
    return ClientView(**_fields(client), etag=etags.etag_of(client.version))


def _fields(client: Client) -> dict[str, object]:
    return {
        "id": client.id,
        "client_id": client.id,
        "agency_id": client.agency_id,
        "name": client.name,
        "accountable_user_id": client.accountable_user_id,
        "scopes": client.scopes,
        "networks": client.networks,
        "expires_at": client.expires_at,
        "created_at": client.created_at,
        "updated_at": client.updated_at,
    }


def _objects(client: Client) -> tuple[Object, ...]:
    return (
        Object(type="client", id=client.id, agency_id=client.agency_id, version=client.version),
        Object(type="user", id=client.accountable_user_id, agency_id=client.agency_id),
    )
