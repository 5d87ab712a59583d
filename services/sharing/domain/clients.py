"""Clients: an agency's own systems (R55), and from where they may come."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from ipaddress import IPv4Network, IPv6Network, ip_address, ip_network
from typing import Literal

from services.contracts.errors import FieldError, Invalid
from services.contracts.vocabulary import Scope

SECRETS_KEPT = 3
_NARROW = {4: 16, 6: 48}
"""Bits of the prefix by which a network is one organisation's: half of the Internet proves nothing."""


@dataclass(frozen=True, slots=True)
class Secret:
    """`until` None: the present one."""

    hash: str
    until: datetime | None


@dataclass(frozen=True, slots=True)
class Client:
    id: str
    agency_id: str
    name: str
    accountable_user_id: str
    scopes: tuple[Scope, ...]
    networks: tuple[str, ...]
    expires_at: datetime
    state: Literal["active", "deleted"]
    version: int
    created_at: datetime
    updated_at: datetime

    def alive(self, now: datetime) -> bool:
        return self.state == "active" and now < self.expires_at


def from_here(networks: Sequence[str], address: str | None) -> bool:
    """Whether `address` lies in one of the networks; without networks from anywhere, else never unknown."""
    return not networks or lies_in([ip_network(one) for one in networks], address)


def narrow(networks: Sequence[str]) -> bool:
    """Whether there are networks and each is small enough to say something of who comes from it."""
    found = [ip_network(one) for one in networks]
    return bool(found) and all(one.prefixlen >= _NARROW[one.version] for one in found)


def lies_in(networks: Iterable[IPv4Network | IPv6Network], address: str | None) -> bool:
    """An address that is not known lies nowhere."""
    try:
        found = ip_address(address or "")
    except ValueError:
        return False
    mapped = getattr(found, "ipv4_mapped", None)
    return any((mapped or found) in one for one in networks)


def check_networks(networks: Iterable[str]) -> tuple[str, ...]:
    """In their canonical form. Raises Invalid, `/networks/<n>`."""
    kept, errors = [], []
    for number, one in enumerate(networks):
        try:
            kept.append(str(ip_network(one)))
        except ValueError:
            errors.append(FieldError(f"/networks/{number}", "wrong_form", "This is no network (CIDR)."))
    if errors:
        raise Invalid(errors=tuple(errors))
    return tuple(kept)


def check_expiry(expires_at: datetime, now: datetime) -> None:
    """Raises Invalid."""
    if expires_at <= now:
        raise Invalid(errors=(FieldError("/expires_at", "in_the_past", "It would be over already."),))


def provisions(scopes: Sequence[Scope]) -> bool:
    """It disables the accounts of who leaves (SCIM)."""
    return "provisioning" in scopes


def check_scopes(scopes: Sequence[Scope]) -> None:
    """Raises Invalid: what disables accounts reads no case, and what reads cases disables no accounts."""
    if "provisioning" in scopes and len(set(scopes)) > 1:
        text = "A system that provisions does nothing else."
        raise Invalid(errors=(FieldError("/scopes", "provisioning_alone", text),))


def rotated(secrets: Sequence[Secret], new: str, former_until: datetime, now: datetime) -> tuple[Secret, ...]:
    """The secrets after a rotation: the new one first, the former ones until `former_until` at the latest."""
    former = [Secret(one.hash, min(one.until or former_until, former_until)) for one in secrets]
    alive = [one for one in former if one.until is not None and one.until > now]
    return (Secret(new, None), *alive)[:SECRETS_KEPT]


def usable(secrets: Iterable[Secret], now: datetime) -> list[Secret]:
    return [one for one in secrets if one.until is None or now < one.until]
