"""What a process listens on is seen, and told apart from loopback."""

from __future__ import annotations

import os
import socket

import pytest

from deploy.launcher import listeners


@pytest.mark.parametrize(
    ("address", "loopback"), [("127.0.0.1", True), ("0.0.0.0", False), ("::1", True), ("::", False)]
)
def test_a_listener_is_seen_with_its_address(address: str, loopback: bool) -> None:
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    try:
        server = socket.create_server((address, 0), family=family)
    except OSError:
        pytest.skip("no IPv6 on this machine")
    with server:
        port = server.getsockname()[1]
        found = [one for one in listeners.of([os.getpid()]) if one.port == port]
        assert [(one.address, one.loopback) for one in found] == [(address, loopback)]
