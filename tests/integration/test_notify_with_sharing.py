"""notify and the real sharing together: who is told of a case that is shared, changed and taken back."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest

from services.chassis.mongo import connect
from services.contracts.authority import CaseEvent
from services.contracts.envelope import Event, new_event_id
from services.contracts.errors import NotVisible, RoleRequired
from services.contracts.messages import Request
from services.contracts.notify import (
    Changes,
    GetChanges,
    Inbox,
    ListInbox,
    StreamFrames,
    StreamItems,
)
from services.contracts.subscriptions import (
    CreateSubscription,
    Deliveries,
    GetSubscription,
    ListDeliveries,
    Subscription,
    SubscriptionBody,
)
from tests.cell import Parts
from tests.integration.calling import Calling, instances
from tests.integration.notifying import NOTIFY, QUICK, receiver
from tests.integration.partnership import Person
from tests.integration.running_services import Operator
from tests.integration.test_sharing_grants import CASES, SHARING, World
from tests.waiting import until


@pytest.fixture(scope="module")
def world(parts: Parts, calling: Calling, tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    logs = tmp_path_factory.mktemp("logs")
    with (
        Calling(parts, "cases") as cases,
        instances(parts, logs, SHARING, CASES),
        instances(parts, logs, NOTIFY, **QUICK),
        connect(parts.mongo_url("sharing"), app="test") as client,
    ):
        made = World(parts, calling, {"cases": cases}, client["sharing"])
        yield made
        made.close()


def ask(person: Person, method: str, request: Request, reply: type[Any], key: str | None = None) -> Any:
    """Identified by sharing, as the gateway has it done."""
    signed, request_id = person.signed("notify", method, request, key)
    more = {} if key is None else {"key": key}
    return person._partnership.calling.ask(
        f"notify.{method}", request, caller=signed, request_id=request_id, reply=reply, **more
    )


def stream(person: Person, after: str | None) -> StreamFrames:
    found: StreamFrames = ask(person, "stream_items", StreamItems(after=after), StreamFrames)
    return found


def inbox(person: Person) -> list[str]:
    return [item.case_id for item in ask(person, "list_inbox", ListInbox(), Inbox).items]


def entry_added(operator: Operator, world: World, case_id: str, number: int, **more: Any) -> str:
    told = CaseEvent.model_validate(
        {"case_id": case_id, "entry_id": new_event_id(), "actor_id": world.owner.id, **more}
    )
    event = Event.of("cases", "entry.added", f"cases/{case_id}", number, told, now=datetime.now(UTC))
    operator.publish(event.to_json(), exchange="cases.events", key=event.type)
    return event.id


def test_a_share_is_told_what_follows_too_and_after_the_revoke_nothing(
    world: World, operator: Operator
) -> None:
    client = world.client(world.homes, "Homes system", world.jo)
    administrator = world.person(world.homes, "Ada", role="agency_admin")
    begin = stream(world.jo, None).resume
    now: Changes = world.calling.ask("notify.changes", GetChanges(), reply=Changes)
    with receiver() as other_end:
        body = SubscriptionBody(client_id=client.id, transport="webhook", url=other_end.url, types=("*",))
        request = CreateSubscription(subscription=body)
        made = ask(administrator, "create_subscription", request, Subscription, uuid.uuid4().hex)
        case_id = world.case()
        members = [{"user_id": world.jo.id}, {"client_id": client.id}]
        share = world.share(case_id, members=members)
        first = until(lambda: (found := stream(world.jo, begin)).frames and found).frames[0]
        assert (first.type, first.event.data.case_id, first.event.data.share_id) == (
            "case.shared",
            case_id,
            share["id"],
        )
        until(lambda: case_id in inbox(world.jo))
        until(lambda: other_end.ids == [first.event.id])
        added = entry_added(operator, world, case_id, 1, section="timeline")
        kept_back = entry_added(
            operator, world, case_id, 2, section="timeline", withheld_from=(world.homes.id,)
        )
        not_granted = entry_added(operator, world, case_id, 3, section="intelligence")
        last = entry_added(operator, world, case_id, 4)
        until(lambda: last in other_end.ids)
        assert other_end.ids == [first.event.id, added, last]
        assert other_end.sequences == [1, 2, 3]
        seen = [frame.event.id for frame in stream(world.jo, begin).frames]
        assert sorted(seen) == sorted(other_end.ids)
        assert {kept_back, not_granted}.isdisjoint(seen)

        world.revoke(share)
        entry_added(operator, world, case_id, 5)
        assert stream(world.jo, begin).frames == ()
        assert case_id not in inbox(world.jo)

        def revoke_heard() -> bool:
            found: Changes = world.calling.ask(
                "notify.changes", GetChanges(after=now.n, wait_ms=200), reply=Changes
            )
            return any(one.kind == "share.revoked" and one.case_id == case_id for one in found.items)

        until(revoke_heard)
        until(lambda: "share.revoked" in {frame.type for frame in stream(world.owner, begin).frames})
        assert stream(world.jo, begin).frames == ()
        assert len(other_end.pushes) == 3
        listed = ask(administrator, "list_deliveries", ListDeliveries(subscription_id=made.id), Deliveries)
        assert sorted(one.sequence for one in listed.items) == [1, 2, 3]


def test_a_stranger_and_the_owners_own_doing(world: World, operator: Operator) -> None:
    case_id = world.case()
    begin = stream(world.owner, None).resume
    entry_added(operator, world, case_id, 1)
    until(lambda: stream(world.owner, begin).frames)
    until(lambda: case_id in inbox(world.colleague))  # in the owner's team
    assert case_id not in inbox(world.owner)
    assert case_id not in inbox(world.stranger)
    assert stream(world.stranger, begin).frames == ()


def test_who_may_subscribe(world: World) -> None:
    with pytest.raises(RoleRequired):
        world.jo.signed("notify", "get_subscription", GetSubscription(subscription_id="x"), None)
    administrator = world.person(world.police, "Adam", role="agency_admin")
    with pytest.raises(NotVisible):
        ask(administrator, "get_subscription", GetSubscription(subscription_id="x"), Subscription)
