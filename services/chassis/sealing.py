"""Sealed message bodies: only the two services that talk can read, make or replay one.

Each service has an X25519 key pair. A process takes a random salt at start and derives, per peer and
direction, one AES-256-GCM key by HKDF-SHA256 (RFC 5869) from the static shared secret and that salt, so that
its message counter can be the nonce (NIST SP 800-38D: a nonce is never used twice with one key). The
associated data binds a body to its method, correlation id, reply address and deadline. There is no forward
secrecy: whoever takes a private key AND recorded the broker's traffic can read it, until then.

    1 byte version | 1 byte length, sender | 4 bytes sender's key | 4 bytes receiver's key | 16 bytes salt
    | 8 bytes counter | 8 bytes deadline, unix milliseconds | ciphertext and tag
"""

from __future__ import annotations

import itertools
import os
import weakref
from collections import OrderedDict
from dataclasses import dataclass
from pathlib import Path
from struct import Struct

import msgspec
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from services.chassis.keyfolder import KID_SIZE, KeyFolder
from services.contracts.errors import Unauthenticated, UnknownService

VERSION = 1
CONTENT_TYPE = "application/vnd.concordat.sealed"
SALT_SIZE = 16
SENDERS_KEPT = 256
"""Processes of one peer whose keys are kept derived, the last heard of."""
_TAIL = Struct(">QQ")  # counter, deadline


class Opened(msgspec.Struct, frozen=True):
    """A body that came from `sender` unaltered. `deadline` is unix milliseconds."""

    sender: str
    deadline: int
    body: bytes


@dataclass(frozen=True, slots=True)
class _Way:
    """The sending direction to one peer: everything that is the same in each message."""

    prefix: bytes
    cipher: AESGCM


