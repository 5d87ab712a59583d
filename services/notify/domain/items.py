"""What happened about a case, and to whom it was addressed: what inbox, stream and deliveries are made of."""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from services.contracts.access import AccessList
from services.contracts.alerts import AccessAlert, Reminder
from services.contracts.authority import CaseEvent, Question
from services.contracts.envelope import Event
from services.contracts.notify import ThinData, ThinEvent
from services.contracts.vocabulary import Section

TEXTS = {
    "case.created": "A case was created",
    "case.updated": "A case was changed",
    "case.closed": "A case was closed",
    "case.reopened": "A case was reopened",
    "case.transferred": "A case has a new owner",
    "case.shared": "A case was shared",
    "share.changed": "The sharing of a case was changed",
    "share.revoked": "The sharing of a case was ended",
    "entry.added": "An entry was added to a case",
    "entry.revised": "An entry of a case was corrected",
    "entry.withdrawn": "An entry of a case was withdrawn",
    "task.offered": "A task was offered",
    "task.accepted": "A task was accepted",
    "task.declined": "A task was declined",
    "task.done": "A task was done",
    "task.cancelled": "A task was cancelled",
}
"""The inbox's sentences, by event type. No names, no titles: who opens the case sees the rest (V6)."""
ALERTS = {
    "glass_broken": "Somebody took emergency access to a case: look into it",
    "glass_overdue": "Emergency access to a case was not looked into in time",
    "transfer_offered": "You are offered a case: accept or decline it",
    "transfer_declined": "Your offer of a case was declined",
    "transfer_cancelled": "The offer of a case was taken back",
    "transfer_lapsed": "Nobody took up the offer of a case in time",
    "ownerless": "A case of your agency has no owner who can act: its administrator has to find one",
    "access_requested": "Somebody who knows of a case of yours asks for access to it",
    "access_shared": "You asked for access to a case: its owner has shared it",
    "access_declined": "You asked for access to a case: its owner declined",
    "share_ends_90": "Sharing of a case of yours ends within 90 days",
    "share_ends_30": "Sharing of a case of yours ends within 30 days",
    "share_ends_7": "Sharing of a case of yours ends within 7 days",
    "share_due_7": "Confirm within 7 days that sharing of a case of yours is still needed",
    "share_due_0": "Sharing of a case of yours was not confirmed in time: confirm or end it",
}
"""The same of what calls attention (`contracts/alerts.py`)."""
REMINDERS = {
    "protocol_ends_90": "An information sharing protocol ends within 90 days",
    "protocol_ends_30": "An information sharing protocol ends within 30 days",
    "protocol_ends_7": "An information sharing protocol ends within 7 days, and all sharing under it",
    "role_ends_90": "A role of yours ends within 90 days",
    "role_ends_30": "A role of yours ends within 30 days",
    "role_ends_7": "A role of yours ends within 7 days",
    "role_of_user_ends_90": "A role of somebody in your agency ends within 90 days",
    "role_of_user_ends_30": "A role of somebody in your agency ends within 30 days",
    "role_of_user_ends_7": "A role of somebody in your agency ends within 7 days",
    "account_tied": "Your account was tied to your agency's sign-in. If that was not you, tell your agency",
    "account_of_user_tied": "An account in use was tied to your agency's sign-in",
    "passkey_added": "A passkey was added to your account. If that was not you, tell your agency",
    "passkey_removed": "A passkey was removed from your account. If that was not you, tell your agency",
    "passkey_copied": "A passkey of yours was refused: it may have been copied. Tell your agency",
    "passkey_of_user_copied": "A passkey of somebody in your agency was refused: it may have been copied",
    "users_due_7": "Confirm within 7 days that people of your agency still need their accounts",
    "users_due_0": "People of your agency were not confirmed in time: confirm or disable them",
}
"""The same of what is about no case."""
OTHER_ALERT = "Something about the access to a case needs attention"
_PAGES = {
    "glass_": "/cases/{}/break-glass",
    "transfer_": "/cases/{}/transfers",
    "access_": "/cases/{}/access-requests",
    "share_due_": "/certifications",
    "share_": "/cases/{}/shares",
    "ownerless": "/audit?case_id={}",
}
"""Where an alert that begins so is dealt with: the first of these."""
OF_CONTENT = frozenset({"case.updated", "case.closed", "case.reopened"})
"""They tell of status and changes, which who sees no more than the reference or own tasks is not shown."""
OTHER_TEXT = "Something happened about a case"
OTHER_REMINDER = "Something ends or falls due"
NO_CASE = ""
"""The case of an item that is about none."""


