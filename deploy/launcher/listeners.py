"""On which addresses the processes of a cell accept connections, from /proc (as `ss -ltnp` shows it)."""

from __future__ import annotations

import ipaddress
import os
import re
from collections.abc import Iterable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

PROC = Path("/proc")

_LISTEN = "0A"
_SOCKET = re.compile(r"socket:\[(\d+)\]")


class Listener(NamedTuple):
    pid: int
    address: str
    port: int

    @property
    def loopback(self) -> bool:
        return ipaddress.ip_address(self.address).is_loopback


def of(pids: Iterable[int]) -> list[Listener]:
    """What these processes listen on. Those of other users cannot be seen."""
    owners = {inode: pid for pid in pids for inode in _sockets(pid)}
    return [
        Listener(owners[inode], address, port) for inode, address, port in _listening() if inode in owners
    ]


def _sockets(pid: int) -> Iterator[str]:
    with suppress(OSError):
        for descriptor in (PROC / str(pid) / "fd").iterdir():
            with suppress(OSError):
                if inode := _SOCKET.fullmatch(os.readlink(descriptor)):
                    yield inode[1]


def _listening() -> Iterator[tuple[str, str, int]]:
    for table in ("tcp", "tcp6"):
        with suppress(OSError):
            for line in (PROC / "net" / table).read_text().splitlines()[1:]:
                fields = line.split()
                if fields[3] == _LISTEN:
                    address, _, port = fields[1].partition(":")
                    yield fields[9], _readable(address), int(port, 16)


def _readable(address: str) -> str:
    """The kernel writes 32-bit words in the machine's byte order."""
    words = [bytes.fromhex(address[at : at + 8])[::-1] for at in range(0, len(address), 8)]
    return str(ipaddress.ip_address(b"".join(words)))
