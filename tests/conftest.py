"""For all tests."""

from __future__ import annotations

from hypothesis import settings

# Two runs try the same examples, and a busy machine fails none of them.
settings.register_profile("ground", deadline=None, derandomize=True)
settings.load_profile("ground")
