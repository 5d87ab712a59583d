"""What exists on the broker: names, queues, users and what each user may do. Pure; `concordat topology
apply` sends it.

The names are API between services: a renamed queue leaves the old one behind, filling up (N16).
`docs/architecture.md` has the table that this module implements; `concordat queues` compares it with what
the broker has.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
from collections.abc import Iterator, Mapping
from typing import Any

from services.chassis.retries import TIERS_MS
from services.contracts.directory import RECORDER, Shape

VHOST = "concordat"
CALLS = "nameko-rpc"
CALLS_WAITING, CALLS_WAITING_BYTES, CALL_MS = 20_000, 64 * 1024 * 1024, 120_000
"""Requests or replies that one queue holds (the oldest are dropped), in bytes too, and for how long."""
MESSAGE_BYTES = 2 * 1024 * 1024
"""The largest message that the broker takes; calls are half of it at most, events far less."""
DELIVERY_LIMIT = 50
"""Deliveries of one message that may end with its consumer dying before the broker dead-letters it."""

INTAKE = "intake"
"""Exchange and queue of what is recorded before data leaves. The queue has no TTL and no delivery limit of
ours: a record is never dropped by the broker. What cannot be read goes to the recorder's dead letters."""

Arguments = dict[str, Any]

_NAME = re.compile(r"[a-z][a-z0-9_]*")


def rpc_queue(service: str) -> str:
    return f"rpc-{service}"


def event_exchange(source: str) -> str:
    return f"{source}.events"


def event_queue(source: str, service: str) -> str:
    return f"evt-{source}--{service}"


def retry_exchange(service: str) -> str:
    return f"{service}.retries"


def retry_queue(source: str, service: str, milliseconds: int) -> str:
    return f"{event_queue(source, service)}.retry-{milliseconds}"


def dead_queue(service: str) -> str:
    return f"dead-{service}"


def definitions(
    services: Mapping[str, Shape], passwords: Mapping[str, str], *, cluster: bool
) -> dict[str, Any]:
    """RabbitMQ's definitions document for these services; users only for those with a password here.

    On a cluster the request queues are quorum queues: a classic one dies with its node. Importing it again
    changes nothing but passwords and permissions. Raises ValueError for a name that could not be told apart
    on the broker.
    """
    for name in services:
        if not _NAME.fullmatch(name):
            raise ValueError(f"not a service name: {name!r}")
    known = [(name, services[name]) for name in sorted(services)]
    return {
        "vhosts": [{"name": VHOST}],
        "users": [_user(name, passwords[name]) for name, _ in known if name in passwords],
        "permissions": [_permission(name, shape) for name, shape in known if name in passwords],
        "topic_permissions": [_topic_permission(name) for name, _ in known if name in passwords],
        "exchanges": [
            _exchange(CALLS, "topic"),
            *(e for name, shape in known for e in _exchanges(name, shape)),
            *([_exchange(INTAKE, "direct")] if RECORDER in services else []),
        ],
        "queues": queues(services, cluster=cluster),
        "bindings": [b for name, shape in known for b in _bindings(name, shape)],
        "policies": [_CALL_POLICY, _KEPT_POLICY],
    }


def queues(services: Mapping[str, Shape], *, cluster: bool) -> list[Arguments]:
    """Every queue with its arguments. The broker does not change those of a queue that it has."""
    return [q for name in sorted(services) for q in _queues(name, services[name], cluster=cluster)]


def expected_queues(services: Mapping[str, Shape]) -> frozenset[str]:
    """The durable queues that should exist; any other that is not a process's reply queue is an orphan."""
    return frozenset(queue["name"] for queue in queues(services, cluster=False))


def consumed_queues(services: Mapping[str, Shape]) -> frozenset[str]:
    """Those of them that a running service consumes; retry and dead-letter queues have no consumer."""
    return frozenset(
        name
        for name in expected_queues(services)
        if name == INTAKE or (name.startswith(("rpc-", "evt-")) and ".retry-" not in name)
    )


def _exchange(name: str, kind: str) -> Arguments:
    return {
        "name": name,
        "vhost": VHOST,
        "type": kind,
        "durable": True,
        "auto_delete": False,
        "internal": False,
        "arguments": {},
    }


def _exchanges(name: str, shape: Shape) -> Iterator[Arguments]:
    if shape.emits:
        yield _exchange(event_exchange(name), "topic")
    if _receives(shape):
        yield _exchange(retry_exchange(name), "direct")


def _receives(shape: Shape) -> bool:
    return shape.serves or bool(shape.subscribes)


