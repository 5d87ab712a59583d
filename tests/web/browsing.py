"""Browsers and the people who sit before them."""

from __future__ import annotations

import contextlib
import os
import re
from collections.abc import Iterator
from typing import Any

from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright

CHROMIUM = os.environ.get("CHROMIUM", "/usr/bin/chromium")
_ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-dev-shm-usage",
]
PATIENCE = 20_000
"""Milliseconds that a page may take on a busy machine."""
_TRIES = 5
_BUSY = "A part of the system is not available at the moment"
"""What a page says on a machine that is so busy that nobody answers in time."""


@contextlib.contextmanager
def browser() -> Iterator[Browser]:
    """One Chromium; each person gets a context, which shares nothing with the others."""
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=CHROMIUM, args=_ARGUMENTS)
        try:
            yield chromium
        finally:
            chromium.close()


class Person:
    """Somebody with a browser, logged in or not. What the browser complains of is kept in `complaints`."""

    def __init__(
        self,
        chromium: Browser,
        demo: dict[str, Any],
        username: str,
        *,
        scripts: bool = True,
        width: int = 1280,
    ) -> None:
        self.demo, self.username = demo, username
        self.url: str = demo["base_url"]
        self.context: BrowserContext = chromium.new_context(
            java_script_enabled=scripts,
            viewport={"width": width, "height": 800},
            base_url=self.url,
            locale="en-GB",
            timezone_id="Europe/London",
        )
        self.context.set_default_timeout(PATIENCE)
        self.page: Page = self.context.new_page()
        self.complaints: list[str] = []
        self.page.on("console", self._hear)
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))

    def _hear(self, message: Any) -> None:
        # A refusal is an answer, and a lost connection is what a test wanted: the browser says both here.
        if message.type == "error" and not message.text.startswith("Failed to load resource"):
            self.complaints.append(message.text)

    @property
    def account(self) -> dict[str, Any]:
        found: dict[str, Any] = next(one for one in self.demo["users"] if one["username"] == self.username)
        return found

    def log_in(self) -> Person:
        self.page.goto("/log-in")
        for _ in range(_TRIES):
            self.page.get_by_label("User name").fill(self.username)
            self.page.get_by_label("Password", exact=True).fill(self.account["password"])
            self.page.get_by_role("button", name="Log in").click()
            self.page.wait_for_load_state()
            if not self.page.get_by_text(_BUSY).count():
                break
        return self

    def open(self, path: str) -> Page:
        """Go there; if the reason for it is asked, say one."""
        for _ in range(_TRIES):
            self.page.goto(path)
            if not self.page.get_by_text(_BUSY).count():
                break
        self.say_why()
        return self.page

    def say_why(self) -> None:
        if self.page.get_by_role("heading", name="Why are you opening this case?").count():
            self.page.get_by_label("A task that I was given").check()
            self.page.get_by_role("button", name="Continue").click()
            self.page.wait_for_load_state()

    def press(self, name: str) -> None:
        self.page.get_by_role("button", name=name, exact=True).click()
        self.page.wait_for_load_state()

    def press_last(self, name: str) -> None:
        """The one at the end of the form; the first is for those who press Enter."""
        self.page.get_by_role("button", name=name, exact=True).last.click()
        self.page.wait_for_load_state()

    def follow(self, name: str) -> None:
        self.page.get_by_role("link", name=name, exact=True).first.click()
        self.page.wait_for_load_state()

    def fill_day(self, name: str, day: int, month: int, year: int) -> None:
        for part, value in (("day", day), ("month", month), ("year", year)):
            self.page.locator(f"#{name}-{part}").fill(str(value))

    def close(self) -> None:
        self.context.close()


def id_in(url: str, noun: str) -> str:
    """The id after `/noun/` in a URL."""
    found = re.search(rf"/{noun}/([^/?#]+)", url)
    assert found is not None, url
    return found[1]