@dataclass(frozen=True, slots=True)
class Item:
    """One event about a case. `keys`: the index keys of those who could know of the case then; whether they
    may now is asked whenever it is shown. `alert`: it is one, for those who answer for the case. `reminder`:
    it is one, about no case. `n` counts the items of `notify`; 0 until it is given."""

    id: str
    event_id: str
    type: str
    source: str
    number: int
    at: datetime
    case_id: str
    keys: tuple[str, ...] = ()
    entry_id: str | None = None
    task_id: str | None = None
    share_id: str | None = None
    section: Section | None = None
    withheld_from: tuple[str, ...] = ()
    assignee: str | None = None
    actor_id: str | None = None
    owner_agency_id: str | None = None
    alert: str | None = None
    reminder: str | None = None
    object_id: str | None = None
    n: int = field(default=0, compare=False)

    @property
    def producer(self) -> str:
        return self.source.rpartition("/")[2]

    @property
    def lane(self) -> str:
        """Order is kept per case and producer."""
        return f"{self.producer}/{self.case_id}"

    @property
    def client_ids(self) -> list[str]:
        """The clients among those addressed."""
        return [key[2:] for key in self.keys if key.startswith("c:")]

    @property
    def of_a_case(self) -> bool:
        """Whether may be told is to be asked of `sharing`; else its keys alone decide."""
        return self.case_id != NO_CASE

    @property
    def text(self) -> str:
        if self.reminder is not None:
            return REMINDERS.get(self.reminder, OTHER_REMINDER)
        if self.alert is not None:
            return ALERTS.get(self.alert, OTHER_ALERT)
        return TEXTS.get(self.type, OTHER_TEXT)

    @property
    def _asked_as_ever(self) -> bool:
        """What an owner is told of its own case, or somebody who may know of it: not a matter of office."""
        return any(self._is(one) for one in ("transfer_", "share_", "access_"))

    def _is(self, beginning: str) -> bool:
        return self.alert is not None and self.alert.startswith(beginning)

    @property
    def href(self) -> str:
        """The page of the web client that shows it."""
        if self.reminder is not None:
            return _href_of(self.reminder, self.object_id)
        if self.alert is not None:
            beginnings = (page for start, page in _PAGES.items() if self._is(start))
            return next(beginnings, "/cases/{}").format(self.case_id)
        return f"/cases/{self.case_id}"

    def question(self, principal_id: str) -> Question:
        """May this principal be told of it now?"""
        return Question(
            principal_id=principal_id,
            case_id=self.case_id,
            section=self.section,
            withheld_from=self.withheld_from,
            assignee=self.assignee,
            least="read" if self.type in OF_CONTENT else "know",
            # Who is offered a case knows of it by the offer: that is asked like anything else.
            alert=self.alert is not None and not self._asked_as_ever,
        )

    def thin(self, sequence: int | None = None) -> ThinEvent:
        """As readers outside get it: ids only."""
        ids = {"entry_id": self.entry_id, "task_id": self.task_id, "share_id": self.share_id}
        numbered: dict[str, Any] = {} if sequence is None else {"sequence": str(sequence)}
        return ThinEvent(
            specversion="1.0",
            id=self.event_id,
            source=self.source,
            type=self.type,
            time=self.at,
            subject=f"cases/{self.case_id}",
            datacontenttype="application/json",
            data=ThinData(case_id=self.case_id, **{name: value for name, value in ids.items() if value}),
            **numbered,
        )


def _item(event: Event, item_id: str, **told: Any) -> Item:
    """What every item has of its event, and what else is `told`."""
    return Item(
        id=item_id,
        event_id=event.id,
        type=event.type,
        source=event.source,
        number=event.number,
        at=event.time,
        **told,
    )


def item_of(event: Event, access: AccessList | None, item_id: str) -> Item:
    """The item of an event about a case, addressed to everyone whom its access list names; of one about a
    share, to the owner and to those whom that share names still; of one about the list itself, to the owner
    alone. A case without a list concerns nobody, but
    whoever has it open is woken. Raises pydantic.ValidationError."""
    told = event.read(CaseEvent)
    return _item(
        event,
        item_id,
        case_id=told.case_id,
        keys=() if access is None else _concerned(access, event.type, told.share_id),
        entry_id=told.entry_id,
        task_id=told.task_id,
        share_id=told.share_id,
        section=told.section,
        withheld_from=told.withheld_from,
        assignee=told.assignee,
        actor_id=told.actor_id,
        owner_agency_id=None if access is None else access.owner.agency.id,
    )


def alert_of(event: Event, item_id: str) -> Item:
    """The item of a calling, addressed as it says. Raises pydantic.ValidationError."""
    told = event.read(AccessAlert)
    return _item(
        event,
        item_id,
        case_id=told.case_id,
        keys=told.keys,
        actor_id=told.actor_id,
        owner_agency_id=told.agency_id,
        alert=told.alert,
    )


def reminder_of(event: Event, item_id: str) -> Item:
    """The item of a reminder, addressed as it says. Raises pydantic.ValidationError."""
    told = event.read(Reminder)
    return _item(
        event,
        item_id,
        case_id=NO_CASE,
        keys=told.keys,
        reminder=told.reminder,
        object_id=told.object_id,
    )


def _href_of(reminder: str, object_id: str | None) -> str:
    if reminder.startswith("protocol_"):
        return f"/administration/protocols/{object_id}"
    if reminder.startswith("users_due_"):
        return "/administration/certifications"
    if reminder.startswith("role_of_user_"):
        return f"/administration/users/{object_id}"
    if reminder in ("account_of_user_tied", "passkey_of_user_copied"):
        return f"/audit?actor_id={object_id}"
    return "/account"


def _concerned(access: AccessList, event_type: str, share_id: str | None) -> tuple[str, ...]:
    """With whom else a case is shared, and that it was changed, is not told to the others; whom it is kept
    from (a change of no share) even less."""
    if share_id is None and event_type != "share.changed":
        return access.readers()
    named = tuple(share for share in access.shares if share.id == share_id)
    return access.model_copy(update={"shares": named}).readers()


def in_order(items: Iterable[Item]) -> Sequence[Item]:
    """Items as they came, but those of one case and producer by their numbers: two instances' clocks differ,
    and two items may be of the same millisecond."""
    arrived = sorted(items, key=lambda item: item.id)
    lanes: dict[tuple[str, str], deque[Item]] = defaultdict(deque)
    for item in sorted(arrived, key=lambda item: item.number):
        lanes[item.source, item.case_id].append(item)
    return [lanes[item.source, item.case_id].popleft() for item in arrived]
