"""axe-core finds nothing on any page, none is wider than a small phone, each can be used by keyboard."""

from __future__ import annotations

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect

from tests.web import places, steps
from tests.web.conftest import Sit

pytestmark = pytest.mark.timeout(900)
_RULES = {
    "runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"],
    "resultTypes": ["violations"],
}


def test_no_page_has_a_violation_or_is_wider_than_a_small_phone(sit: Sit) -> None:
    people = {name: sit(name) for name in ("", *places.USERNAMES)}
    case_id = people[""].demo["cases"][0]["id"]
    axe, found = Axe(), []
    for name, _, page in places.every(people, case_id):
        found += _wrong(axe, name, page)
    for name, page in steps.of_the_wizards(people[places.OFFICER], case_id):
        found += _wrong(axe, name, page)
    assert found == []


def test_an_error_is_announced_linked_and_free_of_violations(sit: Sit) -> None:
    officer = sit(places.OFFICER)
    page = officer.open("/cases/new")
    officer.press_last("Continue")
    assert page.title().startswith("Error: ")
    assert _violations(Axe(), "errors", page) == []
    page.get_by_role("link", name="Enter a title").click()
    expect(page.get_by_label("Title")).to_be_focused()


def test_one_gets_about_by_keyboard(sit: Sit) -> None:
    page = sit(places.OFFICER).open("/cases")
    page.keyboard.press("Tab")
    skip = page.get_by_role("link", name="Skip to main content")
    expect(skip).to_be_focused()
    expect(skip).to_be_visible()
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="Open a new case")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Open a new case")).to_be_visible()


def test_print_leaves_out_what_paper_has_no_use_for(sit: Sit) -> None:
    officer = sit(places.OFFICER)
    page = officer.open(f"/cases/{officer.demo['cases'][0]['id']}")
    page.emulate_media(media="print")
    expect(page.locator(".app-menu")).to_be_hidden()
    expect(page.get_by_role("button", name="Add note")).to_be_hidden()
    expect(page.locator("#protective-marking")).to_be_visible()
    expect(page.locator("#timeline")).to_be_visible()


def _wrong(axe: Axe, name: str, page: Page) -> list[str]:
    """On a desk and on a small phone."""
    found = []
    for width in (1280, 320):
        page.set_viewport_size({"width": width, "height": 800})
        found += _violations(axe, f"{name} at {width}", page) + _overflow(f"{name} at {width}", page)
    page.set_viewport_size({"width": 1280, "height": 800})
    return found


def _violations(axe: Axe, name: str, page: Page) -> list[str]:
    result = axe.run(page, options=_RULES)
    return [
        f"{name}: {one['id']}: {node['target']}"
        for one in result.response["violations"]
        for node in one["nodes"]
    ]


def _overflow(name: str, page: Page) -> list[str]:
    over = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
    return [f"{name}: {over} pixels too wide"] if over > 0 else []
