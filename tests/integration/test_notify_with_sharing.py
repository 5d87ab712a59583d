"""notify and the real sharing together: who is told of a case that is shared, changed and taken back."""

from __future__ import annotations

import time
import uuid
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest

from services.chassis.mongo import connect
from services.contracts.alerts import ACCESS_ALERT
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
from services.contracts.sharing.conflicts import ConflictBody, DeclareConflict
from services.contracts.sharing.glass import BreakGlass, GlassBody
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
from tests.integration.granting import World
from tests.integration.notifying import NOTIFY, QUICK, receiver
from tests.integration.partnership import Person
from tests.integration.running_services import Operator
from tests.integration.sharing_gate import CASES, SHARING
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
        until(lambda: len(stream(world.jo, begin).frames) == len(other_end.ids))
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


def texts(person: Person) -> list[tuple[str, str]]:
    found = ask(person, "list_inbox", ListInbox(), Inbox).items
    return [(item.case_id, item.text) for item in found if item.kind == ACCESS_ALERT]


def test_broken_glass_calls_the_owner_and_the_officers_within_seconds_and_nobody_else(world: World) -> None:
    dpo = world.person(world.police, "Dora", role="agency_dpo")
    everywhere = world.person(world.charity, "Paula", role="partnership_dpo")
    foreign = world.person(world.homes, "Fred", role="agency_dpo")
    client = world.client(world.homes, "Homes system", world.jo)
    administrator = world.person(world.homes, "Ada", role="agency_admin")
    called = (world.owner, dpo, everywhere)
    begin = {one.id: stream(one, None).resume for one in called}
    with receiver() as other_end:
        body = SubscriptionBody(client_id=client.id, transport="webhook", url=other_end.url, types=("*",))
        request = CreateSubscription(subscription=body)
        ask(administrator, "create_subscription", request, Subscription, uuid.uuid4().hex)
        case_id = world.case()
        share = world.share(case_id, members=[{"user_id": world.jo.id}, {"client_id": client.id}])
        until(lambda: len(other_end.ids) == 1)
        glass = GlassBody(reason="Screams from number nine")
        began = time.monotonic()
        world.stranger.tell(
            "break_glass", BreakGlass(case_id=case_id, access_reason="safeguarding", glass=glass)
        )
        for one in called:
            until(lambda one=one: case_id in [case for case, _ in texts(one)], 5)
            frames = until(lambda one=one: stream(one, begin[one.id]).frames, 5)
            assert ACCESS_ALERT in {frame.type for frame in frames}
            data = next(frame for frame in frames if frame.type == ACCESS_ALERT).event.data
            assert data.model_dump(exclude_unset=True) == {"case_id": case_id}
        assert time.monotonic() - began < 5
        for one in (world.stranger, world.jo, world.colleague, foreign):
            assert texts(one) == []
        world.change(world.owner, share, level="know")  # a later event: what was to be pushed before, was
        until(lambda: len(other_end.ids) == 2)
        assert [push.event["type"] for push in other_end.pushes] == ["case.shared", "share.changed"]


def test_whom_a_conflict_shuts_out_is_told_nothing_of_it_nor_of_what_follows(
    world: World, operator: Operator
) -> None:
    dpo = world.person(world.police, "Dora", role="agency_dpo")
    share = world.share(world.case())
    case_id = share["case_id"]
    until(lambda: case_id in inbox(world.jo))
    begin = {one.id: stream(one, None).resume for one in (world.jo, dpo, world.warden)}
    for one in (world.jo, dpo):
        conflict = ConflictBody(user_id=one.id, kind="household", reason="Lives there")
        world.owner.tell("declare_conflict", DeclareConflict(case_id=case_id, conflict=conflict))
    assert case_id not in inbox(world.jo)
    glass = GlassBody(reason="Screams from number nine")
    world.stranger.tell("break_glass", BreakGlass(case_id=case_id, access_reason="other", glass=glass))
    added = entry_added(operator, world, case_id, 1)
    seen = until(lambda: stream(world.warden, begin[world.warden.id]).frames)
    assert [frame.event.id for frame in seen] == [added]  # of conflicts and glass not even that
    until(lambda: case_id in [case for case, _ in texts(world.owner)])
    for one in (world.jo, dpo):
        assert stream(one, begin[one.id]).frames == ()
        assert case_id not in inbox(one)