class Keyring:
    """Seals for and opens from peers, with the keys of one service's folder. One per process."""

    def __init__(self, folder: Path, name: str) -> None:
        self.name = name
        self._keys = KeyFolder(folder, name)
        self._begin()
        own = weakref.WeakMethod(self._begin)
        os.register_at_fork(after_in_child=lambda: (begin := own()) and begin())
        self._in: dict[str, OrderedDict[bytes, tuple[float, AESGCM]]] = {}
        self._secrets: dict[tuple[str, str, str], bytes] = {}
        self._shared_lists: dict[tuple[str, str], tuple[float, list[bytes]]] = {}

    def _begin(self) -> None:
        """A new salt, so new keys, also in a forked child: no two processes may count with the same ones."""
        self._salt = os.urandom(SALT_SIZE)
        self._counter = itertools.count(1)
        self._out: dict[str, tuple[tuple[str, str], _Way]] = {}

    def seal(self, peer: str, body: bytes, deadline: int, context: bytes) -> bytes:
        """Return `body` sealed for `peer`, bound to `context`. Raises UnknownService for a peer without a
        key."""
        way = self._way(peer)
        tail = _TAIL.pack(next(self._counter), deadline)
        head = way.prefix + tail
        return head + way.cipher.encrypt(b"\0\0\0\0" + tail[:8], body, head + context)

    def open(self, sealed: bytes, context: bytes) -> Opened:
        """Return what is in `sealed`. Raises Unauthenticated for what no known peer sealed for this."""
        try:
            sender, head, tail = _parse(sealed)
            prefix = head[: -_TAIL.size]
            found = self._cipher_from(sender, prefix)
            body = found[1].decrypt(b"\0\0\0\0" + tail[:8], sealed[len(head) :], head + context)
        except (InvalidTag, IndexError, TypeError, ValueError, LookupError) as problem:
            raise Unauthenticated(cause=f"sealed body: {type(problem).__name__}") from None
        self._keep(sender, prefix, found)
        return Opened(sender, _TAIL.unpack(tail)[1], body)

    def shared_secrets(self, peer: str, purpose: str) -> list[bytes]:
        """Every 32-byte secret that this service now shares with `peer` for `purpose`, the one to use
        first. Worked out anew whenever the keys may be others."""
        until = self._keys.settled_until()
        known = self._shared_lists.get((peer, purpose))
        if known is not None and known[0] == until:
            return known[1]
        found = self._shared_now(peer, purpose)
        if len(self._shared_lists) >= SENDERS_KEPT:
            self._shared_lists.clear()
        self._shared_lists[peer, purpose] = (until, found)
        return found

    def _shared_now(self, peer: str, purpose: str) -> list[bytes]:
        return [
            self._shared(
                own_kid, private, peer_kid, public, f"{purpose}|{'|'.join(sorted((self.name, peer)))}"
            )
            for own_kid, private in self._keys.own_private_keys()
            for peer_kid, public in self._keys.public_keys(peer)
        ]

    def _shared(
        self, own_kid: str, private: X25519PrivateKey, peer_kid: str, public: X25519PublicKey, info: str
    ) -> bytes:
        """An exchange costs as much as a small call, and there are few keys."""
        known = (own_kid, peer_kid, info)
        secret = self._secrets.get(known)
        if secret is None:
            if len(self._secrets) >= SENDERS_KEPT:
                self._secrets.clear()
            secret = self._secrets[known] = _derive(private.exchange(public), b"", info.encode())
        return secret

    def _way(self, peer: str) -> _Way:
        try:
            own_kid, private = self._keys.own_current()
            peer_kid, public = self._keys.current(peer)
        except LookupError:
            raise UnknownService(cause="no key for the peer") from None
        cached = self._out.get(peer)
        if cached is not None and cached[0] == (own_kid, peer_kid):
            return cached[1]
        prefix = _prefix(self.name, own_kid, peer_kid, self._salt)
        way = _Way(prefix, _cipher(private, public, self.name, peer, self._salt))
        self._out[peer] = (own_kid, peer_kid), way
        return way

    def _cipher_from(self, sender: str, prefix: bytes) -> tuple[float, AESGCM]:
        """The cipher, and until when its keys need no second look: one past its time opens nothing."""
        until = self._keys.settled_until()
        kept = self._in.get(sender)
        known = None if kept is None else kept.get(prefix)
        if known is not None and known[0] == until:
            return known
        senders_kid, own_kid = _kids(prefix)
        private, public = self._keys.own_private(own_kid), self._keys.public(sender, senders_kid)
        if known is not None:
            return until, known[1]
        return until, _cipher(private, public, sender, self.name, prefix[-SALT_SIZE:])

    def _keep(self, sender: str, prefix: bytes, found: tuple[float, AESGCM]) -> None:
        """Only what opened a message is kept, and each peer has its own share: nobody displaces another's
        keys."""
        kept = self._in.setdefault(sender, OrderedDict())
        kept[prefix] = found
        kept.move_to_end(prefix)
        if len(kept) > SENDERS_KEPT:
            kept.popitem(last=False)


def _prefix(sender: str, senders_kid: str, receivers_kid: str, salt: bytes) -> bytes:
    name = sender.encode()
    return (
        bytes((VERSION, len(name))) + name + bytes.fromhex(senders_kid) + bytes.fromhex(receivers_kid) + salt
    )


def _parse(sealed: bytes) -> tuple[str, bytes, bytes]:
    """The sender, all that comes before the ciphertext, and of that the counter and the deadline."""
    if sealed[0] != VERSION:
        raise ValueError("version")
    kids = 2 + sealed[1]
    end = kids + 2 * KID_SIZE + SALT_SIZE + _TAIL.size
    if len(sealed) < end + 16:
        raise ValueError("length")
    return sealed[2:kids].decode("ascii"), sealed[:end], sealed[end - _TAIL.size : end]


def _kids(prefix: bytes) -> tuple[str, str]:
    """The sender's and the receiver's."""
    kids = prefix[2 + prefix[1] : -SALT_SIZE]
    return kids[:KID_SIZE].hex(), kids[KID_SIZE:].hex()


def _cipher(
    private: X25519PrivateKey, public: X25519PublicKey, sender: str, receiver: str, salt: bytes
) -> AESGCM:
    return AESGCM(_derive(private.exchange(public), salt, f"concordat sealed 1|{sender}|{receiver}".encode()))


def _derive(secret: bytes, salt: bytes, info: bytes) -> bytes:
    return HKDF(SHA256(), 32, salt, info).derive(secret)
