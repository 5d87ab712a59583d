"""Whom a provider vouches for: its code is exchanged here, its token is checked here, and who that is here is
found here.
"""

from __future__ import annotations

from services.chassis import context
from services.chassis.commands import Emit
from services.chassis.mongo import Session as Transaction
from services.contracts.alerts import ACCESS_REMINDER, Reminder, office_keys
from services.contracts.envelope import new_event_id
from services.contracts.errors import NotVisible, ProviderAway
from services.contracts.messages import Request
from services.contracts.records import Actor, Object
from services.contracts.sharing.identity_providers import FinishSignIn
from services.sharing.domain import sign_ins
from services.sharing.domain.id_tokens import Expected, UnknownKey, verify
from services.sharing.domain.people import User
from services.sharing.domain.sign_ins import Asserted, NotBelieved, Provider, SignIn
from services.sharing.handlers.identity import Made
from services.sharing.handlers.identity_providers import Federated
from services.sharing.providers import Providers


class Bind(Request):
    """What the tying of an account to a subject is remembered by."""

    user_id: str
    version: int


class Vouching(Federated):
    providers = Providers()

    def _provider_of(self, taken: SignIn) -> Provider:
        """As it was when the sign-in began. Raises NotBelieved."""
        provider, version = self.identity_providers.of(taken.agency_id)
        if provider is None or version != taken.provider_version:
            raise NotBelieved("provider_changed")
        return provider

    def _believe(self, request: FinishSignIn, code: str, taken: SignIn, provider: Provider) -> Asserted:
        """Raises NotBelieved, ProviderAway."""
        demo, client = self.settings.demo, (provider.client_id, self._secret(provider))
        metadata = self.providers.metadata(provider.issuer, demo=demo)
        if request.issuer != provider.issuer and (request.issuer is not None or metadata.names_itself):
            raise NotBelieved("another_issuer")
        tokens = self.providers.exchange(metadata, taken, code, client, demo=demo)
        expected = Expected(provider.issuer, provider.client_id, taken.nonce, tokens.access_token)
        now = self.now()
        try:
            claims = verify(tokens.id_token, self.providers.keys(metadata, demo=demo), expected, now)
        except UnknownKey:
            keys = self.providers.keys(metadata, demo=demo, anew=True)
            claims = verify(tokens.id_token, keys, expected, now)
        return sign_ins.asserted(claims, provider.claim, provider.second_factors)

    def _user_of(self, said: Asserted, provider: Provider) -> tuple[User, bool]:
        """Who it is here: the one who has signed in as this subject before, else (True) the one whom the
        claim names, who is tied to it once everything has been shown. Nobody is made. Raises NotBelieved."""
        agency_id, first = provider.agency_id, False
        user = self.identities.bound(agency_id, provider.issuer, said.subject)
        if user is None:
            if said.value is None:
                raise NotBelieved("claim_missing")
            user, first = self.identities.unbound(agency_id, provider.claim, said.value), True
            if user is None:
                raise NotBelieved("nobody")
        if not sign_ins.may_be_vouched_for(user, agency_id):
            raise NotBelieved("role_beyond_agency")
        return user, first

    def _user_still(self, taken: SignIn) -> User:
        """Whom the provider has vouched for a while ago, if nothing has happened to that since. Raises
        NotBelieved."""
        provider, subject = self._provider_of(taken), str(taken.subject)
        try:
            user = self.users.load(str(taken.user_id))
        except NotVisible:
            raise NotBelieved("nobody") from None
        bound = self.identities.bound(taken.agency_id, provider.issuer, subject)
        tied = bound is not None and bound.id == user.id
        if not tied and (bound is not None or user.is_bound or not taken.first):
            raise NotBelieved("changed_meanwhile")
        if not sign_ins.may_be_vouched_for(user, taken.agency_id):
            raise NotBelieved("role_beyond_agency")
        return user

    def _bind(self, user: User, issuer: str, subject: str) -> User:
        """Of an account in use the user and the agency's officers are told: whoever sets the provider could
        else be somebody unseen. Raises NotBelieved."""

        def body(transaction: Transaction, emit: Emit) -> Made:
            now = self.now()
            if not self.identities.bind(user, issuer, subject, now=now, session=transaction):
                raise NotVisible
            what = "user.activate" if user.state == "invited" else "user.bind"
            this = Object(type="user", id=user.id, agency_id=user.agency_id, version=user.version + 1)
            self.keep(actor_of(user), what, this)
            if user.state != "invited":
                _tell(user, emit)
            return Made(id=user.id)

        with context.keyed(new_event_id()):
            try:
                self.commands.run(Bind(user_id=user.id, version=user.version), Made, body)
            except NotVisible:
                raise NotBelieved("changed_meanwhile") from None
        return self.users.load(user.id)

    def _secret(self, provider: Provider) -> str:
        try:
            return self.safe.open(provider.kid, provider.secret).decode()
        except LookupError:
            raise ProviderAway(cause="secret cannot be opened") from None


def _tell(user: User, emit: Emit) -> None:
    officers = office_keys(("agency_dpo",), user.agency_id)
    for name, keys in (("account_tied", (f"u:{user.id}",)), ("account_of_user_tied", officers)):
        told = Reminder(reminder=name, keys=keys, object_id=user.id)
        emit(ACCESS_REMINDER, f"reminders/{new_event_id()}", 1, told)


def actor_of(user: User) -> Actor:
    return Actor(kind="user", id=user.id, agency_id=user.agency_id)
