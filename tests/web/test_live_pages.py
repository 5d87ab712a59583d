"""What others do appears by itself; what is taken back disappears by itself; nothing typed is lost."""

from __future__ import annotations

import time
import uuid

import pytest
from playwright.sync_api import expect

from tests.web import steps
from tests.web.conftest import Sit

pytestmark = pytest.mark.timeout(300)


def test_a_note_appears_and_a_revoked_page_is_replaced(sit: Sit) -> None:
    officer, housing = sit("p.marsh"), sit("j.foley")
    case_id = steps.open_case(officer, "A case to be watched")
    share_id = steps.share(officer, case_id)
    officer.open(f"/cases/{case_id}")
    housing.open(f"/cases/{case_id}")
    unread = officer.page.locator("#unread")
    before = unread.inner_text() if unread.is_visible() else "0"
    # While somebody types, the page changes around the text and not in it.
    officer.page.get_by_label("Add a note").fill("half a sentence")
    time.sleep(1)  # both streams are open by then: they begin with the page
    housing.page.get_by_label("Add a note").fill("Seen at the door this morning.")
    housing.press("Add note")
    sent = time.monotonic()
    expect(officer.page.get_by_text("Seen at the door this morning.")).to_be_visible()
    assert time.monotonic() - sent < 4  # 2 s by itself; this machine is shared
    expect(unread).not_to_have_text(before)
    expect(officer.page.get_by_label("Add a note")).to_have_value("half a sentence")

    housing.page.get_by_label("Add a note").fill("not sent yet")
    other = sit("p.marsh")
    page = other.open(f"/cases/{case_id}/shares/{share_id}/revoke")
    page.get_by_label("It was shared with the wrong recipient").check()
    other.press("Revoke now")
    revoked = time.monotonic()
    expect(housing.page.get_by_role("heading", name="Page not found")).to_be_visible()
    assert time.monotonic() - revoked < 3  # 1 s by itself
    expect(housing.page.get_by_text("Seen at the door")).to_have_count(0)
    expect(housing.page.get_by_label("What you had typed")).to_have_value("not sent yet")


def test_what_is_typed_survives_the_end_of_the_session(sit: Sit) -> None:
    officer = sit("p.marsh")
    case_id = officer.demo["cases"][0]["id"]
    page = officer.open(f"/cases/{case_id}/entries/new?type=note")
    page.get_by_label("What happened").fill("Typed while the session ended.")
    officer.context.clear_cookies()
    officer.press("Add")
    expect(page.get_by_text("This was not saved")).to_be_visible()
    page.get_by_label("User name").fill("p.marsh")
    page.get_by_label("Password", exact=True).fill(officer.account["password"])
    officer.press("Log in")
    officer.press("Send")
    expect(page.get_by_text("Typed while the session ended.").first).to_be_visible()
    assert f"/cases/{case_id}" in page.url


def test_a_double_click_makes_one_thing(sit: Sit) -> None:
    officer = sit("p.marsh", scripts=False)
    case_id = officer.demo["cases"][0]["id"]
    page = officer.open(f"/cases/{case_id}")
    text = f"Sent by a double click {uuid.uuid4().hex}"
    page.get_by_label("Add a note").fill(text)
    page.get_by_role("button", name="Add note").dblclick()
    page.wait_for_url("**done=note**")
    seen = sit("p.marsh").open(f"/cases/{case_id}")
    expect(seen.get_by_text(text)).to_have_count(1)


def test_without_the_stream_a_page_asks_by_itself_after_a_while(sit: Sit) -> None:
    officer, housing = sit("p.marsh"), sit("j.foley")
    case_id = steps.open_case(officer, "A case watched without a stream")
    steps.share(officer, case_id)
    officer.page.route("**/live**", lambda route: route.abort())
    officer.open(f"/cases/{case_id}")
    housing.open(f"/cases/{case_id}")
    housing.page.get_by_label("Add a note").fill("Seen although nothing streams.")
    housing.press("Add note")
    expect(officer.page.get_by_text("Seen although nothing streams.")).to_be_visible(timeout=25_000)


def test_a_filter_changes_the_list_and_nothing_else(sit: Sit) -> None:
    officer = sit("p.marsh")
    page = officer.open(f"/cases/{officer.demo['cases'][0]['id']}")
    page.get_by_label("Add a note").fill("kept while filtering")
    page.get_by_label("Show", exact=True).select_option(label="Incident report")
    expect(page.get_by_text("The tenant called at the office")).to_have_count(0)
    expect(page.get_by_text("Fireworks pushed through the letter box").first).to_be_visible()
    expect(page.get_by_label("Add a note")).to_have_value("kept while filtering")
