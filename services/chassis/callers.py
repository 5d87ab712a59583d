"""Verifying who asks: the caller is signed by `sharing` with a secret that only it and this service can
derive."""

from __future__ import annotations

from datetime import UTC, datetime

from services.chassis.formats import Incoming
from services.chassis.sealing import Keyring
from services.contracts.caller import Caller, SignedCaller, hash_arguments, verify
from services.contracts.errors import Unauthenticated

AUTHORITY = "sharing"
PURPOSE = "concordat caller 1"


def vouched(signed: SignedCaller, keyring: Keyring, incoming: Incoming) -> Caller:
    """Return the caller that the authority signed for exactly this request. Raises Unauthenticated."""
    if incoming.call.args or incoming.call.kwargs.keys() - {"request"}:
        raise Unauthenticated(cause="caller: arguments that nobody signed")
    audience, _, method = incoming.route.partition(".")
    call = incoming.call
    args_hash = hash_arguments(bytes(call.kwargs.get("request", b"")), call.key)
    problem: Unauthenticated | None = None
    for secret in keyring.shared_secrets(AUTHORITY, PURPOSE):
        try:
            return verify(
                signed,
                secret,
                audience=audience,
                method=method,
                args_hash=args_hash,
                request_id=call.request_id,
                now=datetime.now(UTC),
            )
        except Unauthenticated as other:
            problem = other
    raise problem or Unauthenticated(cause="caller: no key of the authority")
