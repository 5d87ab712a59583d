"""What the launcher's broker and database allow and refuse."""

from __future__ import annotations

import amqp
import pymongo
import pytest
from pymongo.errors import OperationFailure

from services.chassis import topology
from services.contracts.directory import SERVICES
from tests.cell import OPERATOR, Parts


def _connect(url: str) -> amqp.Connection:
    credentials, _, place = url.removeprefix("amqp://").partition("@")
    user, _, password = credentials.partition(":")
    host, _, vhost = place.partition("/")
    connection = amqp.Connection(host, user, password, virtual_host=vhost, connect_timeout=5)
    connection.connect()
    return connection


def test_declared_queues_are_the_expected_ones(parts: Parts) -> None:
    assert {queue["name"] for queue in parts.operator_api.queues()} >= topology.expected_queues(SERVICES)


def test_declaring_again_changes_nothing(parts: Parts) -> None:
    before = {queue["name"]: queue["arguments"] for queue in parts.operator_api.queues()}
    parts.declare(SERVICES)
    assert {queue["name"]: queue["arguments"] for queue in parts.operator_api.queues()} == before


@pytest.mark.parametrize(
    ("exchange", "key"), [("", "rpc-mirror"), ("mirror.retries", "dead-mirror"), ("echo.retries.x", "")]
)
def test_a_service_may_publish_nowhere_else(parts: Parts, exchange: str, key: str) -> None:
    with _connect(parts.rabbitmq_url("echo")) as connection:
        channel = connection.channel()
        with pytest.raises((amqp.AccessRefused, amqp.NotFound)):
            channel.basic_publish_confirm(amqp.Message("x"), exchange, key, timeout=5)


@pytest.mark.parametrize("queue", ["rpc-mirror", "evt-echo--mirror", "dead-mirror"])
def test_a_service_may_not_read_the_queues_of_another(parts: Parts, queue: str) -> None:
    with _connect(parts.rabbitmq_url("echo")) as connection:
        channel = connection.channel()
        with pytest.raises(amqp.AccessRefused):
            channel.basic_get(queue)


def test_a_service_may_not_listen_in_on_requests(parts: Parts) -> None:
    with _connect(parts.rabbitmq_url("gateway")) as connection:
        channel = connection.channel()
        channel.queue_declare("rpc.reply-gateway-1", exclusive=True, auto_delete=True)
        channel.queue_bind("rpc.reply-gateway-1", "nameko-rpc", "rpc.reply-gateway-1")
        with pytest.raises(amqp.AccessRefused):
            channel.queue_bind("rpc.reply-gateway-1", "nameko-rpc", "echo.*")


def test_a_service_has_its_own_database_only(parts: Parts) -> None:
    with pymongo.MongoClient(parts.mongo_url("echo"), serverSelectionTimeoutMS=5000) as client:
        assert client.get_default_database().name == "echo"
        client.echo.probe.insert_one({"_id": 1})
        client.echo.probe.drop()
        with pytest.raises(OperationFailure):
            client.mirror.probe.insert_one({"_id": 1})


def test_transactions_end_after_about_a_deadline(parts: Parts) -> None:
    with pymongo.MongoClient(parts.mongo_url(OPERATOR), serverSelectionTimeoutMS=5000) as client:
        answer = client.admin.command({"getParameter": 1, "transactionLifetimeLimitSeconds": 1})
    assert answer["transactionLifetimeLimitSeconds"] == 3
