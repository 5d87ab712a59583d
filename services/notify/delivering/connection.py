"""One HTTP/1.1 connection to a webhook, to an address that was judged, and with an end to everything.

Opened first and used later: between the two the caller asks whether the push is (still) allowed, and then its
bytes leave at once. No redirect is followed, no proxy is asked, no answer is believed beyond its status.
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
from typing import Self

from services.notify.domain.addresses import Address, Target, allowed_address
from services.notify.domain.delivery import ErrorCode

PATIENCE = 5.0
"""Seconds for each of: connecting, the TLS handshake, the whole answer."""
_MOST_OF_ANSWER = 16 * 1024

Resolve = Callable[[str, int], Sequence[str]]
"""The addresses of a host. Raises OSError."""


class PushFailed(Exception):
    """No answer came."""

    def __init__(self, code: ErrorCode) -> None:
        super().__init__(code)
        self.code = code


class Connection:
    """`with Connection.open(target, resolve) as connection: ...; status = connection.post(body, headers)`."""

    def __init__(self, target: Target, sock: socket.socket) -> None:
        self._target, self._sock = target, sock

    @classmethod
    def open(cls, target: Target, resolve: Resolve) -> Self:
        """Raises PushFailed."""
        sock = _dial(_judged(target, resolve), target.port)
        return cls(target, sock if target.on_this_machine else _secured(sock, target.host))

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, _kind: type[BaseException] | None, _error: BaseException | None, _trace: TracebackType | None
    ) -> None:
        self._sock.close()

    def post(self, body: bytes, headers: Mapping[str, str]) -> int:
        """Send, and return the answer's status. Raises PushFailed."""
        # A receiver that sends a byte now and then never runs into the socket's own timeout.
        guard = threading.Timer(PATIENCE, self._cut)
        guard.daemon = True
        guard.start()
        try:
            return self._exchange(body, headers)
        except TimeoutError:
            raise PushFailed("timeout") from None
        except (OSError, http.client.RemoteDisconnected, http.client.IncompleteRead):
            raise PushFailed("closed") from None
        except (http.client.HTTPException, ValueError):
            raise PushFailed("bad_answer") from None
        finally:
            guard.cancel()

    def _exchange(self, body: bytes, headers: Mapping[str, str]) -> int:
        spoken = http.client.HTTPConnection(self._target.host, self._target.port)
        spoken.sock = self._sock
        spoken.putrequest("POST", self._target.path, skip_host=True, skip_accept_encoding=True)
        whole = {"host": self._target.host_header, **headers}
        whole |= {"content-length": str(len(body)), "connection": "close"}
        for name, value in whole.items():
            spoken.putheader(name, value)
        spoken.endheaders(body)
        answer = spoken.getresponse()
        with suppress(OSError, http.client.HTTPException):  # it has said what it had to say
            answer.read(_MOST_OF_ANSWER)
        return answer.status

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
        raise PushFailed("dns") from None
    if not found:
        raise PushFailed("dns")
    if not all(allowed_address(address) for address in found):
        raise PushFailed("address_not_allowed")
    return found[0]


def _dial(address: Address, port: int) -> socket.socket:
    try:
        return socket.create_connection((str(address), port), timeout=PATIENCE)
    except TimeoutError:
        raise PushFailed("timeout") from None
    except OSError:
        raise PushFailed("connect") from None


def _secured(sock: socket.socket, host: str) -> socket.socket:
    try:
        return _tls().wrap_socket(sock, server_hostname=host)
    except TimeoutError:
        sock.close()
        raise PushFailed("timeout") from None
    except (OSError, ValueError):  # SSLError is an OSError
        sock.close()
        raise PushFailed("tls") from None


@lru_cache(maxsize=1)
def _tls() -> ssl.SSLContext:
    """Reading the machine's certificates takes tens of milliseconds."""
    return ssl.create_default_context()


def addresses_of(host: str, port: int) -> Sequence[str]:
    """Ask the machine's resolver. Blocks: to be run off the hub."""
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(where[0]) for *_, where in found))
