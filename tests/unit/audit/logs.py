"""A log in memory, made as the service makes it: what the tests of proofs and of the verifier work on."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from datetime import UTC, datetime, timedelta
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from services.audit.domain import exporting
from services.audit.domain.merkle import Frontier, Node, leaf_hash
from services.audit.domain.notes import Signer, Statement
from services.audit.domain.sequencing import Placed, place
from services.chassis.logkeys import WrappingKeys
from services.contracts.envelope import new_event_id
from services.contracts.records import Actor, Object, Record

ORIGIN = "test.example/log"
NOW = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)


def signer() -> Signer:
    return Signer(ORIGIN, Ed25519PrivateKey.from_private_bytes(bytes(range(32))))


def wrapping() -> WrappingKeys:
    """What details are wrapped with."""
    return WrappingKeys({"k1": bytes(range(32))}, ((0.0, "k1"),))


def record(number: int = 0, **fields: Any) -> Record:
    """A look at a case."""
    given: dict[str, Any] = {
        "id": new_event_id(),
        "at": NOW + timedelta(seconds=number),
        "actor": Actor(kind="user", id="user-1", agency_id="police"),
        "action": "case.read",
        "operation": "consultation",
        "how": "opened",
        "objects": (Object(type="case", id="case-1", agency_id="police", sections=("summary",), version=3),),
        "outcome": "shown",
        "request_id": f"request-{number}",
        "service": "cases",
        "publisher": "p1",
        "number": number + 1,
    }
    return Record(**{**given, **fields})


def tree_of(leaves: Iterable[bytes]) -> tuple[Frontier, Callable[[Node], bytes]]:
    """A tree over these leaves, and how its hashes are read."""
    tree, kept = Frontier(), list[tuple[bytes, ...]]()
    for leaf in leaves:
        tree, complete = tree.add(leaf_hash(leaf))
        kept.append(complete)
    return tree, lambda node: kept[node.leaf][node.height]


def placed(count: int) -> tuple[Frontier, list[Placed]]:
    return place(Frontier(), ((record(number), bytes([number % 256]) * 32) for number in range(count)))


def export(count: int, *, without: Iterable[int] = ()) -> list[str]:
    """The lines of an export, without line feeds; `without`: entries that come without their detail."""
    tree, entries = placed(count)
    hidden, lines = set(without), []
    for one in entries:
        detail, salt = (None, None) if one.index in hidden else (one.leaf.detail, one.leaf.salt)
        lines.append(exporting.line(one.index, one.leaf.leaf, one.complete[0], detail, salt))
    note = signer().sign(str(Statement(ORIGIN, tree.size, tree.root)))
    return [*lines, exporting.last_line(note)]


def changed(line: str, **fields: Any) -> str:
    """A line with other fields; None takes one away."""
    found = {**json.loads(line), **fields}
    return json.dumps({name: value for name, value in found.items() if value is not None})
