"""How a request shows its session: a bearer token, or the session cookie and proof that our page sent it.

Nothing here knows whether a session holds: `sharing.identify` judges that, for every request.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Sequence
from dataclasses import dataclass
from ipaddress import IPv4Network, IPv6Network, ip_address
from urllib.parse import urlsplit

import falcon.asgi
from pydantic import ValidationError

from services.contracts.authority import DeviceProof
from services.contracts.errors import CsrfRequired, Unauthenticated

SAFE = frozenset({"GET", "HEAD", "OPTIONS"})
CSRF_HEADER = "X-CSRF-Token"
_LONGEST = 512
_DEVICE_SECONDS = 400 * 86400
"""As long as browsers keep any cookie (RFC 6265bis, 5.5)."""
_SIGN_IN_SECONDS = 600
Network = IPv4Network | IPv6Network


@dataclass(frozen=True, slots=True)
class Place:
    """Where a request comes from, as far as anything but its own word says so."""

    address: str | None = None
    device: DeviceProof | None = None


class Sessions:
    """Reads tokens, makes and checks CSRF tokens, sets the cookie. One per gateway.

    `secure`: browsers reach us over https, so the cookie is `__Host-concordat`; else (this machine only) it
    is `concordat`. `origins` are further names under which browsers know us, as `https://host[:port]`.
    """

    def __init__(
        self, *, secure: bool, origins: Sequence[str] = (), trusted_proxies: Sequence[Network] = ()
    ) -> None:
        self.secure = secure
        self.cookie = "__Host-concordat" if secure else "concordat"
        self.device_cookie = f"{self.cookie}-device"
        self.sign_in_cookie = f"{self.cookie}-sign-in"
        self.public = origins[0].rstrip("/") if origins else None
        self._origins = frozenset(origin.rstrip("/").lower() for origin in origins)
        self._proxies = tuple(trusted_proxies)

    def token(self, req: falcon.asgi.Request) -> str:
        """The session's token. Raises Unauthenticated without one; CsrfRequired for a cookie on a request
        that may change something and does not prove that it comes from our own page."""
        given = req.get_header("Authorization")
        if given is not None:
            scheme, _, token = given.partition(" ")
            return _usable(token.strip() if scheme.lower() == "bearer" else "")
        token = _usable(self.cookie_token(req) or "")
        if req.method not in SAFE and not self.proved(req, token):
            raise CsrfRequired
        return token

    def cookie_token(self, req: falcon.asgi.Request) -> str | None:
        """What the session cookie holds, if there is exactly one."""
        found = req.get_cookie_values(self.cookie) or []
        return found[0] if len(found) == 1 else None

    def proved(self, req: falcon.asgi.Request, token: str) -> bool:
        """Whether the request carries the session's CSRF token, or comes from our own origin."""
        if getattr(req.context, "csrf_proved", False):
            return True
        given = req.get_header(CSRF_HEADER)
        if given is not None:
            return self.matches(token, given)
        return self.same_origin(req)

    def prove(self, req: falcon.asgi.Request, given: str) -> None:
        """For a form: take the CSRF token from its field. Raises CsrfRequired unless it is the session's or
        the form comes from our own origin."""
        token = self.cookie_token(req)
        if not (token is not None and self.matches(token, given)) and not self.same_origin(req):
            raise CsrfRequired
        req.context.csrf_proved = True

    @staticmethod
    def csrf(token: str) -> str:
        """The CSRF token of a session: whoever knows it knows the session or was given it by our page."""
        return hmac.digest(token.encode(), b"concordat csrf 1", "sha256").hex()

    def matches(self, token: str, given: str) -> bool:
        """Whether `given` is the CSRF token of the session."""
        return hmac.compare_digest(self.csrf(token).encode(), given.encode("utf-8", "replace"))

    def same_origin(self, req: falcon.asgi.Request) -> bool:
        """What the browser itself says of where the request comes from: no page can forge these headers."""
        origin = req.get_header("Origin")
        if origin is not None:
            return origin.lower() in self._origins or origin.lower() == self._own_origin(req)
        return req.get_header("Sec-Fetch-Site") == "same-origin"

    def address(self, req: falcon.asgi.Request) -> str | None:
        """The client's address: the last one in X-Forwarded-For that is not a configured proxy's."""
        address = _peer(req)
        if not self._proxies or address is None:
            return address
        hops = [hop.strip() for hop in (req.get_header("X-Forwarded-For") or "").split(",") if hop.strip()]
        while hops and self._is_proxy(address):
            if not _is_address(hops[-1]):
                break
            address = hops.pop()
        return address

    def place(self, req: falcon.asgi.Request) -> Place:
        """For `sharing` to judge: nothing here knows whether the device is enrolled."""
        return Place(self.address(req), self._device(req))

    def _device(self, req: falcon.asgi.Request) -> DeviceProof | None:
        """Of the device cookie; None for what never was one."""
        found = req.get_cookie_values(self.device_cookie) or []
        device_id, dot, secret = (found[0] if len(found) == 1 else "").partition(".")
        if not dot or not 32 <= len(secret) <= 128:
            return None
        try:
            return DeviceProof(id=device_id, hash=hash_secret(secret))
        except ValidationError:
            return None

    def set_device(self, resp: falcon.asgi.Response, device_id: str, secret: str) -> None:
        """It outlives sessions and the browser's own end; no other site's page makes a browser send it."""
        resp.set_cookie(
            self.device_cookie,
            f"{device_id}.{secret}",
            max_age=_DEVICE_SECONDS,
            secure=self.secure,
            http_only=True,
            same_site="Strict",
            path="/",
        )

    def held_sign_in(self, req: falcon.asgi.Request) -> str:
        """What binds a sign-in by an agency's provider to the browser that began it; empty for none."""
        found = req.get_cookie_values(self.sign_in_cookie) or []
        return found[0] if len(found) == 1 else ""

    def set_sign_in(self, resp: falcon.asgi.Response, held: str) -> None:
        """It has to come along when the provider's page leads back here: so Lax, and for ten minutes. An
        empty one takes it away."""
        resp.set_cookie(
            self.sign_in_cookie,
            held,
            max_age=_SIGN_IN_SECONDS if held else 0,
            secure=self.secure,
            http_only=True,
            same_site="Lax",
            path="/",
        )

    def set_cookie(self, resp: falcon.asgi.Response, token: str) -> None:
        """A cookie that ends with the browser; the session itself ends earlier, on the server."""
        resp.set_cookie(self.cookie, token, secure=self.secure, http_only=True, same_site="Lax", path="/")

    def clear_cookie(self, resp: falcon.asgi.Response) -> None:
        resp.set_cookie(
            self.cookie, "", max_age=0, secure=self.secure, http_only=True, same_site="Lax", path="/"
        )

    def _own_origin(self, req: falcon.asgi.Request) -> str:
        scheme = "https" if self.secure else "http"
        return f"{scheme}://{(req.get_header('Host') or '').lower()}"

    def _is_proxy(self, address: str) -> bool:
        parsed = ip_address(address)
        return any(parsed in network for network in self._proxies)


def _peer(req: falcon.asgi.Request) -> str | None:
    client = req.scope.get("client")
    return client[0] if client and _is_address(client[0]) else None


def _is_address(text: str) -> bool:
    try:
        ip_address(text)
    except ValueError:
        return False
    return True


def hash_secret(secret: str) -> str:
    """What `sharing` keeps of a device's secret, which it never sees: 256 random bits need no slow hash."""
    return hashlib.sha256(f"concordat device|{secret}".encode()).hexdigest()


def _usable(token: str) -> str:
    if not token or len(token) > _LONGEST or not token.isascii() or not token.isprintable():
        raise Unauthenticated
    return token


def origin_of(url: str) -> str:
    """`https://host:port` of a URL."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}".lower()


def command_key(method: str, path: str, given: str) -> str:
    """An Idempotency-Key as services know it: scoped to its route; the giver is added by the service."""
    return hashlib.sha256(f"{method}|{path}|{given}".encode()).hexdigest()
