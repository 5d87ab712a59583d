"""What `notify` is asked: subscriptions and their deliveries, the inbox, the live stream.

For users and clients, with a signed caller:
notify.create_subscription(CreateSubscription) -> Subscription      command; `secret` is in this answer alone
notify.list_subscriptions(ListSubscriptions) -> Subscriptions
notify.get_subscription(GetSubscription) -> Subscription
notify.patch_subscription(PatchSubscription) -> Subscription        command
notify.delete_subscription(DeleteSubscription) -> Empty             command
notify.list_deliveries(ListDeliveries) -> Deliveries
notify.send_again(SendAgain) -> DeliveryView                        command
notify.list_inbox(ListInbox) -> Inbox
notify.count_unread(CountUnread) -> Unread       the number on every page: shows nothing, so keeps no record
notify.mark_item(MarkItem) -> InboxItemView                         command
notify.mark_read(MarkRead) -> ReadMarked                            command
notify.stream_items(StreamItems) -> StreamFrames

Without a caller, asked by the gateway alone:
notify.changes(GetChanges) -> Changes      who may have something new, no content: one waiting call per
                                           gateway process wakes the streams, which then ask `stream_items`
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
ResumePoint = Annotated[str, StringConstraints(pattern=r"^[0-9]{1,18}$")]
"""A place in the stream: the `id:` of the frame last seen (`Last-Event-ID`)."""


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


# --- inbox ---


class InboxItem(Reply):
    """`kind` is the event's type; `text` holds no personal data; `href` is a page of the web client."""

    id: str
    at: Moment
    kind: str
    case_id: str | None = None
    text: str
    href: str
    read: bool


class InboxItemView(InboxItem, View):
    """One item as a whole answer."""


class ListInbox(PageRequest):
    """What others did that concerns the caller, newest first, of 90 days. A page may be short and have a
    next one: what the caller may no longer know of is left out."""


class Inbox(View):
    """`unread` counts the newest 200."""

    items: tuple[InboxItem, ...]
    next: str | None
    unread: int


class CountUnread(Request):
    """As `unread` of `Inbox`, by itself: no item is shown, so nothing is recorded."""


class Unread(View):
    """Of the newest 200."""

    unread: int


class ItemMark(Request):
    """PATCH /inbox/{nid}."""

    read: bool


class MarkItem(Request):
    item_id: Id
    mark: ItemMark


class ReadMark(Request):
    """POST /inbox/read-marks: everything up to and with this item, or up to this time, is read."""

    up_to: Id | Moment


class MarkRead(Request):
    mark: ReadMark


class ReadMarked(View):
    """`up_to` is the newest item read; null if there was none."""

    up_to: str | None


# --- live stream ---


class ThinData(Reply):
    """Ids only; those that there are."""

    case_id: str
    share_id: str | None = None
    entry_id: str | None = None
    task_id: str | None = None


class _ThinEvent(Reply):
    specversion: str
    id: str
    source: str
    type: str
    time: Moment
    subject: str
    datacontenttype: str
    sequence: str | None = None


class ThinEvent(_ThinEvent):
    """The event as readers outside get it (api.md): `sequence` is absent on the stream."""

    data: ThinData


class CheckpointData(Reply):
    """As `GET /audit/checkpoints/latest`; `note` is the C2SP signed note, which proves itself."""

    origin: str
    size: int
    root_hash: str
    note: str


class CheckpointEvent(_ThinEvent):
    """`checkpoint.signed`: what the audit log has signed. It names nobody. Keep it: another note for the same
    size, or a later one without a consistency proof, shows that the log has two histories."""

    data: CheckpointData


class Frame(Reply):
    """`id:`, `event:` and `data:` of one server-sent event."""

    id: str
    type: str
    event: ThinEvent


class StreamItems(Request):
    """What happened after a resume point. None: nothing, and the present point to begin with."""

    after: ResumePoint | None = None
    limit: Annotated[int, Field(ge=1, le=100)] = 50


class StreamFrames(View):
    """Authorised and recorded now: to be written at once, or thrown away. Go on with `resume`, at once if
    there are `more`. `resume` moves on also when there is no frame."""

    frames: tuple[Frame, ...]
    resume: str
    more: bool


class GetChanges(Request):
    """Wait up to `wait_ms` for what comes after number `after`. None: answer at once with the present number.

    Call it with a deadline of at least 2.5 times the wait: half-way a call is made a second time.
    """

    after: Annotated[int, Field(ge=0, lt=10**18)] | None = None
    wait_ms: Annotated[int, Field(ge=0, le=2000)] = 2000


class Change(Reply):
    """Something happened about a case; principals with these index keys (`u:`, `t:`, `c:`) may have news.

    `share.revoked`, `share.changed` and `case.transferred` also mean: who has the case open asks again at
    once whether it may, whatever its keys are.
    """

    n: int
    keys: tuple[str, ...]
    case_id: str
    kind: str


class Changes(Reply):
    """Go on with `after = n`, at once: at most 500 items are told in one answer."""

    n: int
    items: tuple[Change, ...]
