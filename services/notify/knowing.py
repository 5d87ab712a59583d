"""Asking the authority, now, who may know of what: nothing is shown or sent without."""

from __future__ import annotations

from collections.abc import Sequence, Set

from services.chassis.client import Peer
from services.contracts.authority import GetPrincipals, MayKnow, MayKnowAnswers, Principals, Question
from services.notify.domain.delivery import Told
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
    """Those that this principal may be told of now, in their order. Of what is about no case its keys
    decide."""
    answers = iter(may_know(sharing, principal_id, [item for item in items if item.of_a_case]))
    return [item for item in items if not item.of_a_case or next(answers)]


def may_be_told(sharing: Peer, client_id: str, told: Sequence[Told]) -> list[bool]:
    """As `may_know`; of the audit log's checkpoints, which name nobody, every client that is active now may
    be told. Raises a kind of Unavailable."""
    items = [one for one in told if isinstance(one, Item)]
    may = iter(may_know(sharing, client_id, items))
    told_of_log = len(items) < len(told) and client_id in active(sharing, {client_id})
    return [next(may) if isinstance(one, Item) else told_of_log for one in told]


def active(sharing: Peer, client_ids: Set[str]) -> set[str]:
    """Those of the clients, at most 200, that are active now, as their agencies are."""
    if not client_ids:
        return set()
    asked = GetPrincipals(ids=tuple(sorted(client_ids)))
    found: Principals = sharing.call("principals", asked, reply=Principals)
    return {one.id for one in found.items if one.active and one.agency.id not in found.inactive_agencies}
