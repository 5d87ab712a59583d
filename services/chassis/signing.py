"""Vouching for callers: what the authority alone does. `callers.py` is the other end."""

from __future__ import annotations

from nameko.extensions import DependencyProvider

from services.chassis.bus import Bus
from services.chassis.callers import PURPOSE
from services.chassis.sealing import Keyring
from services.contracts.caller import Caller, SignedCaller, sign
from services.contracts.errors import UnknownService


class Vouch:
    """Signs callers, each with the key that this service shares with the audience."""

    def __init__(self, keyring: Keyring) -> None:
        self._keyring = keyring

    def sign(self, caller: Caller) -> SignedCaller:
        """`caller`, believed by its audience and by nobody else. Raises UnknownService."""
        try:
            secret = self._keyring.shared_secrets(caller.audience, PURPOSE)[0]
        except (IndexError, LookupError):
            raise UnknownService(cause="no key for the audience") from None
        return sign(caller, secret)


class Vouching(DependencyProvider):  # type: ignore[misc]
    """Gives the authority its `Vouch`."""

    bus = Bus()

    def setup(self) -> None:
        self._vouch = Vouch(self.bus.keyring)

    def get_dependency(self, worker_ctx: object) -> Vouch:
        return self._vouch
