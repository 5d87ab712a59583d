"""What all do who give and take away: ask until it is answered, and write down whom it concerns."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterable
from typing import Any

from tests.checks.revocation.history import ALL, EVERY, Facet, History, Pair, Turn
from tests.checks.wire import Answer, Line

GIVE_UP = 60.0
AGAIN = 0.1

Change = Callable[[], Answer]


class Lost(Exception):
    """Nobody can say any more what is given: what is seen from now on proves nothing."""


def turn(
    history: History,
    pairs: Iterable[Pair],
    kind: str,
    change: Change,
    *,
    gives: bool = False,
    facets: frozenset[Facet] = ALL,
) -> Answer:
    """One change, answered or not."""
    with history.under_way():
        answer = change()
        history.count(kind, answer.status, answer.seconds)
        for pair in pairs:
            done = good(answer)
            history.turn(Turn(pair, gives, facets, answer.began, answer.ended, done, kind))
    return answer


def until_done(
    history: History,
    pairs: Iterable[Pair],
    kind: str,
    change: Change,
    *,
    gives: bool = False,
    facets: frozenset[Facet] = ALL,
) -> Answer:
    """The same, of a change that is harmless when it is repeated. Raises Lost."""
    give_up, concerned = time.monotonic() + GIVE_UP, tuple(pairs)
    while time.monotonic() < give_up:
        answer = turn(history, concerned, kind, change, gives=gives, facets=facets)
        if good(answer):
            return answer
        time.sleep(AGAIN)
    print(f"given up: {kind}, {answer.status} {_code(answer)}", file=sys.stderr)
    raise Lost


def _code(answer: Answer) -> str:
    try:
        return str(answer.json().get("code", ""))
    except (ValueError, AttributeError):
        return ""


def good(answer: Answer) -> bool:
    return 200 <= answer.status < 300


def everywhere(*keys: str) -> tuple[Pair, ...]:
    """Of every case, for these principals."""
    return tuple(Pair(key, EVERY) for key in keys)


def patch(line: Line, path: str, body: Any) -> Answer:
    """Nothing is sent where all of it is so already: an answer was lost."""
    there = line.ask("GET", path)
    if there.status != 200:
        return there
    present = there.json()
    if all(name in present and present[name] == value for name, value in body.items()):
        return there
    return line.ask("PATCH", path, body, If_Match=there.headers.get("etag", ""))


def note(history: History, made: dict[str, float], line: Line, case_id: str) -> None:
    """The owner writes on: what is written while somebody is shut out must not reach it. `made`: when each
    entry was asked for, by its id."""
    began = time.monotonic()
    body = {"type": "note", "occurred_at": "2026-11-01T09:00:00Z", "text": f"canary {began}"}
    answer = line.ask("POST", f"/cases/{case_id}/entries", body)
    history.count("owner's note", answer.status, answer.seconds)
    if answer.status == 201:
        made[answer.json()["id"]] = began
