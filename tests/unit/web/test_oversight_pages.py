"""Statements, reviews and usage: what the pages send, and what they say while the log proves nothing yet."""

from __future__ import annotations

import re

from services.contracts.errors import Unavailable
from tests.unit.web.site import FakeAsking, SiteClient

CSRF = re.compile(r'name="csrf" value="([^"]+)"')
ONCE = re.compile(r'name="once" value="([^"]+)"')


def sent(site: SiteClient, path: str, **typed: str) -> object:
    page = site.get(path).text
    csrf, once = CSRF.findall(page)[-1], ONCE.findall(page)[-1]
    return site.post(path, {"csrf": csrf, "once": once, **typed})


def test_what_is_withheld_is_sent_with_its_exemption() -> None:
    site = SiteClient(FakeAsking())
    path = "/audit/statements/new?subject_id=s1&from=2026-01-01&to=2026-02-01"
    answer = sent(site, path, subject_id="s1", **{"withhold-e1": "names:rights_of_others"})
    assert answer.status_code == 303  # type: ignore[attr-defined]
    ((_, method, request, _),) = site.asking.told
    assert method == "issue_statement"
    assert request.statement.subject_id == "s1"
    assert [(one.entry_id, one.what, one.exemption) for one in request.statement.withhold] == [
        ("e1", "names", "rights_of_others")
    ]
    assert request.statement.since.isoformat() == "2026-01-01T00:00:00+00:00"
    assert request.statement.until.isoformat() == "2026-02-02T00:00:00+00:00"


def test_a_statement_that_the_log_does_not_prove_yet_says_so() -> None:
    site = SiteClient(FakeAsking())
    site.asking.refusals["audit", "get_statement"] = Unavailable(retry_after=2)
    answer = site.get("/audit/statements/st1")
    assert answer.status_code == 200
    assert "Look again" in answer.text


def test_a_decision_has_its_reason() -> None:
    site = SiteClient(FakeAsking())
    path = "/audit/reviews/volume.2026-11-24.u1"
    assert sent(site, path, decision="expected", reason="").status_code == 422  # type: ignore[attr-defined]
    answer = sent(site, path, decision="expected", reason="On call.")
    assert answer.status_code == 303  # type: ignore[attr-defined]
    ((_, method, request, _),) = site.asking.told
    assert (method, request.review_id, request.review.decision) == (
        "decide_review",
        "volume.2026-11-24.u1",
        "expected",
    )


def test_who_manages_the_programme_begins_with_usage() -> None:
    site = SiteClient(FakeAsking(("programme_manager",)))
    assert site.get("/").headers["location"] == "/audit/usage"
    page = site.get("/audit/usage").text
    assert "Last log-in" in page
    assert 'href="/audit/usage"' in page
