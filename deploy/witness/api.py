"""The log over HTTP, as any agency's system reads it: a client's log-in or a session's token."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import httpx

from deploy.demo.api import Api, Refusal
from deploy.witness.notes import Unusable
from deploy.witness.watching import Unproved, Unreachable

SignIn = Callable[[], Api]


class HttpLog:
    """Signs in when it has to, also when a session has ended."""

    def __init__(self, sign_in: SignIn) -> None:
        self._sign_in = sign_in
        self._api: Api | None = None

    def latest(self) -> str:
        return str(self._asked(lambda api: api.get("/audit/checkpoints/latest")["note"]))

    def consistency(self, since: int, until: int) -> list[str]:
        try:
            found = self._asked(lambda api: api.get(f"/audit/consistency?from={since}&to={until}")["hashes"])
        except _Refused:
            raise Unproved from None  # it has gone back, or lost what it signed
        return [str(one) for one in found]

    def publish(self, note: str, verifier_key: str) -> None:
        try:
            self._asked(
                lambda api: api.post("/audit/cosignatures", {"note": note, "verifier_key": verifier_key})
            )
        except _Refused as refused:
            raise Unusable(f"The log does not take the cosignature ({refused}).") from None

    def _asked(self, ask: Callable[[Api], Any]) -> Any:
        for again in (True, False):
            try:
                if self._api is None:
                    self._api = self._sign_in()
                return ask(self._api)
            except Refusal as refusal:
                if refusal.status == 401 and again:
                    self._api = None
                elif refusal.status in (409, 422, 500):  # not while a part is down: that is 503
                    raise _Refused(refusal.code) from None
                else:
                    raise Unreachable(str(refusal)) from None
            except (httpx.HTTPError, ValueError, KeyError, TypeError) as problem:
                raise Unreachable(type(problem).__name__) from None
        raise Unreachable("signed out")


class _Refused(Unreachable):
    """The request was understood, and refused."""
