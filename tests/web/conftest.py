"""One demonstration for all of these tests, and a browser for each module of them.

While a browser is open a loop runs in this thread (playwright's), in which other tests could start none: it
is closed at the end of the module, so that tests may follow in any order.

`CONCORDAT_DEMO=.run/demo.json` uses a demonstration that runs already; it is changed by the tests.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser

from tests.checks.ground import Ground
from tests.web.browsing import CHROMIUM, Person, browser

Sit = Callable[..., Person]


@pytest.fixture(scope="session")
def demo(request: pytest.FixtureRequest) -> dict[str, Any]:
    if not Path(CHROMIUM).exists():
        pytest.skip("Chromium is not installed")
    given = os.environ.get("CONCORDAT_DEMO")
    if given:
        found: dict[str, Any] = json.loads(Path(given).read_text(encoding="utf-8"))
        return found
    on: Ground = request.getfixturevalue("demonstration")
    return on.document


@pytest.fixture(scope="module")
def chromium(demo: dict[str, Any]) -> Iterator[Browser]:
    with browser() as started:
        yield started


@pytest.fixture
def sit(chromium: Browser, demo: dict[str, Any]) -> Iterator[Sit]:
    """`sit("p.marsh")`: somebody, logged in, before a browser. Afterwards no browser has complained."""
    seated: list[Person] = []

    def sit(username: str, **options: Any) -> Person:
        person = Person(chromium, demo, username, **options)
        seated.append(person)
        return person.log_in() if username else person

    yield sit
    complaints = [complaint for person in seated for complaint in person.complaints]
    for person in seated:
        person.close()
    assert complaints == []
