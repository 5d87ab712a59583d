"""What the test of confirms runs in a process of its own."""

from __future__ import annotations

import time
from collections import Counter

from services.chassis.confirms import Confirms, Ticket
from services.chassis.link import Link
from services.contracts.errors import ConcordatError

DURABLE = {"delivery_mode": 2}


def _confirms(url: str) -> tuple[Link, Confirms]:
    link = Link([url], "publishing")
    confirms = Confirms(link)
    link.start()
    assert link.wait_up(10)
    return link, confirms


def _outcomes(tickets: list[Ticket]) -> dict[str, int]:
    return dict(Counter(ticket.outcome.value if ticket.outcome else "none" for ticket in tickets))


def mixed(url: str, good: str, full: str) -> dict[str, dict[str, int]]:
    """Publish to a queue that takes all, to nobody, and to a full queue, all on their way at once."""
    link, confirms = _confirms(url)
    tickets: dict[str, list[Ticket]] = {good: [], "nobody": [], full: []}
    for number in range(300):
        for key, sent in tickets.items():
            sent.append(confirms.publish("", key, b"x", {**DURABLE, "message_id": f"{key}-{number}"}))
    confirms.wait([ticket for sent in tickets.values() for ticket in sent], 10)
    link.stop()
    return {key: _outcomes(sent) for key, sent in tickets.items()}


def pipelined(url: str, good: str, count: int) -> dict[str, float]:
    """Seconds for `count` confirmed messages, one after the other and all at once."""
    link, confirms = _confirms(url)
    began = time.monotonic()
    for _ in range(count):
        confirms.wait([confirms.publish("", good, b"x", DURABLE)], 10)
    between = time.monotonic()
    confirms.wait([confirms.publish("", good, b"x", DURABLE) for _ in range(count)], 10)
    done = time.monotonic()
    link.stop()
    return {"serial": between - began, "pipelined": done - between}


def cut(url: str, good: str) -> dict[str, object]:
    """Lose the connection with messages on their way, then go on."""
    link, confirms = _confirms(url)
    tickets = [confirms.publish("", good, b"x", DURABLE) for _ in range(50)]
    link.drop()
    all_confirmed = confirms.wait(tickets, 10)
    try:
        confirms.publish("", good, b"x", DURABLE)
        refused = False
    except ConcordatError:
        refused = True
    assert link.wait_up(10)
    again = [confirms.publish("", good, b"x", DURABLE) for _ in range(50)]
    recovered = confirms.wait(again, 10)
    link.stop()
    return {"before": _outcomes(tickets), "all": all_confirmed, "refused": refused, "recovered": recovered}
