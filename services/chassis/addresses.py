"""Where we call out to when somebody outside names the address: https to a public one; in a demo also this
machine, literally, on a high port.

What a name resolves to is judged again at each call, by `allowed_address`, and the call goes to the very
address that was judged: a name that changes its mind in between reaches nothing of ours (SSRF; OWASP).
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address
from urllib.parse import urlsplit

from services.contracts.errors import FieldError, UrlNotAllowed

_PRINTABLE = re.compile(r"[!-~]+")
_DEMO = re.compile(r"http://127\.0\.0\.1:([1-9][0-9]{3,4})(?:[/?][!-~]*)?")
_LABEL = re.compile(r"(?!-)[a-z0-9-]{1,63}(?<!-)")
# Names that are never public (RFC 6761, RFC 6762, RFC 8375, RFC 9476), and what clouds call their own.
_PRIVATE_ENDINGS = ("localhost", "local", "internal", "intranet", "lan", "home", "corp", "arpa", "alt")
_PRIVATE_ENDINGS_TESTS = ("test", "invalid", "onion")
_NAT64 = (IPv6Network("64:ff9b::/96"), IPv6Network("64:ff9b:1::/48"))
Address = IPv4Address | IPv6Address


@dataclass(frozen=True, slots=True)
class Target:
    """A URL, taken apart. `address` is set when its host is one, and then nothing is resolved."""

    scheme: str
    host: str
    port: int
    path: str
    address: Address | None

    @property
    def on_this_machine(self) -> bool:
        """Let through by the demo's exception."""
        return self.scheme == "http"

    @property
    def host_header(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        usual = {"https": 443, "http": 80}[self.scheme]
        return host if self.port == usual else f"{host}:{self.port}"


def target_of(url: str, *, demo: bool, pointer: str = "/url") -> Target:
    """Raises UrlNotAllowed, which points to where the URL was named."""
    target = _demo_target(url) if demo else None
    target = target or _public_target(url)
    if target is None:
        raise UrlNotAllowed(
            errors=(FieldError(pointer, "url_not_allowed", "The address is not https, or not public."),)
        )
    return target


def allowed_address(address: Address) -> bool:
    """Public unicast, whichever way it is written: not private, loopback, link-local, shared, reserved."""
    if isinstance(address, IPv6Address):
        inner = address.ipv4_mapped or address.sixtofour
        if inner is not None:
            return allowed_address(inner)
        if address.teredo is not None or any(address in net for net in _NAT64) or address.is_site_local:
            return False
    return address.is_global and not (address.is_multicast or address.is_reserved or address.is_unspecified)


def _demo_target(url: str) -> Target | None:
    found = _DEMO.fullmatch(url)
    if found is None or not 1024 <= int(found[1]) <= 65535 or "#" in url or "\\" in url:
        return None
    return Target("http", "127.0.0.1", int(found[1]), _path(url), IPv4Address("127.0.0.1"))


def _public_target(url: str) -> Target | None:
    if not _PRINTABLE.fullmatch(url) or "\\" in url or "#" in url:
        return None
    try:
        parts = urlsplit(url)
        host, port = parts.hostname or "", parts.port
    except ValueError:
        return None
    if parts.scheme != "https" or "@" in parts.netloc or port == 0 or parts.netloc.endswith(":"):
        return None
    address = _address(host)
    fine = allowed_address(address) if address is not None else _public_name(host)
    return Target("https", host, port or 443, _path(url), address) if fine else None


def _address(host: str) -> Address | None:
    try:
        return ip_address(host)
    except ValueError:
        return None


def _public_name(host: str) -> bool:
    """A full name in ASCII. Not what some resolvers take for a number: 127.1, 0x7f000001, 2130706433."""
    labels = host.removesuffix(".").split(".")
    if len(host) > 253 or len(labels) < 2 or not all(_LABEL.fullmatch(label) for label in labels):
        return False
    last = labels[-1]
    if last[0].isdigit():  # WHATWG URL, "ends in a number"; no top-level domain begins with a digit
        return False
    return last not in _PRIVATE_ENDINGS + _PRIVATE_ENDINGS_TESTS


def _path(url: str) -> str:
    parts = urlsplit(url)
    return (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
