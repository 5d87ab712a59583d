"""What is declared on the broker follows from who serves, emits and subscribes; and nobody may do more."""

from __future__ import annotations

import base64
import hashlib
import re
from typing import Any

import pytest

from services.chassis import topology
from services.contracts.directory import Shape

SHAPES = {
    "asks": Shape(serves=False, emits=False),
    "tells": Shape(serves=True, emits=True),
    "hears": Shape(serves=True, emits=False, subscribes=("tells",)),
}
PASSWORDS = dict.fromkeys(SHAPES, "secret")


def document(*, cluster: bool = False) -> dict[str, Any]:
    return topology.definitions(SHAPES, PASSWORDS, cluster=cluster)


def queue(name: str, *, cluster: bool = False) -> dict[str, Any]:
    (found,) = [row["arguments"] for row in document(cluster=cluster)["queues"] if row["name"] == name]
    return dict(found)


def may(user: str, act: str, resource: str) -> bool:
    (row,) = [row for row in document()["permissions"] if row["user"] == user]
    return re.search(row[act], resource) is not None


def test_the_same_services_give_the_same_document() -> None:
    assert document() == document()


def test_who_only_asks_has_no_queue() -> None:
    assert not [name for name in topology.expected_queues(SHAPES) if "asks" in name]


def test_request_queues_survive_a_node_only_where_there_are_several() -> None:
    assert queue("rpc-tells").get("x-queue-type", "classic") == "classic"
    assert queue("rpc-tells", cluster=True)["x-queue-type"] == "quorum"


def test_an_event_is_given_up_by_the_broker_only_into_the_dead_letter_queue() -> None:
    arguments = queue("evt-tells--hears")
    assert arguments["x-delivery-limit"] == topology.DELIVERY_LIMIT
    assert arguments["x-dead-letter-strategy"] == "at-least-once"
    assert arguments["x-overflow"] == "reject-publish"
    assert arguments["x-dead-letter-routing-key"] == "dead-hears"


@pytest.mark.parametrize("milliseconds", topology.TIERS_MS)
def test_a_retry_queue_gives_back_to_its_event_queue(milliseconds: int) -> None:
    arguments = queue(f"evt-tells--hears.retry-{milliseconds}")
    assert arguments["x-message-ttl"] == milliseconds
    assert arguments["x-dead-letter-exchange"] == "hears.retries"
    assert arguments["x-dead-letter-routing-key"] == "evt-tells--hears"


def test_what_is_dead_stays_until_an_operator_takes_it() -> None:
    assert queue("dead-hears").keys() == {"x-queue-type"}


def test_every_dead_letter_route_leads_to_a_queue() -> None:
    bound = {(row["source"], row["routing_key"]) for row in document()["bindings"]}
    for row in document()["queues"]:
        arguments = row["arguments"]
        if "x-dead-letter-exchange" in arguments:
            assert (arguments["x-dead-letter-exchange"], arguments["x-dead-letter-routing-key"]) in bound


def test_only_queues_that_a_service_reads_count_as_consumed() -> None:
    assert topology.consumed_queues(SHAPES) == {"rpc-tells", "rpc-hears", "evt-tells--hears"}


@pytest.mark.parametrize("user", SHAPES)
@pytest.mark.parametrize("exchange", ["", "amq.default", "amq.topic"])
def test_nobody_may_publish_through_the_brokers_own_exchanges(user: str, exchange: str) -> None:
    assert not may(user, "write", exchange)


@pytest.mark.parametrize(
    ("user", "act", "resource"),
    [
        ("hears", "read", "rpc-tells"),
        ("hears", "read", "evt-tells--hears.retry-250"),
        ("hears", "write", "tells.events"),
        ("tells", "read", "evt-tells--hears"),
        ("tells", "read", "dead-hears"),
        ("tells", "write", "hears.retries"),
        ("asks", "write", "tells.events"),
        ("asks", "configure", "rpc-tells"),
        ("asks", "read", "rpc.reply-tells-1"),
        ("asks", "configure", "rpc.reply-tells-1"),
    ],
)
def test_a_service_may_not_touch_what_is_anothers(user: str, act: str, resource: str) -> None:
    assert not may(user, act, resource)


@pytest.mark.parametrize(
    ("user", "act", "resource"),
    [
        ("asks", "write", "nameko-rpc"),
        ("asks", "configure", "rpc.reply-asks-1"),
        ("asks", "read", "rpc.reply-asks-1"),
        ("tells", "read", "rpc-tells"),
        ("tells", "write", "tells.events"),
        ("hears", "read", "evt-tells--hears"),
        ("hears", "write", "hears.retries"),
    ],
)
def test_a_service_may_do_what_it_needs(user: str, act: str, resource: str) -> None:
    assert may(user, act, resource)


def test_nobody_listens_in_on_requests() -> None:
    for row in document()["topic_permissions"]:
        assert not re.search(row["read"], "tells.say")
        assert re.search(row["read"], f"rpc.reply-{row['user']}-1")


def test_a_password_is_stored_as_the_broker_checks_it() -> None:
    for row in document()["users"]:
        stored = base64.b64decode(row["password_hash"])
        assert stored[4:] == hashlib.sha256(stored[:4] + b"secret").digest()


def test_without_a_password_there_is_no_user() -> None:
    made = topology.definitions(SHAPES, {"tells": "secret"}, cluster=False)
    assert [row["name"] for row in made["users"]] == ["tells"]
    assert [row["user"] for row in made["permissions"]] == ["tells"]


@pytest.mark.parametrize("name", ["", "Echo", "a-b", "a--b", "a.b", "a b", "1a", ".*"])
def test_a_name_that_is_no_name_is_refused(name: str) -> None:
    with pytest.raises(ValueError, match="not a service name"):
        topology.definitions({name: Shape(serves=True, emits=False)}, {}, cluster=False)


@pytest.mark.parametrize(
    ("queue", "policies"),
    [
        ("rpc-tells", {"calls"}),
        ("rpc.reply-asks-1", {"calls"}),
        ("intake", {"kept"}),
        ("dead-hears", {"kept"}),
        ("evt-tells--hears", set()),
        ("evt-tells--hears.retry-250", set()),
    ],
)
def test_each_queue_has_one_policy_at_most(queue: str, policies: set[str]) -> None:
    """The broker follows one alone."""
    found = {row["name"] for row in document()["policies"] if re.search(row["pattern"], queue)}
    assert found == policies
