"""People, cases, events and receivers, for the tests of notify."""

from __future__ import annotations

import json
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from services.chassis.callers import AUTHORITY, PURPOSE
from services.chassis.mongo import connect
from services.chassis.payload import raw
from services.chassis.sealing import Keyring
from services.contracts.access import AccessList, Owner, Share
from services.contracts.authority import CaseEvent
from services.contracts.caller import Caller, hash_arguments, sign
from services.contracts.envelope import Event
from services.contracts.messages import Request
from services.contracts.paging import Ref
from services.contracts.subscriptions import (
    CreateSubscription,
    Deliveries,
    ListDeliveries,
    Subscription,
    SubscriptionBody,
)
from tests.cell import Parts
from tests.integration.calling import Calling
from tests.integration.running_services import Operator
from tests.waiting import until

NOTIFY = "services.notify.service:NotifyService"
STAND_IN = "tests.integration.sharing_standin:SharingStandIn"
QUICK = {
    "CONCORDAT_DEMO": "1",
    "CONCORDAT_NOTIFY_RETRY_FIRST": "0.2",
    "CONCORDAT_NOTIFY_RETRY_FACTOR": "1.5",
    "CONCORDAT_NOTIFY_RETRY_LONGEST": "1",
    "CONCORDAT_NOTIFY_LEASE_SECONDS": "2",
}


class Person:
    """A user or client who asks notify, with a caller that `sharing` signed."""

    def __init__(self, world: World, kind: str, agency_id: str, team_ids: tuple[str, ...] = ()) -> None:
        self.id, self.kind, self.agency_id, self.team_ids = uuid.uuid4().hex, kind, agency_id, team_ids
        self.key = f"{kind[0]}:{self.id}"
        self.share_id = f"share-{self.id}"
        self._world = world
        self.activate(True)

    def activate(self, active: bool) -> None:
        row = {
            "kind": self.kind,
            "agency_id": self.agency_id,
            "team_ids": list(self.team_ids),
            "active": active,
        }
        self._world.sharing["principals"].replace_one({"_id": self.id}, row, upsert=True)

    def ask(self, method: str, request: Request, reply: type[Any], *, key: str | None = None) -> Any:
        """A query, or a command if there is a key."""
        request_id, now = uuid.uuid4().hex, datetime.now(UTC)
        caller = Caller.model_validate(
            {
                "kind": self.kind,
                "id": self.id,
                "agency_id": self.agency_id,
                "team_ids": self.team_ids,
                "device_class": "managed",
                "audience": "notify",
                "method": method,
                "args_hash": hash_arguments(bytes(raw(request)), key),
                "request_id": request_id,
                "now": now,
                "expires_at": now + timedelta(seconds=10),
            }
        )
        signed = sign(caller, self._world.secret)
        more = {} if key is None else {"key": key}
        return self._world.calling.ask(
            f"notify.{method}", request, caller=signed, request_id=request_id, reply=reply, **more
        )

    def command(self, method: str, request: Request, reply: type[Any]) -> Any:
        return self.ask(method, request, reply, key=uuid.uuid4().hex)

    def subscribe(self, url: str, *types: str) -> Subscription:
        wanted = SubscriptionBody.model_validate(
            {"client_id": self.id, "transport": "webhook", "url": url, "types": types or ("*",)}
        )
        made: Subscription = self.command(
            "create_subscription", CreateSubscription(subscription=wanted), Subscription
        )
        return made

    def deliveries(self, subscription: Subscription) -> list[Any]:
        """Oldest first."""
        told = self.ask(
            "list_deliveries", ListDeliveries(subscription_id=subscription.id, limit=100), Deliveries
        )
        return list(reversed(told.items))


