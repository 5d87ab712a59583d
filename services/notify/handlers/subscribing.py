"""Subscriptions: an administrator's own agency's clients', or a client's own."""

from __future__ import annotations

import os
from datetime import UTC, datetime, timedelta
from typing import Any

from services.chassis.addresses import target_of
from services.chassis.commands import Emit
from services.chassis.mongo import Session
from services.chassis.rpc import command, rpc
from services.contracts import subscriptions as contract
from services.contracts.authority import GetPrincipals, Principals
from services.contracts.caller import Caller
from services.contracts.envelope import new_event_id
from services.contracts.errors import FieldError, IfMatchRequired, Invalid, NotBuilt, NotVisible, Stale
from services.contracts.messages import Reply
from services.contracts.views import Empty
from services.notify.domain.signature import SECRET_BYTES, secret_of
from services.notify.handlers.cursors import cursor_of, place_of
from services.notify.handlers.parts import Parts
from services.notify.handlers.recorded import administered
from services.notify.stores.subscriptions import Subscription

MOST_OF_A_CLIENT = 20
SHOWN_FOR = timedelta(seconds=60)
"""How long a repetition of the creating request still gets the secret: the first answer may be lost."""


class Made(Reply):
    """What is kept of a command: the subscription, and whether it was there."""

    subscription_id: str
    found: bool = True


class Subscribing(Parts):
    """Managing subscriptions."""

    @command
    def create_subscription(
        self, request: contract.CreateSubscription, caller: Caller
    ) -> contract.Subscription:
        """Subscribe a client; its secret is in this answer and nowhere else."""
        wanted = request.subscription
        if wanted.transport == "amqp":
            raise NotBuilt
        if wanted.url is None:
            raise _invalid("/url", "required", "This field is required.")
        target_of(wanted.url, demo=self.settings.demo)
        new = self._new(wanted.url, wanted, self._accountable(wanted.client_id, caller), caller)

        def body(session: Session, emit: Emit) -> Made:
            if self.subscriptions.count(new.client_id, session) >= MOST_OF_A_CLIENT:
                raise _invalid("/client_id", "too_many", "This client has as many subscriptions as it may.")
            self.subscriptions.add(new, session)
            administered(self.records, caller, "subscription.create", new.id)
            return Made(subscription_id=new.id)

        made = self.commands.run(request, Made, body)
        found = self.subscriptions.load(made.subscription_id, whose(caller))
        if datetime.now(UTC) - found.created_at > SHOWN_FOR:
            return view(found)
        return view(found, secret=secret_of(self.safe.open(found.kid, found.secret)))

    @rpc
    def list_subscriptions(
        self, request: contract.ListSubscriptions, caller: Caller
    ) -> contract.Subscriptions:
        """Give one page, newest first."""
        found = self.subscriptions.page(whose(caller), place_of(request.cursor), request.limit + 1)
        page = found[: request.limit]
        following = cursor_of(page[-1].id) if len(found) > request.limit else None
        return contract.Subscriptions(items=tuple(view(one, tagged=False) for one in page), next=following)

    @rpc
    def get_subscription(self, request: contract.GetSubscription, caller: Caller) -> contract.Subscription:
        """Raises NotVisible."""
        return view(self.subscriptions.load(request.subscription_id, whose(caller)))

    @command
    def patch_subscription(
        self, request: contract.PatchSubscription, caller: Caller
    ) -> contract.Subscription:
        """Change where, what or whether. Raises NotVisible, IfMatchRequired, Stale, UrlNotAllowed."""
        asked = request.change.model_dump(exclude_none=True)
        if "types" in asked:
            asked["types"] = list(asked["types"])
        self.subscriptions.load(request.subscription_id, whose(caller))
        if request.if_match is None:
            raise IfMatchRequired
        if request.change.url is not None:
            target_of(request.change.url, demo=self.settings.demo)

        def body(session: Session, emit: Emit) -> Made:
            present = self.subscriptions.load(request.subscription_id, whose(caller), session)
            if request.if_match not in ("*", present.etag):
                raise Stale(etag=present.etag)
            self.subscriptions.change(present.id, asked, session)
            if request.change.state == "disabled":
                self.deliveries.fail_all(present.id, session)
            administered(self.records, caller, "subscription.change", present.id)
            return Made(subscription_id=present.id)

        made = self.commands.run(request, Made, body)
        return view(self.subscriptions.load(made.subscription_id, whose(caller)))

    @command
    def delete_subscription(self, request: contract.DeleteSubscription, caller: Caller) -> Empty:
        """Raises NotVisible. What was pending is not delivered any more."""

        def body(session: Session, emit: Emit) -> Made:
            found = self.subscriptions.delete(request.subscription_id, whose(caller), session)
            if found:
                administered(self.records, caller, "subscription.delete", request.subscription_id)
            return Made(subscription_id=request.subscription_id, found=found)

        # Not raised in the body: a repetition of what was done finds nothing, and is told that it was done.
        if not self.commands.run(request, Made, body).found:
            raise NotVisible
        return Empty()

    def _new(
        self, url: str, wanted: contract.SubscriptionBody, accountable_id: str | None, caller: Caller
    ) -> Subscription:
        kid, secret = self.safe.seal(os.urandom(SECRET_BYTES))
        now = datetime.now(UTC)
        return Subscription(
            id=new_event_id(),
            agency_id=caller.agency_id,
            client_id=wanted.client_id,
            accountable_id=accountable_id,
            url=url,
            types=tuple(dict.fromkeys(wanted.types)),
            secret=secret,
            kid=kid,
            created_at=now,
            updated_at=now,
        )

    def _accountable(self, client_id: str, caller: Caller) -> str | None:
        """Who answers for the client. Raises Invalid for one that is not the caller's to subscribe."""
        if caller.kind == "client":
            if client_id != caller.id:
                raise _unknown_client()
            return caller.accountable_id
        told: Principals = self.sharing.call("principals", GetPrincipals(ids=(client_id,)), reply=Principals)
        for one in told.items:
            if one.id == client_id and one.kind == "client" and one.agency.id == caller.agency_id:
                return one.accountable_id
        raise _unknown_client()


def whose(caller: Caller) -> dict[str, str]:
    """What the caller's own subscriptions have in common."""
    return {"client_id": caller.id} if caller.kind == "client" else {"agency_id": caller.agency_id}


def view(found: Subscription, *, secret: str | None = None, tagged: bool = True) -> contract.Subscription:
    """The body; with its ETag unless it is one of a list."""
    more: dict[str, Any] = {"etag": found.etag} if tagged else {}
    if secret is not None:
        more["secret"] = secret
    return contract.Subscription(
        id=found.id,
        created_at=found.created_at,
        updated_at=found.updated_at,
        client_id=found.client_id,
        transport="webhook",
        url=found.url,
        types=found.types,
        state=found.state,
        next_sequence=found.next_sequence,
        **more,
    )


def _unknown_client() -> Invalid:
    return _invalid("/client_id", "unknown", "There is no such client of this agency.")


def _invalid(pointer: str, code: str, detail: str) -> Invalid:
    return Invalid(errors=(FieldError(pointer, code, detail),))