def _queues(name: str, shape: Shape, *, cluster: bool) -> Iterator[Arguments]:
    if shape.serves:
        # Nothing dead-letters from here by itself: requests that nobody took in time would be kept for ever.
        yield _queue(rpc_queue(name), dict(_QUORUM) if cluster else {})
    for source in shape.subscribes:
        queue = event_queue(source, name)
        yield _queue(queue, {**_at_least_once(name, dead_queue(name)), "x-delivery-limit": DELIVERY_LIMIT})
        for milliseconds in TIERS_MS:
            back = {**_at_least_once(name, queue), "x-message-ttl": milliseconds}
            yield _queue(retry_queue(source, name, milliseconds), back)
    if _receives(shape):
        yield _queue(dead_queue(name), dict(_QUORUM))
    if name == RECORDER:
        # One instance at a time takes records, in their order; another goes on when it is gone. The log does
        # not rely on it: it only keeps two from working against each other.
        yield _queue(INTAKE, {**_QUORUM, "x-overflow": "reject-publish", "x-single-active-consumer": True})


_QUORUM = {"x-queue-type": "quorum"}
_CALL_POLICY: Arguments = {
    "name": "calls",
    "vhost": VHOST,
    "pattern": r"^rpc[-.]",
    "apply-to": "queues",
    "priority": 0,
    "definition": {
        "max-length": CALLS_WAITING,
        "max-length-bytes": CALLS_WAITING_BYTES,
        "message-ttl": CALL_MS,
    },
}
"""Whatever a peer sends: the broker holds no more than this of requests or replies, and not for longer. A
policy, not arguments of the queues, so that stock nameko's declaration of `rpc-{service}` is the same as
ours."""
_KEPT_POLICY: Arguments = {
    "name": "kept",
    "vhost": VHOST,
    "pattern": rf"^({INTAKE}|dead-.*)$",
    "apply-to": "queues",
    "priority": 0,
    "definition": {"delivery-limit": 1_000_000_000},
}
"""Of these nothing may be dropped, however often it is looked at or its consumer dies: RabbitMQ 4 drops at 20
deliveries where nothing else is said, and RabbitMQ 3 does not know a word for "never"."""


def _queue(name: str, arguments: Arguments) -> Arguments:
    return {"name": name, "vhost": VHOST, "durable": True, "auto_delete": False, "arguments": arguments}


def _to(service: str, queue: str) -> Arguments:
    return {"x-dead-letter-exchange": retry_exchange(service), "x-dead-letter-routing-key": queue}


def _at_least_once(service: str, queue: str) -> Arguments:
    """The broker moves the message with a confirm of its own; it needs reject-publish for that (RabbitMQ
    3.10).
    """
    return {
        **_QUORUM,
        **_to(service, queue),
        "x-dead-letter-strategy": "at-least-once",
        "x-overflow": "reject-publish",
    }


def _bindings(name: str, shape: Shape) -> Iterator[Arguments]:
    if shape.serves:
        yield _binding(CALLS, rpc_queue(name), f"{name}.*")
    for source in shape.subscribes:
        queue = event_queue(source, name)
        yield _binding(event_exchange(source), queue, "#")
        for own in (queue, *(retry_queue(source, name, milliseconds) for milliseconds in TIERS_MS)):
            yield _binding(retry_exchange(name), own, own)
    if _receives(shape):
        yield _binding(retry_exchange(name), dead_queue(name), dead_queue(name))
    if name == RECORDER:
        yield _binding(INTAKE, INTAKE, INTAKE)


def _binding(source: str, queue: str, key: str) -> Arguments:
    return {
        "source": source,
        "vhost": VHOST,
        "destination": queue,
        "destination_type": "queue",
        "routing_key": key,
        "arguments": {},
    }


def _user(name: str, password: str) -> Arguments:
    """The password as RabbitMQ stores it: salt + SHA-256(salt + password). The salt is derived, so that the
    same password gives the same document."""
    salt = hmac.digest(password.encode(), f"salt of {name}".encode(), "sha256")[:4]
    digest = hashlib.sha256(salt + password.encode()).digest()
    return {
        "name": name,
        "password_hash": base64.b64encode(salt + digest).decode(),
        "hashing_algorithm": "rabbit_password_hashing_sha256",
        "tags": "",
    }


def _permission(name: str, shape: Shape) -> Arguments:
    """A service configures only its own reply queues; nobody here may write to the default exchange."""
    replies = rf"rpc\.reply-{name}-.*"
    writes = [CALLS, replies]
    reads = [CALLS, replies]
    if shape.emits:
        writes.append(rf"{name}\.events")
    if _receives(shape):
        writes.append(rf"{name}\.retries")
        reads.append(f"dead-{name}")
    if shape.records:
        writes.append(INTAKE)
    if name == RECORDER:
        reads.append(INTAKE)
    if shape.serves:
        reads.append(f"rpc-{name}")
    if shape.subscribes:
        reads.append(f"evt-({'|'.join(sorted(shape.subscribes))})--{name}")
    return {
        "user": name,
        "vhost": VHOST,
        "configure": rf"^rpc\.reply-{name}-",
        "write": f"^({'|'.join(writes)})$",
        "read": f"^({'|'.join(reads)})$",
    }


def _topic_permission(name: str) -> Arguments:
    """Any call may be sent, but only the own reply queue bound: nobody listens in on another's requests."""
    return {"user": name, "vhost": VHOST, "exchange": CALLS, "write": ".*", "read": rf"^rpc\.reply-{name}-"}
