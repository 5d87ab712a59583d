"""Managing subscriptions: on the real broker and database."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from typing import Any

import pytest

from services.contracts.errors import (
    FieldError,
    IfMatchRequired,
    Invalid,
    NotBuilt,
    NotVisible,
    Stale,
    UrlNotAllowed,
)
from services.contracts.subscriptions import (
    CreateSubscription,
    DeleteSubscription,
    Deliveries,
    GetSubscription,
    ListDeliveries,
    ListSubscriptions,
    PatchSubscription,
    Subscription,
    SubscriptionBody,
    Subscriptions,
)
from services.contracts.views import Empty
from tests.cell import Parts
from tests.integration.calling import instances
from tests.integration.notifying import NOTIFY, QUICK, STAND_IN, Person, World, world

URL = "https://hooks.example.org/in"


@pytest.fixture(scope="module")
def here(parts: Parts, tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    folder = tmp_path_factory.mktemp("logs")
    with instances(parts, folder, STAND_IN, NOTIFY, **QUICK), world(parts) as made:
        yield made


def create(person: Person, client_id: str, key: str | None = None, **changed: Any) -> Subscription:
    body = {"client_id": client_id, "transport": "webhook", "url": URL, "types": ("*",), **changed}
    request = CreateSubscription(subscription=SubscriptionBody.model_validate(body))
    made: Subscription = person.ask("create_subscription", request, Subscription, key=key or uuid.uuid4().hex)
    return made


def get(person: Person, subscription_id: str) -> Subscription:
    found: Subscription = person.ask(
        "get_subscription", GetSubscription(subscription_id=subscription_id), Subscription
    )
    return found


def patch(person: Person, subscription: Subscription, if_match: str | None, **change: Any) -> Subscription:
    request = PatchSubscription.model_validate(
        {"subscription_id": subscription.id, "if_match": if_match, "change": change}
    )
    changed: Subscription = person.command("patch_subscription", request, Subscription)
    return changed


def test_an_administrator_subscribes_the_agencys_client_and_both_see_it(here: World) -> None:
    client, administrator = here.client("a7"), here.user("a7")
    made = create(administrator, client.id, types=("case.shared", "entry.added", "entry.added"))
    assert str(made.secret).startswith("whsec_")
    assert (made.state, made.next_sequence, made.url) == ("active", 1, URL)
    assert made.types == ("case.shared", "entry.added")
    for person in (client, administrator):
        found = get(person, made.id)
        assert found.model_dump(exclude={"secret"}) == made.model_dump(exclude={"secret"})
        assert "secret" not in found.model_fields_set


def test_the_secret_comes_again_with_the_same_key_and_no_second_subscription_is_made(here: World) -> None:
    client = here.client()
    first = create(client, client.id, key="one")
    again = create(client, client.id, key="one")
    assert (again.id, again.secret) == (first.id, first.secret)
    listed = client.ask("list_subscriptions", ListSubscriptions(), Subscriptions)
    assert [one.id for one in listed.items] == [first.id]


def test_others_do_not_see_it(here: World) -> None:
    client = here.client("a8")
    made = create(client, client.id)
    for stranger in (here.client("a8"), here.user("a9")):
        with pytest.raises(NotVisible):
            get(stranger, made.id)
        with pytest.raises(NotVisible):
            patch(stranger, made, made.etag, state="disabled")
        with pytest.raises(NotVisible):
            stranger.command("delete_subscription", DeleteSubscription(subscription_id=made.id), Empty)
        with pytest.raises(NotVisible):
            stranger.ask("list_deliveries", ListDeliveries(subscription_id=made.id), Deliveries)


def test_only_ones_own_client_can_be_subscribed(here: World) -> None:
    client, other, user = here.client("a1"), here.client("a1"), here.user("a1")
    cases = ((client, other.id), (here.user("a2"), client.id), (user, "nobody"), (user, user.id))
    for person, client_id in cases:
        with pytest.raises(Invalid) as refused:
            create(person, client_id)
        assert refused.value.errors[0].pointer == "/client_id"


def test_what_the_body_may_not_say(here: World) -> None:
    client = here.client()
    with pytest.raises(NotBuilt):
        create(client, client.id, transport="amqp", url=None)
    with pytest.raises(UrlNotAllowed):
        create(client, client.id, url="https://169.254.169.254/")
    with pytest.raises(Invalid) as missing:
        create(client, client.id, url=None)
    assert missing.value.errors == (FieldError("/url", "required", "This field is required."),)


def test_changing_needs_the_present_etag(here: World) -> None:
    client = here.client()
    made = create(client, client.id)
    with pytest.raises(IfMatchRequired):
        patch(client, made, None, state="disabled")
    changed = patch(client, made, made.etag, types=["case.shared"], url=URL + "?2")
    assert (changed.types, changed.url, changed.state) == (("case.shared",), URL + "?2", "active")
    assert changed.etag != made.etag
    with pytest.raises(Stale) as stale:
        patch(client, made, made.etag, state="disabled")
    assert stale.value.etag == changed.etag
    with pytest.raises(UrlNotAllowed):
        patch(client, made, changed.etag, url="http://hooks.example.org/")
    assert patch(client, made, changed.etag, state="disabled").state == "disabled"
    assert patch(client, made, "*", state="active").state == "active"


def test_deleting(here: World) -> None:
    client = here.client()
    made = create(client, client.id)
    request, key = DeleteSubscription(subscription_id=made.id), uuid.uuid4().hex
    for _ in range(2):  # the same command given again was carried out
        client.ask("delete_subscription", request, Empty, key=key)
    with pytest.raises(NotVisible):
        client.command("delete_subscription", request, Empty)
    with pytest.raises(NotVisible):
        get(client, made.id)


def test_the_list_in_pages_and_its_bound(here: World) -> None:
    client = here.client()
    made = [create(client, client.id).id for _ in range(20)]
    with pytest.raises(Invalid):
        create(client, client.id)
    pages, cursor = list[str](), None
    while True:
        page = client.ask("list_subscriptions", ListSubscriptions(limit=8, cursor=cursor), Subscriptions)
        pages += [one.id for one in page.items]
        cursor = page.next
        if cursor is None:
            break
    assert pages == made[::-1]
