"""A data protection officer's pages: free of violations, narrow enough; a statement is issued and printed."""

from __future__ import annotations

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import expect

from tests.web import places
from tests.web.conftest import Sit
from tests.web.test_accessibility import _overflow, _violations

pytestmark = pytest.mark.timeout(300)


@pytest.mark.parametrize("width", [1280, 320])
def test_a_statement_is_prepared_issued_and_shown(sit: Sit, width: int) -> None:
    officer = sit(places.DPO, width=width)
    case_id = officer.demo["cases"][0]["id"]
    page = sit(places.OFFICER, width=width).open(f"/cases/{case_id}")
    subject_id = page.locator('a[href^="/subjects/"]').first.get_attribute("href") or ""
    subject_id = subject_id.removeprefix("/subjects/").partition("?")[0]
    axe, found, wide = Axe(), [], []
    shown = [
        ("statements", "/audit/statements"),
        ("reviews", "/audit/reviews"),
        ("review", "/audit/reviews/volume.2026-11-24.nobody"),
        ("usage", "/audit/usage"),
        ("statement-new", f"/audit/statements/new?subject_id={subject_id}"),
    ]
    for name, path in shown:
        page = officer.open(path)
        found += _violations(axe, name, page)
        wide += _overflow(name, page)
    officer.press_last("Issue the statement")
    expect(page.get_by_role("heading", name="Who consulted or received")).to_be_visible()
    expect(page.get_by_text("How you can check this yourself")).to_be_visible()
    found += _violations(axe, "statement", page)
    wide += _overflow("statement", page)
    assert found == []
    assert wide == []
