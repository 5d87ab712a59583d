"""Who sends this request: asked by the gateway every time, the most often used method of all."""

from __future__ import annotations

from datetime import UTC, datetime

from services.chassis import context
from services.chassis.rpc import rpc
from services.contracts.authority import Identified, Identify
from services.contracts.caller import Caller
from services.contracts.errors import IdempotencyKeyRequired, Unauthenticated, UnknownMethod
from services.contracts.permissions import permit_of
from services.sharing.domain import tokens
from services.sharing.domain.clients import usable
from services.sharing.domain.devices import PERSONAL, Proved
from services.sharing.domain.identifying import Asked, judge_client, judge_provisioner, judge_user
from services.sharing.domain.london import day_of
from services.sharing.domain.sessions import Session
from services.sharing.domain.tokens import Token
from services.sharing.handlers.identity import REFUSALS, Identity
from services.sharing.stores.authority import Present


class Identification(Identity):
    @rpc(callers=("gateway",), expected_exceptions=REFUSALS)
    def identify(self, request: Identify) -> Identified:
        """The caller, signed for this request alone; or why not. Reads everything anew, at this moment."""
        token = tokens.read(request.token)
        if token is None or token.kind == "a":
            raise Unauthenticated
        present = self.authority.present()  # before the principal is read: see stores/authority.py
        judge = {"c": self._client, "p": self._provisioner}.get(token.kind, self._user)
        caller = judge(request, token, present)
        signed = self.vouch.sign(caller)
        return Identified(body=signed.body.decode(), mac=signed.mac.hex())

    def _user(self, request: Identify, token: Token, present: Present) -> Caller:
        found = self.accounts.user_with_session(token.principal_id, token.hash, request.device)
        if found is None:
            raise Unauthenticated
        user, session, device = found
        asked = self._asked(request, present, user.agency_id)
        caller = judge_user(asked, user, session, device or self._agencys(asked, user.agency_id))
        if not asked.permit.quiet:
            self._see("user", user.id, session, asked.now)
        return caller

    def _agencys(self, asked: Asked, agency_id: str) -> Proved:
        """The device that everybody of the agency may use: one more read, where anything hangs on it."""
        proof = asked.request.device
        told = asked.standing.places_of(agency_id) or asked.request.method == "current_session"
        return (proof and told and self.devices.proved(proof, agency_id)) or PERSONAL

    def _client(self, request: Identify, token: Token, present: Present) -> Caller:
        found = self.accounts.client_with_session(token.principal_id, token.hash)
        if found is None:
            raise Unauthenticated
        client, session = found
        accountable = self.users.known([client.accountable_user_id]).get(client.accountable_user_id)
        asked = self._asked(request, present, client.agency_id)
        caller = judge_client(asked, client, session, accountable)
        if not asked.permit.quiet:
            self._see("client", client.id, session, asked.now)
        return caller

    def _provisioner(self, request: Identify, token: Token, present: Present) -> Caller:
        found = self.accounts.secrets_of_client(token.principal_id)
        if found is None:
            raise Unauthenticated
        client, secrets = found
        if not any(tokens.matches(token.secret, one.hash) for one in usable(secrets, self.now())):
            raise Unauthenticated
        return judge_provisioner(self._asked(request, present, client.agency_id), client)

    def _asked(self, request: Identify, present: Present, agency_id: str) -> Asked:
        serving, now = context.current(), self.now()
        permit = permit_of(request.audience, request.method)
        if permit is None:
            raise UnknownMethod(cause="no permit")
        if serving is None:
            raise IdempotencyKeyRequired(cause="outside a call")
        return Asked(
            request=request,
            permit=permit,
            standing=present.standing(day_of(now)),
            fences=present.fences(agency_id),
            limits=self.settings.limits,
            now=now,
            expires_at=datetime.fromtimestamp(serving.deadline.at, UTC),
            trained=self.settings.trained_uses,
        )

    def _see(self, kind: str, who: str, session: Session, now: datetime) -> None:
        if session.to_be_seen(now):
            self.accounts.saw(kind, who, session.id, now)
