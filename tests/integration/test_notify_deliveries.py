"""Webhooks: real receivers, two instances of notify, the real broker and database."""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Iterator
from typing import Any

import pytest
from standardwebhooks.webhooks import Webhook

from services.contracts.errors import InvalidTransition, NotVisible
from services.contracts.subscriptions import (
    DeliveryView,
    GetSubscription,
    SendAgain,
    Subscription,
)
from tests.cell import Parts
from tests.integration.calling import instances
from tests.integration.notifying import NOTIFY, QUICK, STAND_IN, Person, Push, World, receiver, world
from tests.waiting import until


@pytest.fixture(scope="module")
def here(parts: Parts, tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    folder = tmp_path_factory.mktemp("logs")
    with instances(parts, folder, STAND_IN, NOTIFY, NOTIFY, **QUICK), world(parts) as made:
        yield made


def present(client: Person, subscription: Subscription) -> Subscription:
    found: Subscription = client.ask(
        "get_subscription", GetSubscription(subscription_id=subscription.id), Subscription
    )
    return found


def send_again(client: Person, subscription: Subscription, delivery: Any) -> DeliveryView:
    request = SendAgain(subscription_id=subscription.id, delivery_id=delivery.id)
    sent: DeliveryView = client.command("send_again", request, DeliveryView)
    return sent


def test_each_event_is_delivered_once_in_order_numbered_and_signed(here: World) -> None:
    owner, client = here.user(), here.client()
    with receiver() as other_end:
        subscription = client.subscribe(other_end.url)
        cases = [here.case(owner, client) for _ in range(4)]
        told = {case.id: [case.emit("entry.added", entry_id=f"e{n}") for n in range(5)] for case in cases}
        told[cases[0].id].append(cases[0].emit("case.shared", share_id=client.share_id))
        until(lambda: len(other_end.pushes) >= 21)
        for case, events in told.items():
            got = [push.id for push in other_end.pushes if push.event["data"]["case_id"] == case]
            of_cases = [event.id for event in events if event.producer == "cases"]
            assert [one for one in got if one in of_cases] == of_cases
            assert sorted(got) == sorted(event.id for event in events)
        assert sorted(other_end.sequences) == list(range(1, 22))
        push = other_end.pushes[0]
        Webhook(str(subscription.secret)).verify(push.body, push.headers)
        assert push.headers["webhook-id"] == push.id
        assert push.headers["content-type"] == "application/cloudevents+json"
        until(lambda: {one.state for one in client.deliveries(subscription)} == {"delivered"})
        assert present(client, subscription).next_sequence == 22
        assert all(
            len(one.attempts) == 1 and one.attempts[0].status == 204
            for one in client.deliveries(subscription)
        )


def test_only_the_types_that_were_asked_for(here: World) -> None:
    owner, client = here.user(), here.client()
    with receiver() as other_end:
        client.subscribe(other_end.url, "case.closed")
        case = here.case(owner, client)
        case.emit("entry.added")
        closed = case.emit("case.closed")
        until(lambda: other_end.pushes)
        assert other_end.ids == [closed.id]
        assert other_end.sequences == [1]


def test_what_fails_is_tried_again_before_its_successors_and_with_its_number(here: World) -> None:
    owner, client = here.user(), here.client()
    seen: Counter[str] = Counter()

    def twice_broken(push: Push) -> int:
        seen[push.id] += 1
        return 500 if seen[push.id] <= 2 else 200

    with receiver(twice_broken) as other_end:
        subscription = client.subscribe(other_end.url)
        case = here.case(owner, client)
        first, second = case.emit(), case.emit()
        until(lambda: len(other_end.pushes) == 6, seconds=20)
        assert other_end.ids == [first.id] * 3 + [second.id] * 3
        assert other_end.sequences == [1, 1, 1, 2, 2, 2]
        found = until(lambda: (all_ := client.deliveries(subscription))[-1].state == "delivered" and all_)
        assert [attempt.status for attempt in found[0].attempts] == [500, 500, 200]
        assert [one.next_attempt_at for one in found] == [None, None]


def test_one_case_does_not_wait_for_another(here: World) -> None:
    owner, client = here.user(), here.client()
    stuck, free = here.case(owner, client), here.case(owner, client)

    def answer(push: Push) -> int:
        return 503 if push.event["data"]["case_id"] == stuck.id else 200

    with receiver(answer) as other_end:
        client.subscribe(other_end.url)
        stuck.emit()
        until(lambda: other_end.pushes)
        event = free.emit()
        until(lambda: event.id in other_end.ids)


def test_nobody_there_is_an_attempt_without_status_and_delivered_later(here: World) -> None:
    owner, client = here.user(), here.client()
    with receiver() as gone:
        url = gone.url
    subscription = client.subscribe(url)
    here.case(owner, client).emit()
    found = until(lambda: [one for one in client.deliveries(subscription) if one.attempts])
    assert (found[0].attempts[0].status, found[0].attempts[0].error) == (None, "connect")
    assert (found[0].state, found[0].sequence) == ("pending", None)
    assert found[0].next_attempt_at is not None


def test_410_disables_and_nothing_is_sent_any_more(here: World) -> None:
    owner, client = here.user(), here.client()
    with receiver(lambda push: 410) as other_end:
        subscription = client.subscribe(other_end.url)
        case = here.case(owner, client)
        case.emit()
        until(lambda: present(client, subscription).state == "disabled")
        case.emit()
        case.emit()
        until(lambda: client.deliveries(subscription)[0].state == "failed")
        with pytest.raises(InvalidTransition):
            send_again(client, subscription, client.deliveries(subscription)[0])
        assert len(other_end.pushes) == 1


def test_what_was_revoked_between_event_and_send_leaves_no_gap(here: World) -> None:
    owner, client = here.user(), here.client()
    lost, kept = here.case(owner, client), here.case(owner, client)
    hold = threading.Event()

    def answer(push: Push) -> int:
        if push.event["data"]["case_id"] == lost.id:
            hold.wait(10)
        return 200

    with receiver(answer) as other_end:
        subscription = client.subscribe(other_end.url)
        first = lost.emit()
        until(lambda: other_end.pushes)
        behind = lost.emit()  # waits for the first, which is on its way
        until(lambda: len(client.deliveries(subscription)) == 2)
        lost.take(client)
        hold.set()
        after = kept.emit()
        until(lambda: after.id in other_end.ids)
        until(lambda: len(client.deliveries(subscription)) == 2)
        assert other_end.ids == [first.id, after.id]
        assert other_end.sequences == [1, 2]
        assert behind.id not in {one.event_id for one in client.deliveries(subscription)}


def test_a_number_once_attempted_and_then_revoked_is_closed_as_withheld(here: World) -> None:
    owner, client = here.user(), here.client()
    case = here.case(owner, client)
    with receiver(lambda push: 500) as other_end:
        subscription = client.subscribe(other_end.url)
        case.emit()
        until(lambda: other_end.pushes)
        case.take(client)
        found = until(
            lambda: (all_ := client.deliveries(subscription))[0].state == "withheld" and all_, seconds=20
        )
        assert (found[0].sequence, found[0].next_attempt_at) == (1, None)
        pushed = len(other_end.pushes)
        here.taken_in(case.emit("share.revoked", share_id=client.share_id))
        case.give(client)
        later = case.emit()
        until(lambda: later.id in other_end.ids)
        assert {*other_end.ids[pushed:]} == {later.id}
        assert other_end.sequences[pushed] == 2


def test_an_inactive_client_gets_nothing(here: World) -> None:
    owner, client = here.user(), here.client()
    with receiver() as other_end:
        subscription = client.subscribe(other_end.url)
        case = here.case(owner, client)
        client.activate(False)
        lost = case.emit()
        until(lambda: here.notify["deliveries"].find_one({"event_id": lost.id, "state": "withheld"}))
        assert client.deliveries(subscription) == []
        client.activate(True)
        event = case.emit()
        until(lambda: event.id in other_end.ids)
        assert set(other_end.ids) == {event.id}


def test_sending_again_is_the_same_event_and_number(here: World) -> None:
    owner, client = here.user(), here.client()
    with receiver() as other_end:
        subscription = client.subscribe(other_end.url)
        case = here.case(owner, client)
        event = case.emit()
        delivered = until(
            lambda: [one for one in client.deliveries(subscription) if one.state == "delivered"]
        )[0]
        send_again(client, subscription, delivered)
        until(lambda: len(other_end.pushes) == 2)
        assert other_end.ids == [event.id] * 2
        assert other_end.sequences == [1, 1]
        until(lambda: len(client.deliveries(subscription)[0].attempts) == 2)
        case.take(client)
        send_again(client, subscription, delivered)
        until(lambda: client.deliveries(subscription)[0].state == "withheld")
        assert len(other_end.pushes) == 2
        with pytest.raises(NotVisible):
            send_again(here.client(), subscription, delivered)


def test_a_push_begins_within_a_second_of_its_event(here: World) -> None:
    owner, client = here.user(), here.client()
    with receiver() as other_end:
        client.subscribe(other_end.url)
        case = here.case(owner, client)
        case.emit()
        until(lambda: other_end.pushes)
        began = time.monotonic()
        case.emit()
        until(lambda: len(other_end.pushes) == 2)
        assert other_end.pushes[1].at - began < 2.0
