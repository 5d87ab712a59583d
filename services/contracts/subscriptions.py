"""Where a client's events are pushed to, and what became of each push.

For users and clients, with a signed caller:
notify.create_subscription(CreateSubscription) -> Subscription      command; `secret` is in this answer alone
notify.list_subscriptions(ListSubscriptions) -> Subscriptions
notify.get_subscription(GetSubscription) -> Subscription
notify.patch_subscription(PatchSubscription) -> Subscription        command
notify.delete_subscription(DeleteSubscription) -> Empty             command
notify.list_deliveries(ListDeliveries) -> Deliveries
notify.send_again(SendAgain) -> DeliveryView                        command
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, StringConstraints

from .messages import Id, Moment, Reply, Request
from .paging import PageRequest
from .views import View
from .vocabulary import EventName, LogEventName

Transport = Literal["webhook", "amqp"]
SubscriptionState = Literal["active", "disabled"]
DeliveryState = Literal["pending", "delivered", "failed", "withheld"]
WebhookUrl = Annotated[str, StringConstraints(min_length=1, max_length=2000)]
Wanted = Annotated[tuple[EventName | LogEventName | Literal["*"], ...], Field(min_length=1, max_length=18)]
"""Event types; `*` is all that are about cases, those to come too. Of the audit log only what is named."""


# --- subscriptions ---


class SubscriptionBody(Request):
    """POST /subscriptions. `url` is required of a webhook and refused of anything else."""

    client_id: Id
    transport: Transport
    url: WebhookUrl | None = None
    types: Wanted


class CreateSubscription(Request):
    """Raises Invalid (/client_id), UrlNotAllowed (/url), NotBuilt (amqp)."""

    subscription: SubscriptionBody


class Subscription(View):
    """`secret` (whsec_…) is set in the answer to the creation alone, `url` for webhooks."""

    id: str
    created_at: Moment
    updated_at: Moment
    client_id: str
    transport: Transport
    url: str | None = None
    types: tuple[str, ...]
    state: SubscriptionState
    next_sequence: int
    secret: str | None = None


class GetSubscription(Request):
    subscription_id: Id


class ListSubscriptions(PageRequest):
    """An administrator's own agency's; a client's own. Newest first."""


class Subscriptions(View):
    items: tuple[Subscription, ...]
    next: str | None


class SubscriptionChange(Request):
    """PATCH /subscriptions/{id}. None leaves a field as it is; `active` also takes up again after a 410."""

    url: WebhookUrl | None = None
    types: Wanted | None = None
    state: SubscriptionState | None = None


class PatchSubscription(Request):
    """Raises IfMatchRequired, Stale, NotVisible, UrlNotAllowed."""

    subscription_id: Id
    if_match: str | None = Field(default=None, max_length=200)
    change: SubscriptionChange


class DeleteSubscription(Request):
    subscription_id: Id


# --- deliveries ---


class Attempt(Reply):
    """One push: the receiver's status, or `error`, a code, when there was none."""

    at: Moment
    status: int | None
    ms: int
    error: str | None = None


class Delivery(Reply):
    """`sequence` is null until the first authorised send."""

    id: str
    event_id: str
    type: str
    sequence: int | None
    state: DeliveryState
    attempts: tuple[Attempt, ...]
    next_attempt_at: Moment | None


class DeliveryView(Delivery, View):
    """One delivery as a whole answer."""


class ListDeliveries(PageRequest):
    """Newest first."""

    subscription_id: Id


class Deliveries(View):
    items: tuple[Delivery, ...]
    next: str | None


class SendAgain(Request):
    """POST …/deliveries/{did}/attempts: the same event, id and sequence, authorised anew. Its answer tells of
    the delivery before the attempt is made."""

    subscription_id: Id
    delivery_id: Id
