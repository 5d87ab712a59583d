"""What `sharing` asks an agency's identity provider for, itself: it believes no gateway about who somebody
is.

Every address, whoever names it (an administrator, or the provider's own metadata), is judged like a webhook's
(`chassis.addresses`), and each call has an end to its time and size, within the deadline of the call being
served. Few are asked at once: a process has few workers, and a provider that lets them all wait would let
everybody wait. Metadata and keys are remembered for a while; a key that is not known is looked for anew, but
not again and again; whoever was not reached is left in peace for a moment.
"""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Literal
from urllib.parse import urlsplit

from authlib.oauth2.auth import ClientAuth
from authlib.oauth2.rfc6749.parameters import prepare_grant_uri, prepare_token_request
from authlib.oauth2.rfc7636 import create_s256_code_challenge
from joserfc.jwk import KeySet

from services.chassis import context
from services.chassis.addresses import Target, target_of
from services.chassis.logs import log
from services.chassis.offload import heavy
from services.chassis.outward import Connection, NotReached, Resolve, addresses_of
from services.contracts.errors import ProviderAway, UrlNotAllowed
from services.sharing.domain.id_tokens import keys_of
from services.sharing.domain.sign_ins import SCOPE, NotBelieved, SignIn

MOST_OF_ANSWER = 256 * 1024
PATIENCE = 2.0
"""Seconds for each step of one call, at most."""
LEAST = 0.1
STEPS = 3
"""Of one call: to connect, to secure, to be answered. Each may take the whole of its patience."""
KEPT_BACK = 0.7
"""Seconds of a call's time that are for what is written down afterwards, whatever became of it."""
AT_ONCE = 4
"""How many calls out of one process there are."""
TURN = 0.2
"""Seconds to wait for a turn among them."""
IN_PEACE = 10.0
"""Seconds in which a provider that was not reached is not tried again."""
REMEMBERED = 600.0
"""Seconds for which metadata and keys are taken from memory."""
AGAIN = 30.0
"""Seconds in which keys are not looked for twice: anybody can name one that there is not."""
MOST_REMEMBERED = 200
_FORM = "application/x-www-form-urlencoded"
AuthMethod = Literal["client_secret_basic", "client_secret_post"]


@dataclass(frozen=True, slots=True)
class Metadata:
    """What is used of a provider's metadata (OpenID Connect Discovery 1.0, section 3)."""

    issuer: str
    authorization_endpoint: str
    token_endpoint: str
    jwks_uri: str
    auth_method: AuthMethod
    names_itself: bool
    """It says in its answers who it is (RFC 9207): one that does not say so there is not from it."""


@dataclass(frozen=True, slots=True)
class Tokens:
    id_token: object
    access_token: str | None


