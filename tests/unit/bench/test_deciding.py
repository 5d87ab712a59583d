"""The comparison of bench-decide: that the engines answer alike, and that it would see it if they did not."""

from __future__ import annotations

import pytest

from services.contracts import access
from services.contracts.access import Share
from services.contracts.caller import Caller
from tests.bench.deciding.__main__ import compare


def test_every_engine_gives_the_same_answers_with_reasons_that_bear_each_other_out() -> None:
    assert compare(5) == (500, 0)


def always(share: Share, caller: Caller) -> bool:
    return True


@pytest.mark.parametrize("question", ["of_agency", "names", "in_date", "under_protocol"])
def test_a_rule_that_forgets_a_question_is_seen_to_differ(
    question: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(access, question, always)
    assert compare(5)[1] > 0


def test_a_rule_that_forgets_the_agencies_is_seen_to_differ(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(access, "agencies_active", lambda caller, acl: True)
    assert compare(5)[1] > 0
