"""axe-core finds nothing on any page, none is wider than a small phone, each can be used by keyboard."""

from __future__ import annotations

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import expect

from tests.web import places, steps
from tests.web.browsing import Person
from tests.web.conftest import Sit

pytestmark = pytest.mark.timeout(900)
_RULES = {"runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]}


def _people(sit: Sit, width: int) -> dict[str, Person]:
    return {name: sit(name, width=width) for name in ("", *places.USERNAMES)}


@pytest.mark.parametrize("width", [1280, 320])
def test_no_page_has_a_violation(sit: Sit, width: int) -> None:
    people = _people(sit, width)
    case_id = people[""].demo["cases"][0]["id"]
    axe, found, wide = Axe(), [], []
    for name, _, page in places.every(people, case_id):
        found += _violations(axe, name, page)
        wide += _overflow(name, page)
    for name, page in steps.of_the_wizards(people[places.OFFICER], case_id):
        found += _violations(axe, name, page)
        wide += _overflow(name, page)
    assert found == []
    assert wide == []


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


def _violations(axe: Axe, name: str, page: object) -> list[str]:
    result = axe.run(page, options=_RULES)  # type: ignore[arg-type]
    return [
        f"{name}: {one['id']}: {node['target']}"
        for one in result.response["violations"]
        for node in one["nodes"]
    ]


def _overflow(name: str, page: object) -> list[str]:
    over = page.evaluate(  # type: ignore[attr-defined]
        "document.documentElement.scrollWidth - document.documentElement.clientWidth"
    )
    return [f"{name}: {over} pixels too wide"] if over > 0 else []
