"""For all tests."""

from __future__ import annotations

import signal

from hypothesis import settings

# Two runs try the same examples, and a busy machine fails none of them.
settings.register_profile("ground", deadline=None, derandomize=True)
settings.load_profile("ground")


def pytest_configure() -> None:
    """A run that is told to end ends like one at Ctrl-C: whatever it started is stopped."""
    signal.signal(signal.SIGTERM, signal.default_int_handler)
