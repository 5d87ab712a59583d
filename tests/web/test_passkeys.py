"""A passkey in a browser: made, logged in with, stepped up with, removed; by Chromium's virtual authenticator
(CDP, domain WebAuthn). They are made for a name, and 127.0.0.1 is none: here pages are at `localhost`."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, CDPSession, Page, expect

from tests.web.browsing import Person
from tests.web.conftest import Sit
from tests.web.test_accessibility import _wrong
from tests.web.test_main_job import PASSWORD, _invited

pytestmark = pytest.mark.timeout(600)


@pytest.fixture
def newcomer(sit: Sit, chromium: Browser, demo: dict[str, Any]) -> Iterator[Person]:
    """Somebody new, logged in at `localhost`."""
    _, name = _invited(sit)
    here = copy.deepcopy(demo)
    here["base_url"] = demo["base_url"].replace("127.0.0.1", "localhost")
    person = Person(chromium, here, name)
    _log_in(person)
    _sign(person)
    yield person
    person.close()
    assert person.complaints == []


def authenticator(page: Page, *, verifies: bool = True) -> tuple[CDPSession, str]:
    line = page.context.new_cdp_session(page)
    line.send("WebAuthn.enable")
    options = {
        "protocol": "ctap2",
        "transport": "usb",
        "hasUserVerification": True,
        "isUserVerified": verifies,
        "automaticPresenceSimulation": True,
    }
    return line, str(line.send("WebAuthn.addVirtualAuthenticator", {"options": options})["authenticatorId"])


def test_a_passkey_is_made_used_and_removed(newcomer: Person) -> None:
    page, axe = newcomer.page, Axe()
    line, key = authenticator(page)

    newcomer.open("/account/passkeys/new")
    newcomer.press("Add a passkey")
    expect(page.get_by_text("Enter a name first.")).to_be_visible()
    assert _wrong(axe, "passkey-new", page) == []
    page.get_by_label("Name of the passkey").fill("Blue key")
    page.get_by_label("Name of the passkey").press("Enter")
    expect(page.get_by_text("The passkey is added.")).to_be_visible()
    assert _wrong(axe, "account with a passkey", page) == []
    assert len(line.send("WebAuthn.getCredentials", {"authenticatorId": key})["credentials"]) == 1

    # It is asked for at log-in, and a password alone does not do.
    newcomer.press("Log out")
    _log_in(newcomer)
    expect(page.get_by_text("Use your passkey to log in.").first).to_be_visible()
    assert _wrong(axe, "log-in that wants a passkey", page) == []
    newcomer.press("Use a passkey")
    expect(page.get_by_text("Enter your user name and password first.")).to_be_visible()
    _fill(newcomer, "not-the-password-1")
    newcomer.press("Use a passkey")
    expect(page.get_by_text("The user name or the password is not right.")).to_be_visible()
    _fill(newcomer)
    newcomer.press("Use a passkey")
    expect(page.get_by_role("link", name="Nora Newcomer")).to_be_visible()

    # Who changes second factors shows one first, and comes back to where one was.
    newcomer.open("/account")
    page.get_by_role("link", name="Remove the passkey Blue key").click()
    expect(page.get_by_role("heading", name="Enter a new code")).to_be_visible()
    assert _wrong(axe, "step-up", page) == []
    newcomer.press("Use a passkey")
    expect(page.get_by_role("heading", name="Remove a passkey")).to_be_visible()
    assert _wrong(axe, "passkey-remove", page) == []
    newcomer.press("Remove this passkey")
    expect(page.get_by_text("The passkey is removed.")).to_be_visible()
    newcomer.press("Log out")
    _log_in(newcomer)
    expect(page.get_by_role("link", name="Nora Newcomer")).to_be_visible()


def test_a_key_that_verifies_nobody_makes_no_passkey(newcomer: Person) -> None:
    page = newcomer.page
    authenticator(page, verifies=False)
    newcomer.open("/account/passkeys/new")
    page.get_by_label("Name of the passkey").fill("Found in the street")
    newcomer.press("Add a passkey")
    expect(page.get_by_text("Nothing was confirmed. Try again.")).to_be_visible()


def test_without_scripts_no_passkey_is_offered(sit: Sit) -> None:
    person = sit("p.marsh", scripts=False)
    page = person.open("/account/passkeys/new")
    expect(page.get_by_role("link", name="Set up an authenticator app")).to_be_visible()
    expect(page.get_by_role("button", name="Add a passkey")).to_be_hidden()
    page = person.open("/account/step-up")
    expect(page.get_by_role("button", name="Use a passkey")).to_be_hidden()
    expect(page.get_by_label("Code from your authenticator app")).to_be_visible()


def _fill(person: Person, password: str = PASSWORD) -> None:
    person.page.get_by_label("User name").fill(person.username)
    person.page.get_by_label("Password", exact=True).fill(password)


def _log_in(person: Person) -> None:
    person.page.goto("/log-in")
    _fill(person)
    person.press("Log in")


def _sign(person: Person) -> None:
    page = person.open("/procedure")
    page.get_by_label("I have read this procedure").check()
    person.press("Sign")