class Providers:
    """One per process. `clock` is monotonic."""

    def __init__(
        self,
        clock: Callable[[], float] = time.monotonic,
        resolve: Resolve = lambda host, port: heavy(addresses_of, host, port),
    ) -> None:
        self._clock, self._resolve = clock, resolve
        self._metadata: dict[str, tuple[float, Metadata]] = {}
        self._keys: dict[str, tuple[float, KeySet]] = {}
        self._looked: dict[str, float] = {}
        self._failed: dict[str, float] = {}
        self._free = threading.Semaphore(AT_ONCE)

    def metadata(self, issuer: str, *, demo: bool) -> Metadata:
        """Raises ProviderAway."""
        at, found = self._metadata.get(issuer, (0.0, None))
        if found is not None and self._clock() - at < REMEMBERED:
            return found
        url = f"{issuer.rstrip('/')}/.well-known/openid-configuration"
        said = self._json("GET", url, issuer, demo=demo)
        made = _metadata(said, issuer, demo=demo)
        _remember(self._metadata, issuer, (self._clock(), made))
        return made

    def keys(self, metadata: Metadata, *, demo: bool, anew: bool = False) -> KeySet:
        """`anew`: one that is not among them is looked for. Raises ProviderAway."""
        now, (at, found) = self._clock(), self._keys.get(metadata.jwks_uri, (0.0, None))
        if anew:
            looked = self._looked.get(metadata.jwks_uri)
            fresh = looked is not None and now - looked < AGAIN
            _remember(self._looked, metadata.jwks_uri, looked if fresh else now)
        else:
            fresh = now - at < REMEMBERED
        if found is not None and fresh:
            return found
        try:
            made = keys_of(self._json("GET", metadata.jwks_uri, metadata.issuer, demo=demo))
        except NotBelieved as problem:
            raise ProviderAway(cause=problem.reason) from None
        _remember(self._keys, metadata.jwks_uri, (self._clock(), made))
        return made

    @staticmethod
    def address(metadata: Metadata, sign_in: SignIn, state: str, client_id: str) -> str:
        """Where the browser is sent: code flow, with PKCE (RFC 7636, S256), state and nonce."""
        return str(
            prepare_grant_uri(
                metadata.authorization_endpoint,
                client_id=client_id,
                response_type="code",
                redirect_uri=sign_in.redirect_uri,
                scope=SCOPE,
                state=state,
                nonce=sign_in.nonce,
                code_challenge=create_s256_code_challenge(sign_in.verifier),
                code_challenge_method="S256",
            )
        )

    def exchange(
        self, metadata: Metadata, sign_in: SignIn, code: str, client: tuple[str, str], *, demo: bool
    ) -> Tokens:
        """`client`: id and secret. Raises NotBelieved where the provider refuses; ProviderAway."""
        body = prepare_token_request(
            "authorization_code",
            code=code,
            redirect_uri=sign_in.redirect_uri,
            code_verifier=sign_in.verifier,
        )
        auth = ClientAuth(*client, metadata.auth_method)
        headers = {"content-type": _FORM}
        url, headers, body = auth.prepare("POST", metadata.token_endpoint, headers, body)
        status, content = self._call(
            "POST", url, metadata.issuer, demo=demo, headers=headers, body=str(body).encode()
        )
        if 400 <= status < 500:
            raise NotBelieved("code_refused")
        said = _object(status, content)
        access = said.get("access_token")
        return Tokens(said.get("id_token"), access if isinstance(access, str) else None)

    def _json(self, method: Literal["GET", "POST"], url: str, issuer: str, *, demo: bool) -> dict[str, Any]:
        return _object(*self._call(method, url, issuer, demo=demo, headers={}, body=None))

    def _call(
        self,
        method: Literal["GET", "POST"],
        url: str,
        issuer: str,
        *,
        demo: bool,
        headers: Mapping[str, str],
        body: bytes | None,
    ) -> tuple[int, bytes]:
        """Raises ProviderAway."""
        failed_at = self._failed.get(issuer)
        if failed_at is not None and self._clock() - failed_at < IN_PEACE:
            raise ProviderAway(cause="not reached a moment ago")
        try:
            target = target_of(url, demo=demo)
            with self._turn(), Connection.open(target, self._resolve, _patience()) as connection:
                return connection.ask(method, body, {"accept": "application/json", **headers}, MOST_OF_ANSWER)
        except UrlNotAllowed:
            raise ProviderAway(cause="address_not_allowed") from None
        except NotReached as failed:
            _remember(self._failed, issuer, self._clock())
            log.info("provider_not_reached", reason=failed.code)
            raise ProviderAway(cause=failed.code) from None

    @contextmanager
    def _turn(self) -> Iterator[None]:
        """Raises ProviderAway."""
        if not self._free.acquire(timeout=TURN):
            raise ProviderAway(cause="too many at once")
        try:
            yield
        finally:
            self._free.release()


def issuer_target(url: str, *, demo: bool) -> Target:
    """An issuer as it may be set: no query, no fragment (Discovery, section 3). Raises UrlNotAllowed,
    `/issuer`."""
    target = target_of(url, demo=demo, pointer="/issuer")
    if "?" in url:
        raise UrlNotAllowed(cause="issuer with a query")
    return target


def host_of(url: str) -> str:
    return urlsplit(url).netloc


def _patience() -> float:
    """What one step may take, so that all of them end before the call's own time does. Raises
    ProviderAway."""
    serving = context.current()
    if serving is None:
        return PATIENCE
    step = (serving.deadline.left() - KEPT_BACK) / STEPS
    if step < LEAST:
        raise ProviderAway(cause="no time left")
    return min(PATIENCE, step)


def _object(status: int, content: bytes) -> dict[str, Any]:
    """Raises ProviderAway. A redirect is an answer like any other that is not 200."""
    if status != 200:
        raise ProviderAway(cause=f"status {status}")
    try:
        found = json.loads(content)
    except (ValueError, RecursionError):
        found = None
    if not isinstance(found, dict):
        raise ProviderAway(cause="no JSON object")
    return found


def _metadata(said: Mapping[str, Any], issuer: str, *, demo: bool) -> Metadata:
    """Raises ProviderAway. That it names the very issuer that it was asked of shuts out another's (4.3)."""
    if said.get("issuer") != issuer:
        raise ProviderAway(cause="another issuer")
    endpoints = {
        name: str(said.get(name)) for name in ("authorization_endpoint", "token_endpoint", "jwks_uri")
    }
    try:
        for one in endpoints.values():
            target_of(one, demo=demo)
    except UrlNotAllowed:
        raise ProviderAway(cause="endpoint not allowed") from None
    methods = said.get("token_endpoint_auth_methods_supported") or ["client_secret_basic"]
    posted = isinstance(methods, list) and "client_secret_basic" not in methods
    return Metadata(
        issuer=issuer,
        authorization_endpoint=endpoints["authorization_endpoint"],
        token_endpoint=endpoints["token_endpoint"],
        jwks_uri=endpoints["jwks_uri"],
        auth_method="client_secret_post" if posted else "client_secret_basic",
        names_itself=said.get("authorization_response_iss_parameter_supported") is True,
    )


def _remember(memory: dict[str, Any], key: str, value: Any) -> None:
    if len(memory) >= MOST_REMEMBERED:
        memory.pop(next(iter(memory)))
    memory[key] = value
