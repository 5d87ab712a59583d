"""An agency's identity provider: set, read and taken away by its own administrators alone."""

from __future__ import annotations

from services.chassis.commands import Emit
from services.chassis.logs import log
from services.chassis.mongo import Session
from services.chassis.rpc import command, rpc
from services.chassis.safekeeping import Safe, Safekeeping
from services.chassis.timers import every
from services.contracts.caller import Caller
from services.contracts.errors import FieldError, Invalid
from services.contracts.records import Object
from services.contracts.sharing.identity_providers import (
    GetIdentityProvider,
    IdentityProviderView,
    ProviderBody,
    PutIdentityProvider,
    RemoveIdentityProvider,
)
from services.contracts.views import Empty
from services.sharing.domain import etags
from services.sharing.domain.sign_ins import Provider
from services.sharing.handlers.identity import REFUSALS, UNSAID, Identity, Made, own_agency
from services.sharing.providers import issuer_target

RESEALED_AT_ONCE = 100
_SECRET = FieldError(
    "/client_secret", "required", "Give the secret that belongs to this issuer and client id."
)


class Federated(Identity):
    """What single sign-on works with."""

    safe: Safe = Safekeeping()


class IdentityProviders(Federated):
    @rpc(expected_exceptions=REFUSALS)
    def get_identity_provider(self, request: GetIdentityProvider, caller: Caller) -> IdentityProviderView:
        own_agency(caller, request.agency_id)
        return _view(*self.identity_providers.of(request.agency_id))

    @command(expected_exceptions=REFUSALS)
    def put_identity_provider(self, request: PutIdentityProvider, caller: Caller) -> IdentityProviderView:
        """Nothing is asked of the provider now: whether it answers is seen at the first sign-in."""
        given, agency_id = request.provider, request.agency_id
        own_agency(caller, agency_id)
        issuer_target(given.issuer, demo=self.settings.demo)

        def body(session: Session, _emit: Emit) -> Made:
            before, version = self.identity_providers.of(agency_id, session)
            etags.check(request.if_match, etags.etag_of(version))
            kid, secret = self._sealed(given, before)
            after = Provider(
                agency_id=agency_id,
                alias=given.alias,
                issuer=given.issuer,
                client_id=given.client_id,
                secret=secret,
                kid=kid,
                claim=given.claim,
                second_factors=tuple(dict.fromkeys(given.second_factors)),
                passwords=given.passwords,
                version=version + 1,
                updated_at=self.now(),
            )
            self.identity_providers.put(after, session)
            if before is not None and _vouches(before) != _vouches(after):
                self.identities.end_federated(agency_id, session)
            self.keep(caller, "identity_provider.set", _object(agency_id, after.version))
            return Made(id=agency_id)

        unsaid = given.model_copy(update={"client_secret": UNSAID if given.client_secret else None})
        self.commands.run(request.model_copy(update={"provider": unsaid}), Made, body)
        return _view(*self.identity_providers.of(agency_id))

    @command(expected_exceptions=REFUSALS)
    def remove_identity_provider(self, request: RemoveIdentityProvider, caller: Caller) -> Empty:
        """Sign-ins that are on their way come to nothing, and what it has vouched for is over. Of one that is
        not there: nothing, again."""
        own_agency(caller, request.agency_id)

        def body(session: Session, _emit: Emit) -> Made:
            before, version = self.identity_providers.of(request.agency_id, session)
            if before is not None:
                self.identity_providers.remove(request.agency_id, version + 1, session)
                self.identities.end_federated(request.agency_id, session)
                self.keep(caller, "identity_provider.remove", _object(request.agency_id, version + 1))
            return Made(id=request.agency_id)

        self.commands.run(request, Made, body)
        return Empty()

    @every(60.0)
    def seal_providers_anew(self) -> None:
        """After a rotation of this service's keys: what the old one sealed is sealed with the new one."""
        kid = self.safe.kid
        for one in self.identity_providers.sealed_otherwise(kid, RESEALED_AT_ONCE):
            try:
                new_kid, secret = self.safe.seal(self.safe.open(one.kid, one.secret))
            except LookupError:
                log.error("secret_lost", reason="key ended", count=1)
                continue
            self.identity_providers.reseal(one.agency_id, one.kid, new_kid, secret)

    def _sealed(self, given: ProviderBody, before: Provider | None) -> tuple[str, bytes]:
        """Raises Invalid: a secret that was kept goes to nobody but whom it was given for."""
        if given.client_secret is not None:
            return self.safe.seal(given.client_secret.encode())
        if before is None or (before.issuer, before.client_id) != (given.issuer, given.client_id):
            raise Invalid(errors=(_SECRET,))
        return before.kid, before.secret


def _view(found: Provider | None, version: int) -> IdentityProviderView:
    if found is None:
        return IdentityProviderView(state="off", etag=etags.etag_of(version))
    return IdentityProviderView(
        state="on",
        alias=found.alias,
        issuer=found.issuer,
        client_id=found.client_id,
        claim=found.claim,
        second_factors=found.second_factors,
        passwords=found.passwords,
        updated_at=found.updated_at,
        etag=etags.etag_of(version),
    )


def _vouches(one: Provider) -> tuple[object, ...]:
    """What the sessions that it has vouched for rest on."""
    return one.issuer, one.client_id, frozenset(one.second_factors)


def _object(agency_id: str, version: int) -> Object:
    return Object(type="identity_provider", id=agency_id, agency_id=agency_id, version=version)
