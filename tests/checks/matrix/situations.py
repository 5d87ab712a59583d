"""Requests about a case, right and wrong in many ways; what they have in common is that they are refused."""

from __future__ import annotations

import json
import random
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from gateway.routes import ROUTES
from tests.checks.matrix import requests
from tests.checks.matrix.oracle import GLASS
from tests.checks.matrix.world import World

EXPLAIN = ("POST", "/access/explain")
ABOUT_A_CASE: Sequence[tuple[str, str]] = tuple(
    (method, route.path)
    for route in ROUTES
    for method in route.methods
    if requests.shape(route.path).startswith("/cases/{}") or (method, requests.shape(route.path)) == EXPLAIN
)
"""Every method of every path that names one."""
REASONS = ("investigation", "investigation", "task", "because", "")
TAGS = ('"none"', '"none"', "*", 'W/"none"', "no tag")
TYPES = ("application/json", "application/json", "application/json", "text/plain", "multipart/form-data")
QUERIES = ("limit=1", "limit=0", "limit=9999", "cursor=none", "include=entries", "nothing=1")
DEVICES = ("concordat-device=nobodys", f"concordat-device={uuid.UUID(int=1)}.{'x' * 43}")


@dataclass(frozen=True)
class Request:
    """`path` has {} for the case's id, and `content` "{}" in its place where the body names it."""

    method: str
    shape: str
    path: str
    content: str | None
    headers: Mapping[str, str]

    def about(self, case_id: str) -> tuple[str, str | None]:
        """Path and body."""
        content = self.content
        if content is not None and (self.method, self.shape) == EXPLAIN:
            content = content.replace("{}", case_id)
        return self.path.replace("{}", case_id), content


def request(chance: random.Random, world: World, ids: Mapping[str, str]) -> Request:
    """Any request about any case; `ids` are of things in it, or were once."""
    method, path = chance.choice(ABOUT_A_CASE)
    there = replace(world, ids={**world.ids, **ids})
    place = requests.place(method, path, there, case_id="{}")
    headers = _headers(chance, method)
    if (method, requests.shape(path)) == GLASS:
        # With a reason it would be let in: that is what breaking glass is for.
        headers.pop("Access-Reason", None)
    if method == "GET" and chance.random() < 0.3:
        place += f"{'&' if '?' in place else '?'}{chance.choice(QUERIES)}"
    content = _content(
        chance, requests.body(method, path, replace(there, ids={**there.ids, "case_id": "{}"}))
    )
    if content is not None:
        headers["Content-Type"] = chance.choice(TYPES)
    return Request(method, requests.shape(path), place, content, headers)


def _headers(chance: random.Random, method: str) -> dict[str, str]:
    found: dict[str, str] = {}
    if chance.random() < 0.7:
        found["Access-Reason"] = chance.choice(REASONS)
    if method == "POST" and chance.random() < 0.8:
        key = f"{chance.getrandbits(128):032x}"
        found["Idempotency-Key"] = chance.choice((key, key, key[:8], ""))
    if method in requests.TAGGED and chance.random() < 0.8:
        found["If-Match"] = chance.choice(TAGS)
    if method == "GET" and chance.random() < 0.2:
        found["If-None-Match"] = chance.choice(TAGS)
    if chance.random() < 0.1:
        found["Cookie"] = chance.choice(DEVICES)
    return found


def _content(chance: random.Random, body: Any) -> str | None:
    """Half of them as they should be."""
    if body is None or chance.random() < 0.5:
        return None if body is None else json.dumps(body)
    wrong: tuple[Any, ...] = ({}, [], {**body, "nothing": 1}, _less(chance, body), dict.fromkeys(body, 7))
    return chance.choice((*(json.dumps(one) for one in wrong), "{", "", "null", json.dumps("x" * 40_000)))


def _less(chance: random.Random, body: dict[str, Any]) -> dict[str, Any]:
    gone = chance.choice(list(body)) if body else ""
    return {name: value for name, value in body.items() if name != gone}