class Case:
    """A case with its access list, and what happens to it."""

    def __init__(self, world: World, owner: Person) -> None:
        self.id, self._world, self._owner = uuid.uuid4().hex, world, owner
        self._members: list[Person] = []
        self._epoch = 0
        self._numbers = {"cases": 0, "sharing": 0}
        self.give()

    def give(self, *members: Person) -> None:
        self._members += members
        self._store()

    def take(self, member: Person) -> None:
        self._members.remove(member)
        self._store()

    def event(self, event_type: str = "entry.added", by: Person | None = None, **data: Any) -> Event:
        """Made, not yet told."""
        source = "sharing" if event_type.startswith("share.") or event_type == "case.shared" else "cases"
        self._numbers[source] += 1
        told = CaseEvent(case_id=self.id, actor_id=(by or self._owner).id, **data)
        number = self._numbers[source]
        return Event.of(source, event_type, f"cases/{self.id}", number, told, now=datetime.now(UTC))

    def emit(self, event_type: str = "entry.added", by: Person | None = None, **data: Any) -> Event:
        event = self.event(event_type, by, **data)
        self._world.tell(event)
        return event

    def _store(self) -> None:
        self._epoch += 1
        shares = [
            Share(
                id=person.share_id,
                agency_id=person.agency_id,
                user_ids=(person.id,) if person.kind == "user" and not person.team_ids else (),
                team_ids=person.team_ids,
                client_ids=(person.id,) if person.kind == "client" else (),
                level="read",
                sections=("timeline",),
            )
            for person in self._members
        ]
        owner = Owner(user=Ref(id=self._owner.id, name="O"), agency=Ref(id=self._owner.agency_id, name="A"))
        acl = AccessList(case_id=self.id, term=1, epoch=self._epoch, owner=owner, shares=tuple(shares))
        self._world.sharing["lists"].replace_one(
            {"_id": self.id}, {"body": acl.model_dump_json()}, upsert=True
        )


class World:
    """Everything that a test of notify needs."""

    def __init__(self, parts: Parts, calling: Calling, operator: Operator, sharing: Any, notify: Any) -> None:
        """`sharing` and `notify` are their databases."""
        self.calling, self.sharing, self.notify, self._operator = calling, sharing, notify, operator
        self.secret = Keyring(parts.keys_dir, AUTHORITY).shared_secrets("notify", PURPOSE)[0]

    def user(self, agency_id: str = "a1", team_ids: tuple[str, ...] = ()) -> Person:
        return Person(self, "user", agency_id, team_ids)

    def client(self, agency_id: str = "a2") -> Person:
        return Person(self, "client", agency_id)

    def case(self, owner: Person, *members: Person) -> Case:
        case = Case(self, owner)
        case.give(*members)
        return case

    def tell(self, event: Event) -> None:
        self._operator.publish(event.to_json(), exchange=f"{event.producer}.events", key=event.type)

    def taken_in(self, event: Event) -> None:
        """Return once notify has it."""
        until(lambda: self.notify["items"].find_one({"event_id": event.id}))


@contextmanager
def world(parts: Parts) -> Iterator[World]:
    """The services must be running."""
    operator = Operator(parts)
    with (
        connect(parts.mongo_url("sharing"), app="test") as sharing,
        connect(parts.mongo_url("notify"), app="test") as notify,
        Calling(parts) as calling,
    ):
        yield World(parts, calling, operator, sharing["sharing"], notify["notify"])
    operator.close()


class Push:
    """What a receiver got."""

    def __init__(self, headers: dict[str, str], body: str) -> None:
        self.headers, self.body, self.at = headers, body, time.monotonic()
        self.event: dict[str, Any] = json.loads(body)

    @property
    def id(self) -> str:
        return str(self.event["id"])


class Receiver:
    """A webhook's other end: `answer` is given each push and says with which status it is answered."""

    def __init__(self, answer: Callable[[Push], int]) -> None:
        self.answer = answer
        self.pushes: list[Push] = []
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                length = int(self.headers["content-length"])
                headers = {name.lower(): value for name, value in self.headers.items()}
                push = Push(headers, self.rfile.read(length).decode())
                receiver.pushes.append(push)
                self.send_response(receiver.answer(push))
                self.send_header("content-length", "0")
                self.end_headers()

            def log_message(self, *_: object) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_address[1]}/hook"

    @property
    def ids(self) -> list[str]:
        return [push.id for push in self.pushes]

    @property
    def sequences(self) -> list[int]:
        return [int(push.event["sequence"]) for push in self.pushes]

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()


@contextmanager
def receiver(answer: Callable[[Push], int] = lambda push: 204) -> Iterator[Receiver]:
    made = Receiver(answer)
    try:
        yield made
    finally:
        made.close()
