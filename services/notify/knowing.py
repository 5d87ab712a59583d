"""Asking the authority, now, who may know of what: nothing is shown or sent without."""

from __future__ import annotations

from collections.abc import Sequence

from services.chassis.client import Peer
from services.contracts.authority import MayKnow, MayKnowAnswers, Question
from services.notify.domain.items import Item

AT_ONCE = 500


def may_know(sharing: Peer, principal_id: str, items: Sequence[Item]) -> list[bool]:
    """For each item, whether this principal may be told of it now. Raises a kind of Unavailable."""
    asked = [item.question(principal_id) for item in items]
    different = list(dict.fromkeys(asked))  # a busy case asks the same of many items
    answers: dict[Question, bool] = {}
    for first in range(0, len(different), AT_ONCE):
        questions = tuple(different[first : first + AT_ONCE])
        told: MayKnowAnswers = sharing.call("may_know", MayKnow(questions=questions), reply=MayKnowAnswers)
        answers.update(zip(questions, told.answers, strict=True))
    return [answers[question] for question in asked]


def known(sharing: Peer, principal_id: str, items: Sequence[Item]) -> list[Item]:
    """Those that this principal may be told of now, in their order."""
    answers = may_know(sharing, principal_id, items)
    return [item for item, may in zip(items, answers, strict=True) if may]
