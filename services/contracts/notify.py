"""What `notify` is asked: the inbox and the live stream. Subscriptions and deliveries are in `subscriptions`.

For users and clients, with a signed caller:
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

from typing import Annotated

from pydantic import Field, StringConstraints

from .messages import Id, Moment, Reply, Request
from .paging import PageRequest
from .views import View

ResumePoint = Annotated[str, StringConstraints(pattern=r"^[0-9]{1,18}$")]
"""A place in the stream: the `id:` of the frame last seen (`Last-Event-ID`)."""


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
