"""One HTTP/1.1 connection out of the house, to an address that was judged, and with an end to everything.

Opened first and used later: between the two the caller may ask whether it is (still) allowed, and then its
bytes leave at once. No redirect is followed, no proxy is asked, and no more of an answer is read than was
asked for.
"""

from __future__ import annotations

import http.client
import socket
import ssl
import threading
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from functools import lru_cache
from ipaddress import ip_address
from types import TracebackType
from typing import Literal, Self, TypeVar

from services.chassis.addresses import Address, Target, allowed_address

PATIENCE = 5.0
"""Seconds for each of: connecting, the TLS handshake, the whole answer."""
_MOST_OF_ANSWER = 16 * 1024

Resolve = Callable[[str, int], Sequence[str]]
"""The addresses of a host. Raises OSError."""
Failure = Literal["dns", "address_not_allowed", "connect", "tls", "timeout", "closed", "bad_answer"]
Read = TypeVar("Read")


class NotReached(Exception):
    """No answer came, or none that can be taken."""

    def __init__(self, code: Failure) -> None:
        super().__init__(code)
        self.code = code


class Connection:
    """`with Connection.open(target, resolve) as connection: ...; status = connection.post(body, headers)`."""

    def __init__(self, target: Target, sock: socket.socket, patience: float) -> None:
        self._target, self._sock, self._patience = target, sock, patience

    @classmethod
    def open(cls, target: Target, resolve: Resolve, patience: float | None = None) -> Self:
        """`patience`: seconds for each step, PATIENCE without. Raises NotReached."""
        seconds = PATIENCE if patience is None else patience
        sock = _dial(_judged(target, resolve), target.port, seconds)
        return cls(target, sock if target.on_this_machine else _secured(sock, target.host), seconds)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, _kind: type[BaseException] | None, _error: BaseException | None, _trace: TracebackType | None
    ) -> None:
        self._sock.close()

    def post(self, body: bytes, headers: Mapping[str, str]) -> int:
        """Send, and return the answer's status, whatever its body is. Raises NotReached."""

        def status(answer: http.client.HTTPResponse) -> int:
            with suppress(OSError, http.client.HTTPException):  # it has said what it had to say
                answer.read(_MOST_OF_ANSWER)
            return answer.status

        return self._guarded("POST", body, headers, status)

    def ask(
        self, method: Literal["GET", "POST"], body: bytes | None, headers: Mapping[str, str], most: int
    ) -> tuple[int, bytes]:
        """Send, and return the answer's status and whole body. Raises NotReached, also for a body of more
        than `most` bytes: half of it would be worse than none."""

        def whole(answer: http.client.HTTPResponse) -> tuple[int, bytes]:
            content = answer.read(most + 1)
            if len(content) > most:
                raise NotReached("bad_answer")
            return answer.status, content

        return self._guarded(method, body, headers, whole)

    def _guarded(
        self,
        method: str,
        body: bytes | None,
        headers: Mapping[str, str],
        read: Callable[[http.client.HTTPResponse], Read],
    ) -> Read:
        # A receiver that sends a byte now and then never runs into the socket's own timeout.
        guard = threading.Timer(self._patience, self._cut)
        guard.daemon = True
        guard.start()
        try:
            return read(self._exchange(method, body, headers))
        except TimeoutError:
            raise NotReached("timeout") from None
        except (OSError, http.client.RemoteDisconnected, http.client.IncompleteRead):
            raise NotReached("closed") from None
        except (http.client.HTTPException, ValueError):
            raise NotReached("bad_answer") from None
        finally:
            guard.cancel()

    def _exchange(
        self, method: str, body: bytes | None, headers: Mapping[str, str]
    ) -> http.client.HTTPResponse:
        spoken = http.client.HTTPConnection(self._target.host, self._target.port)
        spoken.sock = self._sock
        spoken.putrequest(method, self._target.path, skip_host=True, skip_accept_encoding=True)
        whole = {"host": self._target.host_header, **headers, "connection": "close"}
        if body is not None:
            whole["content-length"] = str(len(body))
        for name, value in whole.items():
            spoken.putheader(name, value)
        spoken.endheaders(body)
        return spoken.getresponse()

    def _cut(self) -> None:
        with suppress(OSError):
            self._sock.shutdown(socket.SHUT_RDWR)


def _judged(target: Target, resolve: Resolve) -> Address:
    """The address to connect to: every one that the name has must be public, or none is used."""
    if target.address is not None:
        return target.address
    try:
        found = [ip_address(text) for text in resolve(target.host, target.port)]
    except (OSError, ValueError):
        raise NotReached("dns") from None
    if not found:
        raise NotReached("dns")
    if not all(allowed_address(address) for address in found):
        raise NotReached("address_not_allowed")
    return found[0]


def _dial(address: Address, port: int, patience: float) -> socket.socket:
    try:
        return socket.create_connection((str(address), port), timeout=patience)
    except TimeoutError:
        raise NotReached("timeout") from None
    except OSError:
        raise NotReached("connect") from None


def _secured(sock: socket.socket, host: str) -> socket.socket:
    try:
        return _tls().wrap_socket(sock, server_hostname=host)
    except TimeoutError:
        sock.close()
        raise NotReached("timeout") from None
    except (OSError, ValueError):  # SSLError is an OSError
        sock.close()
        raise NotReached("tls") from None


@lru_cache(maxsize=1)
def _tls() -> ssl.SSLContext:
    """Reading the machine's certificates takes tens of milliseconds."""
    return ssl.create_default_context()


def addresses_of(host: str, port: int) -> Sequence[str]:
    """Ask the machine's resolver. Blocks: to be run off the hub."""
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(where[0]) for *_, where in found))
