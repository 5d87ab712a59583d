"""What a refusal may not tell: the check sees it, and nothing else."""

from __future__ import annotations

import json

import pytest

from tests.checks.matrix.oracle import RULES
from tests.checks.matrix.refusals import OF_A_CASE, tells
from tests.checks.matrix.requests import shape
from tests.checks.matrix.situations import ABOUT_A_CASE, EXPLAIN, Request
from tests.checks.wire import Answer

ASKED = Request("GET", "/cases/{}", "/cases/{}", None, {})


def answer(status: int = 404, code: str = "not_found", request_id: str = "1", **headers: str) -> Answer:
    body = json.dumps({"code": code, "status": status, "request_id": request_id}).encode()
    return Answer(status, body, 0, 1, {"date": request_id, **headers})


def test_the_same_refusal_tells_nothing_whatever_its_request_id_and_date() -> None:
    assert tells(ASKED, answer(request_id="1"), answer(request_id="2")) == []


@pytest.mark.parametrize(
    "unseen", [answer(403), answer(code="no_such_case"), answer(etag='"1"')], ids=["status", "body", "header"]
)
def test_any_other_difference_tells_something(unseen: Answer) -> None:
    assert tells(ASKED, unseen, answer())


@pytest.mark.parametrize("code", sorted(OF_A_CASE))
def test_a_reason_that_hangs_on_the_case_tells_something_though_it_is_said_of_none_too(code: str) -> None:
    assert tells(ASKED, answer(403, code), answer(403, code)) == [f"says {code}"]


def test_that_a_weak_tag_never_matches_is_said_of_any_case() -> None:
    said, weak = answer(412, "stale"), Request("PATCH", "/cases/{}", "/cases/{}", "{}", {"If-Match": 'W/"1"'})
    assert tells(weak, said, said) == []


def test_data_is_no_refusal() -> None:
    assert tells(ASKED, answer(200), answer(200)) == ["answered with 200"]


def test_only_who_breaks_glass_is_asked_for_a_reason_before_the_case_is_looked_up() -> None:
    said = answer(403, "reason_required")
    breaking = Request("POST", "/cases/{}/break-glass", "/cases/{}/break-glass", "{}", {})
    assert tells(breaking, said, said) == []
    assert tells(ASKED, said, said) == ["says reason_required"]


def test_explaining_and_every_route_under_a_case_are_asked() -> None:
    asked = {(method, shape(path)) for method, path in ABOUT_A_CASE}
    assert asked == {one for one in RULES if one[1].startswith("/cases/{}")} | {EXPLAIN}
