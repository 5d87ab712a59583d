"""For all tests."""

from __future__ import annotations

import signal
from collections.abc import Iterator

import pytest
from hypothesis import settings
from xdist.scheduler import LoadFileScheduling

from tests.checks.ground import Ground, ground

# Two runs try the same examples, and a busy machine fails none of them.
settings.register_profile("ground", deadline=None, derandomize=True)
settings.load_profile("ground")


_TOGETHER = {
    "demonstration": ("tests/web/", "tests/integration/test_import.py", "tests/integration/test_main_job.py"),
    "place": ("tests/integration/test_api_",),
}
"""Files that share a fixture which takes half a minute: by its name, how their names begin."""


def _scope(file: str) -> str:
    """What goes to one process as a whole: a file, or all files that share a system."""
    return next((name for name, starts in _TOGETHER.items() if file.startswith(starts)), file)


class _BySystem(LoadFileScheduling):  # type: ignore[misc]  # pytest-xdist has no types for it
    def _split_scope(self, nodeid: str) -> str:
        return _scope(nodeid.partition("::")[0])


def pytest_xdist_make_scheduler(config: pytest.Config, log: object) -> LoadFileScheduling:
    return _BySystem(config, log)


def pytest_configure() -> None:
    """A run that is told to end ends like one at Ctrl-C: whatever it started is stopped."""
    signal.signal(signal.SIGTERM, signal.default_int_handler)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The longest first: begun last, it leaves one process with nothing to do."""
    items.sort(key=lambda item: _scope(item.nodeid.partition("::")[0]) not in _TOGETHER)


@pytest.fixture(scope="session")
def demonstration() -> Iterator[Ground]:
    """One for all who leave it able to do the main job: each costs two argon2 hashes a person."""
    with ground() as found:
        yield found
