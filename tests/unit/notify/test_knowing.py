"""Asking the authority in batches."""

from __future__ import annotations

from typing import Any, cast

import pytest

from services.chassis.client import Peer
from services.contracts.authority import MayKnow, MayKnowAnswers
from services.notify.domain.items import NO_CASE
from services.notify.knowing import AT_ONCE, known, may_know
from tests.unit.notify.made import item


class Authority:
    """Knows some cases, and remembers how many questions it was asked at once."""

    def __init__(self, *cases: str, short: int = 0) -> None:
        self._cases, self._short = cases, short
        self.asked: list[int] = []

    def call(self, method: str, request: MayKnow, *, reply: type[Any]) -> MayKnowAnswers:
        assert method == "may_know"
        self.asked.append(len(request.questions))
        answers = [question.case_id in self._cases for question in request.questions]
        return MayKnowAnswers(answers=tuple(answers[self._short :]))


def peer(authority: Authority) -> Peer:
    return cast(Peer, authority)


def test_the_answers_are_in_the_order_of_the_items() -> None:
    items = [item(id=str(n), case_id=case) for n, case in enumerate(("a", "b", "a", "c"))]
    assert may_know(peer(Authority("a", "c")), "u1", items) == [True, False, True, True]
    assert [one.id for one in known(peer(Authority("a")), "u1", items)] == ["0", "2"]


def test_the_same_question_is_asked_once() -> None:
    authority = Authority("k1")
    may_know(peer(authority), "u1", [item(id=str(n)) for n in range(50)] + [item(section="tasks")])
    assert authority.asked == [2]


def test_many_questions_go_in_batches() -> None:
    authority = Authority("c7")
    items = [item(case_id=f"c{n}") for n in range(AT_ONCE + 1)]
    assert sum(may_know(peer(authority), "u1", items)) == 1
    assert authority.asked == [AT_ONCE, 1]


def test_of_what_is_about_no_case_nothing_is_asked_and_it_keeps_its_place() -> None:
    authority = Authority("a")
    items = [item(id="0", case_id=NO_CASE), item(id="1", case_id="b"), item(id="2", case_id="a")]
    assert [one.id for one in known(peer(authority), "u1", items)] == ["0", "2"]
    assert authority.asked == [2]


def test_no_items_ask_nothing() -> None:
    authority = Authority()
    assert may_know(peer(authority), "u1", []) == []
    assert authority.asked == []


def test_an_answer_too_few_shows_nothing() -> None:
    with pytest.raises(ValueError, match="shorter"):
        may_know(peer(Authority("k1", short=1)), "u1", [item(), item(case_id="x")])
