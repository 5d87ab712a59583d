"""Load over HTTP/1.1 with as little of its own as can be: the machine's cores are for the system under it."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from urllib.parse import urlsplit

MakeRequest = Callable[[int], bytes]
"""The bytes of the nth request."""


@dataclass
class Answers:
    """How a stretch of load went: seconds of each answer, and how many were not as they should be."""

    seconds: list[float] = field(default_factory=list)
    wrong: int = 0
    statuses: dict[int, int] = field(default_factory=dict)
    took: float = 0.0
    bodies: list[bytes] = field(default_factory=list)

    @property
    def rate(self) -> float:
        """Right answers a second."""
        return len(self.seconds) / self.took if self.took else 0.0

    def percentile(self, share: float) -> float:
        """Milliseconds within which `share` of the answers came."""
        ranked = sorted(self.seconds)
        return ranked[min(len(ranked) - 1, int(share * len(ranked)))] * 1000 if ranked else 0.0


def request(method: str, path: str, headers: Mapping[str, str], body: bytes = b"") -> bytes:
    """An HTTP/1.1 request to this machine."""
    lines = [f"{method} {path} HTTP/1.1", "Host: 127.0.0.1"]
    lines += [f"{name}: {value}" for name, value in headers.items()]
    if body or method in {"POST", "PUT", "PATCH"}:
        lines += ["Content-Type: application/json", f"Content-Length: {len(body)}"]
    return "\r\n".join([*lines, "", ""]).encode() + body


def run(
    url: str, make: MakeRequest, *, clients: int, seconds: float, limit: int | None = None, keep: bool = False
) -> Answers:
    """Load for `seconds`, or `limit` requests, from `clients` connections that wait for each answer."""
    return asyncio.run(_run(url, make, clients=clients, seconds=seconds, limit=limit, keep=keep))


async def _run(
    url: str, make: MakeRequest, *, clients: int, seconds: float, limit: int | None, keep: bool
) -> Answers:
    found, place = Answers(), urlsplit(url)
    numbers = iter(range(limit if limit is not None else 1 << 62))
    began = time.perf_counter()
    until = began + seconds

    async def client() -> None:
        reader, writer = await asyncio.open_connection(place.hostname, place.port, limit=1 << 22)
        try:
            while time.perf_counter() < until and (number := next(numbers, None)) is not None:
                sent = time.perf_counter()
                writer.write(make(number))
                status, body = await _answer(reader)
                if status < 300:
                    found.seconds.append(time.perf_counter() - sent)
                    if keep:
                        found.bodies.append(body)
                else:
                    found.wrong += 1
                found.statuses[status] = found.statuses.get(status, 0) + 1
        finally:
            writer.close()

    await asyncio.gather(*(client() for _ in range(clients)))
    found.took = time.perf_counter() - began
    return found


async def _answer(reader: asyncio.StreamReader) -> tuple[int, bytes]:
    head = await reader.readuntil(b"\r\n\r\n")
    lines = head.lower().split(b"\r\n")
    status, length = int(lines[0].split()[1]), 0
    for line in lines[1:]:
        if line.startswith(b"content-length:"):
            length = int(line[15:])
        elif line.startswith(b"transfer-encoding:"):
            return status, await _chunks(reader)
    return status, await reader.readexactly(length) if length else b""


async def _chunks(reader: asyncio.StreamReader) -> bytes:
    body = b""
    while size := int((await reader.readline()).strip(), 16):
        body += await reader.readexactly(size)
        await reader.readexactly(2)
    await reader.readline()
    return body
