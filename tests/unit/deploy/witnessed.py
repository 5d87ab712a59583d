"""Logs as a witness is shown them: honest, forked, rolled back, signed with other keys."""

from __future__ import annotations

import base64
from collections.abc import Sequence

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from deploy.witness.notes import LogKey
from deploy.witness.watching import Unproved
from services.audit.domain import merkle
from services.audit.domain.notes import Signer, Statement
from tests.unit.audit.logs import ORIGIN, signer, tree_of


class ShownLog:
    """The log's API over leaves in memory. `leaves` is what it proves from."""

    def __init__(self, leaves: Sequence[bytes] = (), by: Signer | None = None) -> None:
        self.leaves, self.signer = list(leaves), by or signer()
        self.published: list[str] = []
        self.note: str | None = None

    def grow(self, count: int, salt: str = "") -> None:
        begin = len(self.leaves)
        self.leaves += [f"{salt}{number}".encode() for number in range(begin, begin + count)]

    def latest(self) -> str:
        if self.note is not None:
            return self.note
        tree, _ = tree_of(self.leaves)
        return self.signer.sign(str(Statement(ORIGIN, tree.size, tree.root)))

    def consistency(self, since: int, until: int) -> list[str]:
        if until > len(self.leaves):
            raise Unproved
        return [base64.b64encode(one).decode() for one in consistency(self.leaves, since, until)]

    def publish(self, note: str, verifier_key: str) -> None:
        self.published.append(note)


def consistency(leaves: Sequence[bytes], since: int, until: int) -> list[bytes]:
    _, read = tree_of(leaves[:until])
    return merkle.hashes(merkle.consistency(since, until), read)


def inclusion(leaves: Sequence[bytes], index: int) -> list[bytes]:
    _, read = tree_of(leaves)
    return merkle.hashes(merkle.inclusion(index, len(leaves)), read)


def other_signer(*older: Ed25519PrivateKey) -> Signer:
    return Signer(ORIGIN, Ed25519PrivateKey.from_private_bytes(bytes([7]) * 32), older)


def keys(*signers: Signer) -> list[LogKey]:
    return [LogKey.read(str(one.verifier)) for one in (signers or (signer(),))]
