"""A broker and a database that run elsewhere."""

from __future__ import annotations

import socket

import pytest

from deploy import demo
from deploy.launcher.given import Given, hosts
from deploy.launcher.trouble import Trouble


@pytest.mark.parametrize(
    ("url", "found"),
    [
        ("amqp://u:p@a:1/v", ["a:1"]),
        ("amqp://u:p@a:1/v, amqp://u:p@b/v", ["a:1", "b"]),
        ("mongodb://u:p@a:1,b:2/base?replicaSet=x", ["a:1", "b:2"]),
        ("mongodb://a", ["a"]),
        ("a:1", []),
    ],
)
def test_hosts_are_told_without_credentials(url: str, found: list[str]) -> None:
    assert hosts(url) == found


def test_one_that_answers_of_several_is_enough() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        Given(rabbitmq_url=f"amqp://127.0.0.1:1/v,amqp://127.0.0.1:{port}/v").check()


def test_none_that_answers_is_trouble() -> None:
    with pytest.raises(Trouble, match="which MONGO_URL names"):
        Given(mongo_url="mongodb://u:p@127.0.0.1:1/").check()


def test_a_demonstration_is_served_on_this_machine_alone() -> None:
    demo.check(Given())
    with pytest.raises(Trouble, match="of its own"):
        demo.check(Given(mongo_url="mongodb://elsewhere/"))
